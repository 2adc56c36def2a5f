"""SIP over WebSocket, as the server: the HTTP upgrade, then one message a WebSocket message.

RFC 7118 §4 (handshake), §5 (framing), §6 (keep-alive); RFC 6455 by wsproto, which does no I/O.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import ProtocolError, RemoteProtocolError

from appliance.sip.message import BadMessage, Keepalive, parse_message
from appliance.sip.message import Message as SipMessage

__all__ = ["WebSocketFramer"]

logger = logging.getLogger(__name__)

SUBPROTOCOL = "sip"
MAX_HANDSHAKE = 8_192
"Octets of the HTTP request: a browser's with all its cookies has some 2,000."
MAX_MESSAGE = 65_535
"Octets of one message: as much as a UDP datagram could bring, as everywhere."
MAX_PIECES = 1_024
"Pieces of one message, from fragments or from reads. Browsers send one; fragments may even be empty."

Item = SipMessage | Keepalive | BadMessage


class WebSocketFramer:
    """Cuts one connection's stream into messages, like StreamFramer. What is to be said back comes as a Keepalive."""

    def __init__(self, origins: frozenset[str] = frozenset()) -> None:
        self.shaken = False
        "Whether the handshake is done."
        self.lost = False
        "Whether the connection is to be closed, once what feed() gave is sent."
        self._origins = origins
        self._web = WSConnection(ConnectionType.SERVER)
        self._handshake_octets = 0
        self._pieces: list[bytes] = []
        self._octets = 0

    @property
    def pending(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._pieces)

    def feed(self, data: bytes) -> list[Item]:
        """Take the next octets and give what is complete, in order. Nothing more once the stream is lost."""
        found: list[Item] = []
        try:
            if not self.shaken:
                self._count_handshake(data)
            self._web.receive_data(data)
            for event in self._web.events():
                found += self._take(event)
                if self.lost:
                    break
        except RemoteProtocolError as error:
            found += self._refuse(error.event_hint)
        except (ProtocolError, ValueError) as error:
            # A Host or a path in octets that are none; whatever comes after a close.
            logger.info("WebSocket: %s", error)
            self.lost = True
        return found

    def wrap(self, data: bytes) -> bytes:
        """One SIP message as one WebSocket message: text, or binary where it is no UTF-8 (RFC 7118 §5)."""
        try:
            return self._web.send(TextMessage(data.decode()))
        except UnicodeDecodeError:
            return self._web.send(BytesMessage(data))

    def _count_handshake(self, data: bytes) -> None:
        self._handshake_octets += len(data)
        if self._handshake_octets > MAX_HANDSHAKE:
            msg = "more than a handshake"
            raise RemoteProtocolError(msg, RejectConnection(status_code=431))

    def _refuse(self, hint: Event | None) -> list[Item]:
        self.lost = True
        try:
            return [Keepalive(self._web.send(hint or RejectConnection()))]
        except ProtocolError:
            return []

    def _take(self, event: Event) -> list[Item]:
        match event:
            case Request():
                return [Keepalive(self._web.send(self._welcome(event)))]
            case TextMessage():
                return self._add(event.data.encode(), finished=event.message_finished)
            case BytesMessage():
                return self._add(bytes(event.data), finished=event.message_finished)
            case Ping():
                return [Keepalive(self._web.send(event.response()))]
            case CloseConnection():
                self.lost = True
                return [Keepalive(self._web.send(event.response()))]
            case _:
                return [Keepalive(b"")]  # a pong: counted like every message

    def _welcome(self, request: Request) -> Event:
        # RFC 7118 §4.1: both say `sip`, or there is no connection.
        if SUBPROTOCOL not in request.subprotocols:
            status = 400
        elif not self._welcomes(request):
            status = 403
        else:
            self.shaken = True
            return AcceptConnection(subprotocol=SUBPROTOCOL)
        self.lost = True
        return RejectConnection(status_code=status)

    def _welcomes(self, request: Request) -> bool:
        """RFC 6455 §10.2: a browser says which page wants the connection; others are no browsers and say nothing."""
        for name, value in request.extra_headers:
            if name == b"origin":
                origin = value.decode("ascii", "replace").lower()
                # A page of this very machine, such as the console's, may be on another port.
                return origin in self._origins or urlsplit(origin).hostname == _host_of(request)
        return True

    def _add(self, piece: bytes, *, finished: bool) -> list[Item]:
        self._pieces.append(piece)
        self._octets += len(piece)
        if self._octets > MAX_MESSAGE or len(self._pieces) > MAX_PIECES:
            self.lost = True
            return [Keepalive(self._web.send(CloseConnection(CloseReason.MESSAGE_TOO_BIG)))]
        if not finished:
            return []
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._octets = 0
        return [self._read(data)]

    def _read(self, data: bytes) -> Item:
        if not data.strip(b"\r\n"):
            # RFC 5626 §3.5.1 works here too (RFC 7118 §6): a ping, or a pong that needs no answer.
            return Keepalive(self.wrap(b"\r\n") if len(data) >= 4 else b"")
        try:
            return parse_message(data)
        except BadMessage as bad:
            return bad


def _host_of(request: Request) -> str | None:
    return urlsplit(f"//{request.host}").hostname
