"""Provisional responses that arrive for certain: RSeq, PRACK and RAck, one machine for each side.

RFC 3262 §3 (server), §4 (client), §7.1 and §7.2 (the headers).

A machine sees numbers alone; what stands in the responses is its user's. Timers go out as `Wait` and come
back through `fired`.
"""

from __future__ import annotations

__all__ = [
    "GiveUpWaiting",
    "RAck",
    "ReliableClient",
    "ReliableEffect",
    "ReliableServer",
    "Send",
    "SendAgain",
    "StopWaiting",
    "Wait",
    "rseq_of",
]

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from appliance.errors import LocalError, PeerError
from appliance.sip.message import CSeq
from appliance.sip.message.grammar import parse_number
from appliance.sip.message.limits import MAX_CSEQ
from appliance.sip.transaction.timers import LIFETIME, T1

if TYPE_CHECKING:
    from appliance.sip.message import Request, Response

MAX_WAITING = 8
"""Responses that wait while one is unacknowledged. A phone tells of ringing, forwarding, a queue, an announcement;
one that goes on has nothing new to say."""


@dataclass(frozen=True, slots=True)
class RAck:
    """Which response a PRACK acknowledges (§7.2)."""

    rseq: int
    cseq: CSeq

    @classmethod
    def of(cls, request: Request) -> RAck:
        """PeerError 400 when it is missing or malformed."""
        text = (request.headers.get("RAck") or "").replace("\t", " ")
        number, _, cseq = text.strip(" ").partition(" ")
        return cls(parse_number(number, MAX_CSEQ, "RAck"), CSeq.parse(cseq.lstrip(" ")))

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq}"


def rseq_of(response: Response) -> int | None:
    """The number of a provisional response that must be acknowledged; None for any other, and when malformed."""
    headers = response.headers
    if "RSeq" not in headers or "Require" not in headers:
        return None
    try:
        if "100rel" not in (tag.lower() for tag in response.tokens("Require")):
            return None
        number = parse_number((headers.get("RSeq") or "").strip(" \t"), MAX_CSEQ, "RSeq")
    except PeerError:
        return None
    # §7.1: from 1 on.
    return number or None


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Send(Generic[Item]):
    """Send this response, for the first time."""

    rseq: int
    item: Item


@dataclass(frozen=True, slots=True)
class SendAgain:
    """The response that was sent last goes out once more."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Call `fired` after `delay` seconds; a wait before is replaced."""

    delay: float


@dataclass(frozen=True, slots=True)
class StopWaiting:
    """Do not call `fired` any more."""


@dataclass(frozen=True, slots=True)
class GiveUpWaiting:
    """No PRACK came: the INVITE is to be refused with a 5xx."""


ReliableEffect = Send[Item] | SendAgain | Wait | StopWaiting | GiveUpWaiting


class ReliableServer(Generic[Item]):
    """The reliable responses to one INVITE: one unacknowledged at a time, the others wait their turn."""

    __slots__ = ("_cseq", "_elapsed", "_interval", "_pending", "_rseq", "_session", "_stopped", "_waiting")

    def __init__(self, cseq: CSeq, first: int) -> None:
        """`first`: the first RSeq, at random from 1 to 2**31-1 (§3)."""
        self._cseq = cseq
        self._rseq = first - 1
        self._pending: int | None = None  # which number no PRACK has come for
        self._session = False  # whether that response describes a session
        self._waiting: deque[tuple[Item, bool]] = deque()
        self._stopped = False  # the final response is out, or called for
        self._interval = self._elapsed = 0.0

    @property
    def holds_success(self) -> bool:
        """§3: no 2xx MUST go out while a response with a session description is unacknowledged."""
        return self._session or any(session for _, session in self._waiting)

    @property
    def waiting(self) -> tuple[Item, ...]:
        """What waits for its turn, in order; what is unacknowledged aside."""
        return tuple(item for item, _ in self._waiting)

    def send(self, item: Item, *, session: bool) -> list[ReliableEffect[Item]]:
        """Send `item` now or in its turn. `session`: whether it describes one. LocalError after `finish`."""
        if self._stopped:
            raise LocalError("a provisional response after the final one")
        if self._pending is None:
            return self._transmit(item, session=session)
        if session or len(self._waiting) < MAX_WAITING:
            self._waiting.append((item, session))
        return []

    def _transmit(self, item: Item, *, session: bool) -> list[ReliableEffect[Item]]:
        self._rseq += 1
        self._pending, self._session = self._rseq, session
        # §3: the response is sent again at an interval that starts at T1 ...
        self._interval, self._elapsed = T1, 0.0
        return [Send(self._rseq, item), Wait(T1)]

    def fired(self) -> list[ReliableEffect[Item]]:
        """The wait is over."""
        if self._pending is None:
            return []
        self._elapsed += self._interval
        if self._elapsed >= LIFETIME:
            self._stopped = True
            self._waiting.clear()
            return [GiveUpWaiting()]
        # ... and doubles each time, without T2 for a ceiling.
        self._interval = min(2 * self._interval, LIFETIME - self._elapsed)
        return [SendAgain(), Wait(self._interval)]

    def receive_prack(self, rack: RAck) -> list[ReliableEffect[Item]]:
        """PeerError 481 for a PRACK that matches nothing unacknowledged (§3)."""
        if rack.rseq != self._pending or rack.cseq != self._cseq:
            raise PeerError(481, "Call/Transaction Does Not Exist")
        self._pending, self._session = None, False
        if not self._waiting:
            return [StopWaiting()]
        item, session = self._waiting.popleft()
        return self._transmit(item, session=session)

    def finish(self) -> list[ReliableEffect[Item]]:
        """A final response is called for: of what waits, only session descriptions are still sent.

        A 2xx must wait while `holds_success`; after another response, `fired` is not to be called any more.
        """
        self._stopped = True
        self._waiting = deque(each for each in self._waiting if each[1])
        return [] if self.holds_success else [StopWaiting()]


class ReliableClient:
    """The reliable responses that one dialog brings: in order, each once."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: int | None = None

    def receive(self, rseq: int) -> bool:
        """Whether this response is the next; §4: any other MUST NOT be acknowledged or processed."""
        if self._last is not None and rseq != self._last + 1:
            return False
        self._last = rseq
        return True
