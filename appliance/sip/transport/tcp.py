"""A listening stream socket (TCP, TLS, WebSocket): it accepts connections, and opens those of the same kind.

RFC 3261 §18.1, §18.2. The connections themselves are in `connection.py`.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Protocol

import anyio

from appliance.sip.transport.answer import answerable
from appliance.sip.transport.connection import Connection
from appliance.sip.transport.flow import Flow, TransportError
from appliance.sip.transport.listening import local_host_toward
from appliance.sip.transport.tls import TlsLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.transport.connection import Owner, Web
    from appliance.sip.transport.flow import Address
    from appliance.sip.transport.tls_contexts import TlsContexts

    class Hub(Owner, Protocol):
        """What a listener asks of the transports it belongs to."""

        def next_serial(self) -> int: ...
        def adopt(
            self, connection: Connection, *, connecting: bool, name: str | None = None, certificate: str = ""
        ) -> bool: ...


__all__ = ["StreamListener"]

logger = logging.getLogger(__name__)

BATCH = 32
"Connections accepted before others get their turn."
SILENCE_MS = 20_000
"""Milliseconds for which a peer's kernel may leave unacknowledged what we sent. A connection that died without a word is
gone before the transaction on it is (timer F, 32 s), so that the next try opens another one."""
PAUSE = 1.0
"Seconds to wait when the process has no file left for a connection."


class StreamListener:
    """One listening socket. With `contexts` it speaks TLS; with `web`, which makes a framing, WebSocket."""

    def __init__(
        self,
        transport: str,
        sock: socket.socket,
        hub: Hub,
        contexts: TlsContexts | None = None,
        web: Callable[[], Web] | None = None,
    ) -> None:
        self.transport = transport
        self.address: Address = sock.getsockname()[:2]
        self.family = sock.family
        self._sock = sock
        self._hub = hub
        self._contexts = contexts
        self._web = web

    async def run(self) -> None:
        """Accept for ever."""
        while True:
            await anyio.wait_readable(self._sock)
            if not self._accept_safely():
                await anyio.sleep(PAUSE)

    def close(self) -> None:
        self._sock.close()

    def connect(self, remote: Address, name: str | None = None, certificate: str = "") -> Flow:
        """Begin to open a connection to whoever must prove to be `name`, and is shown the certificate of that name.

        TransportError when there is no way.
        """
        tls = self._client_layer(remote, name, certificate)
        if not answerable(remote):
            msg = f"nothing may be sent to {remote[0]} port {remote[1]}"
            raise TransportError(msg)
        # §18.1.1: Via and Contact name the port we listen on, not the one this connection happens to have.
        flow = Flow(self.transport, self._local_toward(remote), remote, self._hub.next_serial())
        sock = socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            sock.connect(remote)
        except BlockingIOError:
            pass
        except OSError as error:
            sock.close()
            msg = f"cannot connect to {remote[0]} port {remote[1]}: {error.strerror}"
            raise TransportError(msg) from error
        _prepare(sock)
        connection = Connection(self._hub, sock, flow, tls)
        if not self._hub.adopt(connection, connecting=True, name=name, certificate=certificate):
            sock.close()
            raise TransportError("too many connections")
        return flow

    def _client_layer(self, remote: Address, name: str | None, certificate: str) -> TlsLayer | None:
        if self._web is not None:
            # RFC 7118 §3: it is browsers that open these, and nobody can call one.
            msg = f"the WebSocket connection from {remote[0]} is gone"
            raise TransportError(msg)
        if self._contexts is None:
            return None
        # RFC 5922 §7.4: without a domain to be, a server must prove to be that address.
        return TlsLayer(self._contexts.client_as(certificate), name or remote[0])

    def _local_toward(self, remote: Address) -> Address:
        host, port = self.address
        wildcard = host in ("0.0.0.0", "::")  # compared, not bound
        return (local_host_toward(remote) if wildcard else host), port

    def _accept_safely(self) -> bool:
        try:
            return self._accept_batch()
        except Exception:
            # A defect that one connection shows must not keep all others out.
            logger.exception("accepting on %s failed", self.address)
            return False

    def _accept_batch(self) -> bool:
        """Accept what waits; False when there is no file left for it."""
        for _ in range(BATCH):
            try:
                sock, address = self._sock.accept()
            except BlockingIOError:
                return True
            except ConnectionError:
                continue  # gone before we came to it
            except OSError as error:
                logger.warning("cannot accept connections: %s", error)
                return False
            self._welcome(sock, address[:2])
        return True

    def _welcome(self, sock: socket.socket, remote: Address) -> None:
        try:
            _prepare(sock)
            local = sock.getsockname()[0], self.address[1]
        except OSError:
            sock.close()
            return
        flow = Flow(self.transport, local, remote, self._hub.next_serial())
        tls = None if self._contexts is None else TlsLayer(self._contexts.server)
        web = None if self._web is None else self._web()
        if not self._hub.adopt(Connection(self._hub, sock, flow, tls, web), connecting=False):
            if self._hub.guard.warns(self._hub.timers.now()):
                logger.warning("too many connections: one from %s is closed", remote[0])
            sock.close()


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    # Messages are written whole: waiting for more to send with them would only delay them.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_MS)
