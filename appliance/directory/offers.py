"""Which digest algorithms to offer a phone: both where it bears that, MD5 alone where not.

RFC 8760 §2.3, §2.4: several challenges, from which a phone takes the topmost it knows. What phones do instead
was tried with two challenges, in either order, or read in their issue trackers:

    sipp 3.6.1; PJSIP to 2.10, Asterisk   look at the first one only, so that MD5 has to come first
    baresip 1.0.0 (libre)                 gives up at the sight of any algorithm but MD5, wherever it stands
    linphone 5.1                          answers the first one, as the RFC asks

So MD5 comes first, and a phone that was offered both and only asks once more is offered MD5 alone from then
on: one that gave up comes back in its usual retry interval and gets through. The answer of every phone is
accepted in SHA-256, whatever it was offered.
"""

from __future__ import annotations

__all__ = ["MAX_PHONES", "Offers"]

BOTH = ("MD5", "SHA-256")
MD5_ALONE = ("MD5",)

GIVE_UP = ("baresip v0.", "baresip v1.")
"How the User-Agent begins of phones known to give up: they need not fail once before they work."

MAX_PHONES = 16_384
"Phones remembered, about 200 octets each; one that gives way is merely offered both again."


class Offers:
    """What was offered to whom, and whether that phone answered."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], bool] = {}

    def choose(self, source: str, number: str, user_agent: str) -> tuple[str, ...]:
        """The algorithms to offer a phone at an address that says it is `number`, in their order."""
        if user_agent.startswith(GIVE_UP):
            return MD5_ALONE
        phone = (source, number)
        if phone in self._waiting:
            self._waiting[phone] = False
            return MD5_ALONE
        self._waiting[phone] = True
        if len(self._waiting) > MAX_PHONES:
            del self._waiting[next(iter(self._waiting))]
        return BOTH

    def answered(self, source: str, number: str) -> None:
        """The phone sent credentials. One that did so after it was offered both can be offered both again."""
        if self._waiting.get((source, number)):
            del self._waiting[source, number]
