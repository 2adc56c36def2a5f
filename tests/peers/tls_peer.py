"""A server that speaks TLS with a certificate of its own, each connection the test's to use or to break."""

from __future__ import annotations

import socket
import ssl
from typing import Self

from tests.peers.authority import Authority
from tests.peers.sip_line import LIMIT_S, StreamLine

__all__ = ["TlsPeer"]


class TlsPeer:
    """Listens until it is closed. With `demands` it lets nobody in who shows no certificate of its authority."""

    def __init__(self, authority: Authority, host: str, *, demands: bool = False) -> None:
        pair = authority.certify("peer", addresses=[host])
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.certificate, pair.key)
        if demands:
            self.context.load_verify_locations(authority.file)
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server((host, 0))
        self.listener.settimeout(LIMIT_S)
        self.here = f"{host}:{self.listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def connected(self) -> socket.socket:
        """The exchange's next connection, before any word of TLS."""
        sock = self.listener.accept()[0]
        sock.settimeout(LIMIT_S)
        return sock

    def line(self) -> StreamLine:
        """The same, once TLS stands. ssl.SSLError when it does not come about."""
        return StreamLine.over(self.context.wrap_socket(self.connected(), server_side=True), "tls")
