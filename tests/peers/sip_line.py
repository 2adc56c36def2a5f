"""One socket of a telephone's: SIP messages over UDP, TCP or TLS, on IPv4 or IPv6. It repeats nothing by itself.

RFC 3261 §18; a datagram that is one more copy of an earlier one is passed over, for loopback loses nothing.
"""

from __future__ import annotations

import socket
import ssl
from collections import Counter, deque
from typing import Self

from appliance.sip.message import BadMessage, Keepalive, Message, StreamFramer, parse_message

__all__ = ["LIMIT_S", "DatagramLine", "Line", "StreamLine"]

LIMIT_S = 15.0
"Seconds that anything may take on a busy machine; what must not take so long is no matter of a line."
READ_SIZE = 65_536


class Line:
    """One socket, connected or bound; `transport` as in a Via, in lower case."""

    def __init__(self, transport: str, sock: socket.socket) -> None:
        self.transport = transport
        self.sock = sock
        self.sock.settimeout(LIMIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> tuple[str, int]:
        """Our own host and port."""
        host, port = self.sock.getsockname()[:2]
        return host, port

    def send(self, data: bytes) -> None:
        raise NotImplementedError

    def receive(self) -> Message:
        """The next message; AssertionError when none comes."""
        raise NotImplementedError

    def close(self) -> None:
        """Let it vanish."""
        self.sock.close()


class DatagramLine(Line):
    """UDP. `copies` counts each datagram that came."""

    def __init__(self, server: tuple[str, int], host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__("udp", socket.socket(family, socket.SOCK_DGRAM))
        self.sock.bind((host, 0))
        self.server = server
        self.copies: Counter[bytes] = Counter()

    def send(self, data: bytes) -> None:
        self.sock.sendto(data, self.server)

    def receive(self) -> Message:
        while True:
            try:
                data = self.sock.recv(READ_SIZE)
            except TimeoutError:
                msg = f"nothing came to {self.address}"
                raise AssertionError(msg) from None
            self.copies[data] += 1
            if self.copies[data] == 1:
                return parse_message(data)


class StreamLine(Line):
    """A connection of TCP, or of TLS with a `context`."""

    def __init__(
        self,
        server: tuple[str, int],
        host: str,
        context: ssl.SSLContext | None = None,
        name: str = "localhost",
    ) -> None:
        sock = socket.create_connection(server, LIMIT_S, source_address=(host, 0))
        if context is not None:
            sock = context.wrap_socket(sock, server_hostname=name)
        self._begin("tcp" if context is None else "tls", sock)

    @classmethod
    def accepted(cls, listener: socket.socket) -> Self:
        """The next connection that the exchange opens, over TCP."""
        listener.settimeout(LIMIT_S)
        return cls.over(listener.accept()[0], "tcp")

    @classmethod
    def over(cls, sock: socket.socket, transport: str) -> Self:
        """A connection that stands, with its TLS if it has any."""
        line = cls.__new__(cls)
        line._begin(transport, sock)
        return line

    def _begin(self, transport: str, sock: socket.socket) -> None:
        super().__init__(transport, sock)
        self._framer = StreamFramer()
        self._messages: deque[Message] = deque()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def receive(self) -> Message:
        while not self._messages:
            try:
                data = self.sock.recv(READ_SIZE)
            except TimeoutError:
                msg = f"nothing came to {self.address}"
                raise AssertionError(msg) from None
            assert data, f"the exchange has closed the connection of {self.address}"
            for item in self._framer.feed(data):
                assert not isinstance(item, BadMessage), f"the exchange sent nonsense: {item}"
                if not isinstance(item, Keepalive):
                    self._messages.append(item)
        return self._messages.popleft()
