"""What a leg may use of SIP's extensions. Some peers cannot stand one; then its leg does without.

RFC 3262 (100rel), RFC 4028 (timer), RFC 3891 and 4488 (transfers); RFC 3261 §8.2.2.3, §8.2.3
and §21.4.16 (420, 415 and 421).
"""

from __future__ import annotations

__all__ = ["ALLOW", "TRANSFER_TAGS", "LegOptions", "names"]

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog import TimerPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.sip.message import Message, Request

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, MESSAGE"
"What may be sent within any call."

TRANSFER_METHODS = ", REFER, NOTIFY, SUBSCRIBE"
TRANSFER_TAGS = ("replaces", "norefersub")
"RFC 3891 §6.2, RFC 4488 §5."


@dataclass(frozen=True, slots=True)
class LegOptions:
    """What is offered to the peer of a leg, and accepted from it."""

    reliable: bool = True
    "100rel. Without it neither Supported nor Allow mentions it, and a peer that demands it anyway has not."
    timer: TimerPolicy | None = field(default_factory=TimerPolicy)
    "Session timers; None for a peer that cannot stand them."
    transfers: bool = False
    "Whether the peer is told that it may transfer calls (REFER) and take another's place in one (Replaces)."
    required: tuple[str, ...] = ()
    """Option tags without which there is no talking to the peer, of those that are offered: it gets 421 where it lacks
    one, and our INVITE demands them. With `100rel`, all it hears before the answer is sent reliably."""
    early_offer: bool = True
    "Whether the INVITE says how the sound may come. Without, the callee offers and we answer."
    only_g711: bool = False
    "Whether the peer hears of no other codec."
    fields: tuple[tuple[str, str], ...] = field(init=False)
    "Allow and Supported of the first INVITE."
    demands: tuple[tuple[str, str], ...] = field(init=False)
    "Require of the first INVITE."
    fields_within: tuple[tuple[str, str], ...] = field(init=False)
    "The same within the dialog, and in the answer that makes one: nothing there needs a provisional response."

    def __post_init__(self) -> None:
        methods = ALLOW + (", PRACK" if self.reliable else "") + (TRANSFER_METHODS if self.transfers else "")
        allow = ("Allow", methods)
        within = ["timer"] if self.timer is not None else []
        within += TRANSFER_TAGS if self.transfers else ()
        every = (["100rel"] if self.reliable else []) + within
        object.__setattr__(self, "fields", (allow, ("Supported", ", ".join(every))) if every else (allow,))
        supported = (("Supported", ", ".join(within)),) if within else ()
        object.__setattr__(self, "fields_within", (allow, *supported))
        if not set(self.required) <= set(every):
            raise LocalError("an option that is required but not offered")
        object.__setattr__(self, "demands", (("Require", ", ".join(self.required)),) if self.required else ())

    def without_reliable(self) -> LegOptions:
        """The same for a leg that has no use for 100rel, and so does not require it either."""
        required = tuple(tag for tag in self.required if tag != "100rel")
        return replace(self, reliable=False, required=required)

    def without(self, features: Iterable[str]) -> LegOptions:
        """The same without what of this is a leg's affair: `100rel`, `timer`, `early-offer`, `codecs`."""
        options = self
        for each in features:
            match each:
                case "100rel":
                    options = options.without_reliable()
                case "timer":
                    required = tuple(tag for tag in options.required if tag != "timer")
                    options = replace(options, timer=None, required=required)
                case "early-offer":
                    # An offer in a reliable response would want its answer before anybody has answered.
                    options = replace(options.without_reliable(), early_offer=False)
                case "codecs":
                    options = replace(options, only_g711=True)
                case _:
                    pass  # where the call goes, and how that is written
        return options

    def check_first(self, request: Request) -> None:
        """As `check`, for the INVITE of a new call: PeerError 421 where its sender does not know what we require."""
        self.check(request)
        # §21.4.16: 421 MUST say in Require what is missing. Who requires it of us knows it, too.
        missing = [tag for tag in self.required if not _knows(request, tag)]
        if missing:
            raise PeerError(421, "Extension Required", (("Require", ", ".join(missing)),))

    def check(self, request: Request) -> None:
        """PeerError for an INVITE or UPDATE that asks for what this leg does without (420), or for too much (422).

        415 where its session description is packed; all else that is packed passes as it came.
        """
        if "Content-Encoding" in request.headers:
            _check_encoding(request)
        if "Require" in request.headers:
            refused = [tag for tag, on in (("100rel", self.reliable), ("timer", self.timer)) if not on]
            missing = [tag for tag in refused if names(request, "Require", tag)]
            if missing:
                raise PeerError(420, "Bad Extension", (("Unsupported", ", ".join(missing)),))
        if self.timer is not None:
            self.timer.check(request)


def _check_encoding(request: Request) -> None:
    encoding = (request.headers.get("Content-Encoding") or "").lower()
    if request.content_type == "application/sdp" and encoding not in ("", "identity"):
        # RFC 3261 §8.2.3: with what would do.
        raise PeerError(415, "Unsupported Media Type", (("Accept-Encoding", "identity"),))


def _knows(request: Request, tag: str) -> bool:
    return names(request, "Supported", tag) or names(request, "Require", tag)


def names(message: Message, header: str, tag: str) -> bool:
    """Whether a header such as Require or Supported names the option `tag`."""
    return header in message.headers and tag in (each.lower() for each in message.tokens(header))
