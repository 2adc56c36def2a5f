"""The latest SIP messages, kept in memory so that a call can be looked at after it went wrong.

Credentials are masked when messages are shown (RFC 7616: with response and nonce a password can be guessed offline),
and so are the keys of encrypted sound (RFC 4568 §6.1).
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.transport.flow import Flow

__all__ = ["MAX_MESSAGES", "MAX_OCTETS", "Trace", "TracedMessage"]

MAX_MESSAGES = 20_000
"20 messages a call, so the last thousand calls."
MAX_OCTETS = 16 * 1024 * 1024
"What 20,000 usual messages of some 700 octets take. A flood of large ones must not fill the memory."
MAX_CALLS = 2_000
"Calls whose caller's Call-ID is remembered: more than their messages are kept of."

_CREDENTIALS = re.compile(
    rb"^((?:Proxy-)?Authorization)[ \t]*:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE
)
_MASKED = rb"\1: (hidden)"
_MEDIA_KEY = re.compile(rb"^(a=crypto:[^\r\n]*?inline:)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_MEDIA_KEY_MASKED = rb"\1(hidden)"


class TracedMessage(msgspec.Struct, frozen=True):
    """One message as it was on the wire, its credentials hidden."""

    at: float
    "Seconds since 1970."
    direction: str
    "`in` or `out`."
    transport: str
    peer: str
    "The other side, `address:port`."
    text: str


_Kept: TypeAlias = "tuple[float, str, Flow, bytes]"
"When (seconds since 1970), in or out, where to or from, and the message."


class Trace:
    """A bounded window on all messages. Noting one costs a tuple; all work is done when somebody looks."""

    def __init__(self, wall: Callable[[], float]) -> None:
        """`wall` gives seconds since 1970."""
        self._wall = wall
        self._messages: deque[_Kept] = deque()
        self._octets = 0
        self._callers: dict[str, str] = {}

    def note(self, direction: str, flow: Flow, data: bytes) -> None:
        """Keep a message: what `Endpoint.tap` calls."""
        self._messages.append((self._wall(), direction, flow, data))
        self._octets += len(data)
        while len(self._messages) > MAX_MESSAGES or self._octets > MAX_OCTETS:
            self._octets -= len(self._messages.popleft()[3])

    def dialled(self, call_id: str, sip_call_id: str) -> None:
        """Remember how the caller names a call: what `Exchange.on_dialled` calls."""
        self._callers[call_id] = sip_call_id
        if len(self._callers) > MAX_CALLS:
            del self._callers[next(iter(self._callers))]

    def of(self, call_id: str) -> list[TracedMessage]:
        """The messages of all legs of a call, oldest first; those of the phones it rang bear its id in theirs.

        It reads everything that is kept, which takes a while: it may be called in any thread.
        """
        caller = self._callers.get(call_id)
        if caller is None:
            return []
        # What the caller chose may be as short as `1`, which stands in all messages; what we chose stands in ours alone.
        theirs, ours = (name.encode("utf-8", "surrogateescape") for name in (caller, call_id))
        line = re.compile(
            rb"^(?:Call-ID|i)[ \t]*:\s*%b[ \t]*\r?$" % re.escape(theirs), re.IGNORECASE | re.MULTILINE
        )
        return [
            _shown(*kept)
            for kept in tuple(self._messages)
            if ours in kept[3] or (theirs in kept[3] and line.search(kept[3]))
        ]


def _shown(at: float, direction: str, flow: Flow, data: bytes) -> TracedMessage:
    host, port = flow.remote
    peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    masked = _MEDIA_KEY.sub(_MEDIA_KEY_MASKED, _CREDENTIALS.sub(_MASKED, data))
    text = masked.decode("utf-8", "replace")
    return TracedMessage(round(at, 3), direction, flow.transport, peer, text)
