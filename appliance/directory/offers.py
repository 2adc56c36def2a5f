"""Which digest algorithms to offer a phone: all where it bears that, MD5 alone where not.

RFC 8760 §2.3, §2.4: several challenges, from which a phone takes the topmost it knows. What phones do instead
was tried with two challenges, in either order, or read in their issue trackers:

    sipp 3.6.1; PJSIP to 2.10, Asterisk   look at the first one only, so that MD5 has to come first
    baresip 1.0.0 (libre)                 gives up at the sight of any algorithm but MD5, wherever it stands
    linphone 5.1                          answers the first one, as the RFC asks

So MD5 comes first, and a phone that was offered all and only asks once more is offered MD5 alone from then
on: one that gave up comes back in its usual retry interval and gets through. The answer of every phone is
accepted in any of them, whatever it was offered.

An extension whose password was set before SHA-512/256 was kept has no secret for it. Nobody may learn which
those are, so it is offered for all, and whoever fails with it is asked for another one.
"""

from __future__ import annotations

__all__ = ["MAX_PHONES", "Offers", "again"]

ALL = ("MD5", "SHA-256", "SHA-512-256")
MD5_ALONE = ("MD5",)

GIVE_UP = ("baresip v0.", "baresip v1.")
"How the User-Agent begins of phones known to give up: they need not fail once before they work."

MAX_PHONES = 16_384
"Phones remembered, about 200 octets each; one that gives way is merely offered all again."


class Offers:
    """What was offered to whom, and whether that phone answered."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], str] = {}
        "The request that each was last offered all for; empty for one that has asked for less."

    def choose(self, source: str, number: str, user_agent: str, asking: str) -> tuple[str, ...]:
        """The algorithms to offer a phone at an address that says it is `number`, in their order.

        `asking` names its request: one that comes again because its answer was lost is offered the same.
        """
        if user_agent.startswith(GIVE_UP):
            return MD5_ALONE
        phone = (source, number)
        known = self._waiting.setdefault(phone, asking)
        if known != asking:
            self._waiting[phone] = ""
            return MD5_ALONE
        if len(self._waiting) > MAX_PHONES:
            del self._waiting[next(iter(self._waiting))]
        return ALL

    def answered(self, source: str, number: str) -> None:
        """The phone sent credentials. One that did so after it was offered all can be offered all again."""
        if self._waiting.get((source, number)):
            del self._waiting[source, number]


def again(algorithm: str) -> tuple[str, ...]:
    """What to offer a phone whose answer in `algorithm` would not do."""
    return ("SHA-256", "MD5") if algorithm == "SHA-512-256" else (algorithm,)
