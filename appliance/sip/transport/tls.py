"""TLS as a layer between a connection's octets and its messages, without a socket of its own.

RFC 3261 §26.3.1; RFC 5922 §7.3 (whom a server must prove to be). Contexts: see `tls_contexts.py`.
"""

from __future__ import annotations

import ssl
from ipaddress import ip_address

from appliance.sip.transport.certified_name import certified_names, certifies
from appliance.sip.transport.flow import TransportError

__all__ = ["TlsLayer"]

CHUNK = 65_536
"Octets of plain text taken out at a time; no record holds more than 16,384."


class TlsLayer:
    """One connection's TLS. `ssl.SSLError` or TransportError from any method: the connection is lost."""

    def __init__(self, context: ssl.SSLContext, name: str | None = None) -> None:
        """With a `name` we are the client, and that is the domain or IP address the server must prove to be."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        asked = (
            None if name is None or _is_address(name) else name
        )  # RFC 6066 §3: no address is a server name
        self._tls = context.wrap_bio(self._incoming, self._outgoing, name is None, asked)
        self._name = name
        self.shaken = False
        "Whether the handshake is done."
        self._waiting = bytearray()
        self.ended = False
        "Whether the peer has said that it will send no more."
        if name is not None:
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
    def peer_names(self) -> frozenset[str]:
        """The domains that the peer's certificate proves; none when it has shown none."""
        certificate = self._tls.getpeercert() if self.shaken else None
        return certified_names(certificate) if certificate else frozenset()

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
        if self._name is not None and not certifies(self._tls.getpeercert() or {}, self._name):
            msg = f"the certificate does not speak for {self._name}"
            raise TransportError(msg)
        self.shaken = True
        if self._waiting:
            self._tls.write(self._waiting)
            self._waiting.clear()
        return True


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
