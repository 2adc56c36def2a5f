"""Messages out of a byte stream: any split of it gives the same messages.

RFC 3261 §7.5, §18.3; RFC 5626 §3.5.1 and §4.4.1 for the keep-alives.
"""

from __future__ import annotations

import msgspec

from appliance.errors import PeerError
from appliance.sip.message.limits import MAX_BODY, MAX_HEAD
from appliance.sip.message.message import BadMessage, Message
from appliance.sip.message.parse import Head

__all__ = ["Keepalive", "StreamFramer"]


LONGEST_METHOD = 32
"Octets in which the method of a request that is too large is looked for; SUBSCRIBE is the longest that there is."


class Keepalive(msgspec.Struct, frozen=True, gc=False):
    """A CRLF between messages. Two of them are a ping, one alone is a pong (RFC 5626 §3.5.1)."""

    answer: bytes
    "What to send back: CRLF for the second half of a ping, else nothing."
    pong: bool = False
    "Whether it answers a ping of ours."


class StreamFramer:
    """Cuts one connection's stream into messages. Feed it and take what comes."""

    __slots__ = ("_buffer", "_crlfs", "_head", "_length", "_pings", "_searched", "lost")

    def __init__(self) -> None:
        self.lost = False
        "Whether nobody can say any more where the next message begins. Answer what came, then close."
        self._buffer = bytearray()
        self._crlfs = 0
        self._pings = 0
        self._searched = 0
        self._head: Head | None = None
        self._length = 0

    @property
    def pending(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._head is not None or bool(self._buffer)

    def pinged(self) -> None:
        """A ping of ours goes out: the next CRLF that begins no ping of the peer's is its pong."""
        self._pings += 1

    def feed(self, data: bytes) -> list[Message | Keepalive | BadMessage]:
        """Take the next octets and give what is complete, in order. Nothing more once the stream is lost."""
        self._buffer += data
        found: list[Message | Keepalive | BadMessage] = []
        while not self.lost:
            item = self._next()
            if item is None:
                break
            found.append(item)
        if self.lost:
            self._buffer.clear()
        return found

    def _next(self) -> Message | Keepalive | BadMessage | None:
        if self._head is not None:
            return self._take_body(self._head)
        if self._buffer.startswith(b"\r"):
            return self._take_crlf()
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if max(end, 0) > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD + 4):
            return self._give_up(BadMessage(513, "Message Too Large", method=self._method()))
        if end < 0:
            return None
        return self._take_head(end)

    def _take_crlf(self) -> Keepalive | BadMessage | None:
        if len(self._buffer) < 2:
            return None
        if self._buffer[1] != ord("\n"):
            return self._give_up(BadMessage(400, "Stray CR or LF"))
        del self._buffer[:2]
        self._searched = 0
        if self._pings and not self._crlfs:
            self._pings -= 1
            return Keepalive(b"", pong=True)
        self._crlfs = (self._crlfs + 1) % 2
        return Keepalive(b"" if self._crlfs else b"\r\n")

    def _take_head(self, end: int) -> Message | BadMessage | None:
        head = Head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        self._searched = self._crlfs = 0
        try:
            length = head.content_length()
            # §20.14: on a stream the peer must say. Of those that do not, most have no body; what follows a
            # body nobody announced is no message, and ends the stream.
            length = length or 0
            if length > MAX_BODY:
                raise PeerError(513, "Message Too Large")
        except PeerError as error:
            head.blame(error)
            self.lost = True
            return _read(head, b"")
        self._head, self._length = head, length
        return self._take_body(head)

    def _take_body(self, head: Head) -> Message | BadMessage | None:
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._head = None
        item = _read(head, body)
        # What does not even look like SIP is another protocol, and its lengths are not ours.
        self.lost = isinstance(item, BadMessage) and "SIP/" not in head.start_line.upper()
        return item

    def _method(self) -> str:
        """Of a request that has not ended."""
        method, blank, _ = bytes(self._buffer[:LONGEST_METHOD]).partition(b" ")
        return method.decode("latin-1") if blank else ""

    def _give_up(self, why: BadMessage) -> BadMessage:
        self.lost = True
        return why


def _read(head: Head, body: bytes) -> Message | BadMessage:
    try:
        return head.message(body)
    except BadMessage as bad:
        return bad
