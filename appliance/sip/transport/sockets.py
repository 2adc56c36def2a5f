"""The real transports: all listening sockets and connections, as the endpoint is given them.

RFC 3261 §18.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import anyio

from appliance.errors import LocalError
from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.guard import Guard
from appliance.sip.transport.listening import bind_sockets, family_of
from appliance.sip.transport.strangers import Strangers
from appliance.sip.transport.tcp import StreamListener
from appliance.sip.transport.udp import UdpTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from socket import AddressFamily

    from anyio.abc import TaskGroup

    from appliance.clock import Timers
    from appliance.sip.transport.connection import Connection, Web
    from appliance.sip.transport.flow import Address, Flow, Receiver
    from appliance.sip.transport.tls_contexts import TlsContexts

__all__ = ["SocketTransports"]

logger = logging.getLogger(__name__)

MAX_WAYS = 8
"Ways that lead over one connection: a proxy that stands for a few domains. It cannot fill our memory with them."
Way = tuple[str, "Address", str | None, str]
"""Transport, address, who the server there has proved to be (None where nobody asked), and by which certificate it
knows us (empty: the usual one)."""


class SocketTransports:
    """First `listen`, which fails at once if it must; then `run` as a task of its own."""

    def __init__(self, timers: Timers, guard: Guard | None = None) -> None:
        self.timers = timers
        self.guard = Guard() if guard is None else guard
        self.receiver: Receiver | None = None
        self._udp: list[UdpTransport] = []
        self._udp_by_family: defaultdict[AddressFamily, list[UdpTransport]] = defaultdict(list)
        self._listeners: list[StreamListener] = []
        self._connections: dict[int, Connection] = {}
        self._contexts: list[TlsContexts] = []
        self._strangers = Strangers()
        self._by_way: dict[Way, Connection] = {}
        self._ways: dict[int, list[Way]] = {}
        self._serial = count(1)
        self._tasks: TaskGroup | None = None

    def listen(
        self,
        transport: str,
        address: Address,
        contexts: TlsContexts | None = None,
        origins: Collection[str] = (),
    ) -> Address:
        """Bind `udp`, `tcp`, `tls`, `ws` or `wss` to an address of ours; `tls` and `wss` take contexts.

        `0.0.0.0` and `::` both mean all our addresses, of IPv4 and IPv6. `origins` are the web pages that may
        open WebSockets, such as `https://phone.example`, beside those of this machine itself.

        Gives the address with the port that it has, which for port 0 the kernel chose. PortInUseError when
        somebody listens there, CannotListenError when it is not ours to have.
        """
        if (transport in ("tls", "wss")) is not (contexts is not None):
            raise LocalError("TLS, and only TLS, takes contexts")
        socks = bind_sockets(transport, address)
        if transport == "udp":
            for sock in socks:
                udp = UdpTransport(sock, self.timers, self.guard)
                udp.receiver = self.receiver
                self._udp.append(udp)
                self._udp_by_family[sock.family].append(udp)
        else:
            if contexts is not None and contexts not in self._contexts:
                self._contexts.append(contexts)
            web = _web_framing(origins) if transport in ("ws", "wss") else None
            self._listeners += [StreamListener(transport, sock, self, contexts, web) for sock in socks]
        bound: Address = socks[0].getsockname()[:2]
        return bound

    @property
    def addresses(self) -> list[tuple[str, Address]]:
        """What is listened on."""
        bound = [("udp", udp.address) for udp in self._udp]
        return bound + [(listener.transport, listener.address) for listener in self._listeners]

    @property
    def connections(self) -> int:
        """How many connections stand or are being opened."""
        return len(self._connections)

    async def run(self) -> None:
        """Serve until cancelled; then close everything."""
        try:
            async with anyio.create_task_group() as self._tasks:
                for udp in self._udp:
                    self._tasks.start_soon(udp.run, name=f"udp {udp.address}")
                for contexts in self._contexts:
                    self._tasks.start_soon(contexts.watch, name="certificates")
                for listener in self._listeners:
                    self._tasks.start_soon(listener.run, name=f"{listener.transport} {listener.address}")
        finally:
            self._tasks = None
            self.close()

    def addresses_changed(self, gone: Collection[str]) -> None:
        """Our addresses are others: flows are looked up anew, and connections from those that are gone end at once."""
        for udp in self._udp:
            udp.forget_flows()
        for connection in [each for each in self._connections.values() if each.flow.local[0] in gone]:
            # Nobody would tell: what is sent over it is never answered. Whoever calls there opens another one.
            self._forget_ways(connection)
            connection.close()

    def close(self) -> None:
        """Close what listens. For who bound addresses and then did not run."""
        for udp in self._udp:
            udp.close()
        for listener in self._listeners:
            listener.close()

    # What the endpoint asks for.

    def attach(self, receiver: Receiver) -> None:
        """Give everything that arrives to `receiver` from now on."""
        self.receiver = receiver
        for udp in self._udp:
            udp.receiver = receiver

    def send(self, flow: Flow, data: bytes) -> None:
        """Send one message without waiting. TransportError when that is known to be in vain."""
        if flow.transport == "udp":
            self._udp_for(flow.remote, flow.local).send(flow.remote, data)
            return
        connection = self._connections.get(flow.connection)
        if connection is None:
            raise TransportError("the connection is gone")
        connection.send(data)

    def ping(self, flow: Flow, on_pong: Callable[[Address | None], None]) -> None:
        """Send a keep-alive. `on_pong` hears its answer, over UDP with our address as the peer sees it. TransportError."""
        if flow.transport == "udp":
            self._udp_for(flow.remote, flow.local).ping(flow.remote, on_pong)
            return
        connection = self._connections.get(flow.connection)
        if connection is None:
            raise TransportError("the connection is gone")
        connection.ping(partial(on_pong, None))

    def flow_to(
        self, transport: str, remote: Address, name: str | None = None, certificate: str = ""
    ) -> Flow:
        """A flow to that address. A connection that does not stand yet begins to open.

        Over TLS whoever is there must prove to be the domain `name` (RFC 5922), or without one that address; we
        show the certificate of that name, empty: the usual one.
        """
        if transport == "udp":
            return self._udp_for(remote).flow_to(remote)
        if transport != "tls":
            name, certificate = None, ""
        known = self._by_way.get((transport, remote, name, certificate))
        if known is not None:
            return known.flow
        family = family_of(remote[0])
        for listener in self._listeners:
            if listener.transport == transport and listener.family == family:
                return listener.connect(remote, name, certificate)
        raise TransportError(_unserved(transport, remote))

    def _udp_for(self, remote: Address, local: Address | None = None) -> UdpTransport:
        """The socket of the right family; among several, the one bound to our address in that flow."""
        family = family_of(remote[0])
        fitting = self._udp_by_family[family]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            raise TransportError(_unserved("udp", remote))
        return next((udp for udp in fitting if udp.address == local), fitting[0])

    # What listeners and connections ask for.

    def next_serial(self) -> int:
        """A number for a connection."""
        return next(self._serial)

    def adopt(
        self, connection: Connection, *, connecting: bool, name: str | None = None, certificate: str = ""
    ) -> bool:
        """Give a connection its task; False when there are too many."""
        flow = connection.flow
        if self._tasks is None or not self.guard.connected(flow.remote[0]):
            return False
        self._connections[flow.connection] = connection
        self._add_way(connection, (flow.transport, flow.remote, name, certificate))
        if not connecting:
            self._receive_stranger(connection)
        life = partial(connection.run, connecting=connecting)
        self._tasks.start_soon(life, name=f"{flow.transport} {flow.remote}")
        return True

    def _receive_stranger(self, connection: Connection) -> None:
        leaves = self._strangers.add(connection)
        if leaves is not None:
            if self.guard.warns(self.timers.now()):
                logger.warning("too many silent connections: one from %s is closed", leaves.flow.remote[0])
            leaves.close()

    def introduce(self, connection: Connection) -> None:
        """Its first message is here."""
        self._strangers.remove(connection)

    def alias(self, connection: Connection, remote: Address, name: str) -> None:
        """RFC 5923 §8.2: over this connection, too, whoever has proved to be `name` is reached at that address."""
        way = (connection.flow.transport, remote, name, "")
        if way not in self._by_way:
            self._add_way(connection, way)

    def _add_way(self, connection: Connection, way: Way) -> None:
        ways = self._ways.setdefault(connection.flow.connection, [])
        if len(ways) < MAX_WAYS:
            ways.append(way)
            self._by_way[way] = connection

    def forget(self, connection: Connection) -> None:
        """Its task has ended."""
        flow = connection.flow
        del self._connections[flow.connection]
        self._strangers.remove(connection)
        self._forget_ways(connection)
        self.guard.disconnected(flow.remote[0])

    def _forget_ways(self, connection: Connection) -> None:
        for way in self._ways.pop(connection.flow.connection, ()):
            if self._by_way.get(way) is connection:
                del self._by_way[way]


def _web_framing(origins: Collection[str]) -> Callable[[], Web]:
    # An exchange without WebSocket need not read what speaks it: a tenth of its time to start.
    from appliance.sip.transport.websocket import WebSocketFramer  # noqa: PLC0415

    return partial(WebSocketFramer, frozenset(origins))


def _unserved(transport: str, remote: Address) -> str:
    return f"nothing here serves {transport.upper()} to {remote[0]}"
