"""What a leg tells its call, and the call its legs, in no protocol's words.

Each event goes both ways: a leg raises it, and the call hands it to the other leg as a command.
"""

from __future__ import annotations

__all__ = [
    "Answered",
    "Asked",
    "Baggage",
    "Confirmed",
    "Content",
    "Dialled",
    "Diverted",
    "Event",
    "HungUp",
    "Outcome",
    "Progress",
    "Referred",
    "Reply",
    "Transfer",
    "Updated",
    "Withdrawn",
]

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from appliance.call.cause import Ending
from appliance.call.decision import FromExtension
from appliance.lines.refusal import Refusal
from appliance.sip.message import Replaces

Baggage = tuple[tuple[str, str], ...]
"Headers the exchange does not understand, carried from leg to leg as they came."


class Content(msgspec.Struct, frozen=True, gc=False):
    """A body and its type."""

    kind: str
    "The value of Content-Type."
    body: bytes

    @property
    def is_session(self) -> bool:
        """Whether it describes media (SDP)."""
        return self.kind[:15].lower() == "application/sdp"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of an `Updated` or `Asked`."""

    status: int
    "200 to 699."
    text: str
    content: Content | None = None
    baggage: Baggage = ()


Reply = Callable[[Outcome], None]


DivertReason = Literal[
    "unconditional", "user-busy", "no-answer", "unavailable", "deflection", "time-of-day", "do-not-disturb"
]
"As the Diversion header says it (RFC 5806 §4)."


class Diverted(msgspec.Struct, frozen=True, gc=False):
    """One step of a call that was sent on."""

    by: str
    "The number that sends it on."
    name: str
    "What that is called; may be empty."
    to: str
    "The number it is sent to, as the exchange is asked for it."
    reason: DivertReason
    silent: bool = False
    "Whether nobody is told of it."


class Dialled(msgspec.Struct, frozen=True):
    """Somebody wants to talk to a number."""

    from_number: str
    from_name: str
    to_number: str
    hops_left: int
    "How many exchanges the call may still pass."
    content: Content | None
    "The caller's offer; without one the callee makes it."
    baggage: Baggage
    way_in: str = ""
    "`line:NAME` or `trunk:NAME` that the call came by; empty: an extension calls."
    phone: str = ""
    "The one phone of that number that is meant, by its own name; empty: all of them."
    steps: tuple[Diverted, ...] = ()
    "How it came to be for that number: who sent it on so far, first one first."
    passed: tuple[str, ...] = ()
    "The marks of exchanges that it has come by, ours the last (`call/loops`); none for a call that begins here."
    asserted: str = ""
    """The number of a caller who wants to be hidden from those who are called (`from_number` is empty then), as a carrier
    has asserted it: for other carriers that are trusted with it, and nobody else (RFC 3325 §7)."""
    payer: FromExtension | None = None
    "Whose rights and money count since it was sent on; None: the caller's own."


class Progress(msgspec.Struct, frozen=True, gc=False):
    """The callee rings (180), or says what else goes on before an answer."""

    status: int
    "101 to 199."
    text: str
    content: Content | None
    "Sound before the answer, if the callee sends any."
    baggage: Baggage
    fork: str = ""
    "Which of several phones says so: one that rings behind another has a name of its own."
    reliable: bool = False
    "Whether the callee made sure that it is heard. Then `content` binds: it is the answer, or an offer."

    @property
    def rings(self) -> bool:
        return self.status == 180


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The callee has picked up."""

    content: Content | None
    baggage: Baggage
    fork: str = ""
    "As in `Progress`."


class Confirmed(msgspec.Struct, frozen=True, gc=False):
    """The other side knows of the answer, or of a reliable progress. With content, it is the answer to an offer made in it."""

    content: Content | None


class Updated(msgspec.Struct, frozen=True):
    """A side wants other media: hold, resume, a new address. The session stays as it is if refused."""

    content: Content | None
    baggage: Baggage
    reply: Reply
    full: bool
    "Whether a `Confirmed` follows the outcome (re-INVITE), or not (UPDATE)."


class Withdrawn(msgspec.Struct, frozen=True):
    """The `Updated` that waits for its outcome is not wanted any more."""


class Asked(msgspec.Struct, frozen=True):
    """Something within the call that the exchange only carries: a key pressed, a text."""

    kind: str
    "`INFO` or `MESSAGE`."
    content: Content | None
    baggage: Baggage
    reply: Reply


class Transfer(Protocol):
    """A transfer that was taken on, for whoever carries it out."""

    @property
    def heard(self) -> bool:
        """Whether its phone wants to hear how it goes."""

    def progress(self, status: int, reason: str | None = None) -> None:
        """Tell the phone: 100 to 699; a final status is the last word."""


class Referred(msgspec.Struct, frozen=True):
    """A side asks us to put the other one through to somebody else. Either `accept` or `reply` answers it."""

    target: str
    "To whom, as the phone wrote it."
    to_number: str
    "The number in that."
    replaces: Replaces | None
    "The call that shall be joined instead of a new one, by its name at that phone: see `Transfers.find`."
    referred_by: str | None
    "Who says that they asked for it, as written; whoever is called may be told."
    accept: Callable[[], Transfer]
    "Takes it on. PeerError when the leg is over, or is to tell of too many."
    reply: Reply
    "Refuses it."


class HungUp(msgspec.Struct, frozen=True):
    """The leg is over, or shall be."""

    ending: Ending
    baggage: Baggage = ()
    moved_to: str = ""
    "The number that the phone would have it go to (3xx); empty when it names none."
    refusal: Refusal | None = None
    "What a line or trunk answered, where that ended it before anybody took the call."


Event = Dialled | Progress | Answered | Confirmed | Updated | Withdrawn | Asked | Referred | HungUp
