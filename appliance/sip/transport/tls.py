"""TLS as a layer between a connection's octets and its messages, without a socket of its own.

RFC 3261 §26.3.1. Contexts (certificates, versions) come from whoever opens the transport.
"""

from __future__ import annotations

import ssl

__all__ = ["TlsLayer"]

CHUNK = 65_536
"Octets of plain text taken out at a time; no record holds more than 16,384."


class TlsLayer:
    """One connection's TLS. `ssl.SSLError` from any method means that the connection is lost."""

    def __init__(
        self, context: ssl.SSLContext, *, server_side: bool, server_hostname: str | None = None
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side, server_hostname)
        self.shaken = False
        "Whether the handshake is done."
        self._waiting = bytearray()
        self.ended = False
        "Whether the peer has said that it will send no more."
        if not server_side:
            self._shake()

    def receive(self, data: bytes) -> bytes:
        """Take octets from the wire; give the plain text in them, which may be nothing yet."""
        self._incoming.write(data)
        if not self.shaken and not self._shake():
            return b""
        plain = bytearray()
        try:
            while piece := self._tls.read(CHUNK):
                plain += piece
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        return bytes(plain)

    def send(self, plain: bytes) -> None:
        """Take plain text for the wire; it waits until both sides have shaken hands."""
        if self.shaken:
            self._tls.write(plain)
        else:
            self._waiting += plain

    @property
    def waiting(self) -> int:
        """Octets that wait for the handshake."""
        return len(self._waiting)

    def take(self) -> bytes:
        """The octets to put on the wire now."""
        return self._outgoing.read()

    def _shake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.shaken = True
        if self._waiting:
            self._tls.write(self._waiting)
            self._waiting.clear()
        return True
