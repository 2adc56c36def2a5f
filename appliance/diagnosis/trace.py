"""The latest SIP messages, kept in memory so that a call can be looked at after it went wrong.

Credentials are masked when messages are shown (RFC 7616: with response and nonce a password can be guessed offline).
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.transport.flow import Flow

__all__ = ["MAX_MESSAGES", "Trace", "TracedMessage"]

MAX_MESSAGES = 20_000
"At some 700 octets each about 14 MB; 20 messages a call, so the last thousand calls."
MAX_CALLS = 2_000
"Calls whose caller's Call-ID is remembered: more than their messages are kept of."

_CREDENTIALS = re.compile(
    rb"^((?:Proxy-)?Authorization)[ \t]*:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE
)
_MASKED = rb"\1: (hidden)"


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


class Trace:
    """A bounded window on all messages. Noting one costs a tuple; all work is done when somebody looks."""

    def __init__(self, wall: Callable[[], float]) -> None:
        """`wall` gives seconds since 1970."""
        self._wall = wall
        self._messages: deque[tuple[float, str, Flow, bytes]] = deque(maxlen=MAX_MESSAGES)
        self._callers: dict[str, str] = {}

    def note(self, direction: str, flow: Flow, data: bytes) -> None:
        """Keep a message: what `Endpoint.tap` calls."""
        self._messages.append((self._wall(), direction, flow, data))

    def dialled(self, call_id: str, sip_call_id: str) -> None:
        """Remember how the caller names a call: what `Exchange.on_dialled` calls."""
        self._callers[call_id] = sip_call_id
        if len(self._callers) > MAX_CALLS:
            del self._callers[next(iter(self._callers))]

    def of(self, call_id: str) -> list[TracedMessage]:
        """The messages of all legs of a call, oldest first; those of the phones it rang bear its id in theirs."""
        caller = self._callers.get(call_id)
        if caller is None:
            return []
        names = [name.encode("utf-8", "surrogateescape") for name in (caller, call_id)]
        return [_shown(*kept) for kept in self._messages if any(name in kept[3] for name in names)]


def _shown(at: float, direction: str, flow: Flow, data: bytes) -> TracedMessage:
    host, port = flow.remote
    peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    text = _CREDENTIALS.sub(_MASKED, data).decode("utf-8", "replace")
    return TracedMessage(round(at, 3), direction, flow.transport, peer, text)
