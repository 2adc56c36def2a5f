"""What a leg may use of SIP's extensions. Some peers cannot stand one; then its leg does without.

RFC 3262 (100rel), RFC 4028 (timer).
"""

from __future__ import annotations

__all__ = ["ALLOW", "LegOptions", "names"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.errors import PeerError
from appliance.sip.dialog import TimerPolicy

if TYPE_CHECKING:
    from appliance.sip.message import Message, Request

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, MESSAGE"
"What may be sent within any call."


@dataclass(frozen=True, slots=True)
class LegOptions:
    """What is offered to the peer of a leg, and accepted from it."""

    reliable: bool = True
    "100rel. Without it neither Supported nor Allow mentions it, and a peer that demands it anyway has not."
    timer: TimerPolicy | None = field(default_factory=TimerPolicy)
    "Session timers; None for a peer that cannot stand them."
    fields: tuple[tuple[str, str], ...] = field(init=False)
    "Allow and Supported of the first INVITE."
    fields_within: tuple[tuple[str, str], ...] = field(init=False)
    "The same within the dialog, and in the answer that makes one: nothing there needs a provisional response."

    def __post_init__(self) -> None:
        allow = ("Allow", f"{ALLOW}, PRACK" if self.reliable else ALLOW)
        timer = ["timer"] if self.timer is not None else []
        every = (["100rel"] if self.reliable else []) + timer
        object.__setattr__(self, "fields", (allow, ("Supported", ", ".join(every))) if every else (allow,))
        object.__setattr__(self, "fields_within", (allow, ("Supported", "timer")) if timer else (allow,))

    def check(self, request: Request) -> None:
        """PeerError for an INVITE or UPDATE that asks for what this leg does without (420), or for too much (422)."""
        if "Require" in request.headers:
            refused = [tag for tag, on in (("100rel", self.reliable), ("timer", self.timer)) if not on]
            missing = [tag for tag in refused if names(request, "Require", tag)]
            if missing:
                raise PeerError(420, "Bad Extension", (("Unsupported", ", ".join(missing)),))
        if self.timer is not None:
            self.timer.check(request)


def names(message: Message, header: str, tag: str) -> bool:
    """Whether a header such as Require or Supported names the option `tag`."""
    return header in message.headers and tag in (each.lower() for each in message.tokens(header))
