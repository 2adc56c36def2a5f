"""The real transports: all listening sockets and connections, as the endpoint is given them.

RFC 3261 §18.
"""

from __future__ import annotations

import logging
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import anyio

from appliance.errors import LocalError
from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.guard import Guard
from appliance.sip.transport.listening import bind_socket, family_of
from appliance.sip.transport.tcp import StreamListener
from appliance.sip.transport.udp import UdpTransport

if TYPE_CHECKING:
    import ssl

    from anyio.abc import TaskGroup

    from appliance.clock import Timers
    from appliance.sip.transport.connection import Connection
    from appliance.sip.transport.flow import Address, Flow, Receiver

__all__ = ["SocketTransports"]

logger = logging.getLogger(__name__)


class SocketTransports:
    """First `listen`, which fails at once if it must; then `run` as a task of its own."""

    def __init__(self, timers: Timers, guard: Guard | None = None) -> None:
        self.timers = timers
        self.guard = Guard() if guard is None else guard
        self.receiver: Receiver | None = None
        self._udp: list[UdpTransport] = []
        self._listeners: list[StreamListener] = []
        self._connections: dict[int, Connection] = {}
        self._by_remote: dict[tuple[str, Address], Connection] = {}
        self._serial = count(1)
        self._tasks: TaskGroup | None = None

    def listen(self, transport: str, address: Address, context: ssl.SSLContext | None = None) -> Address:
        """Bind `udp`, `tcp` or `tls` (which takes a server's context) to an address of ours.

        Gives the address with the port that it has, which for port 0 the kernel chose. PortInUseError when
        somebody listens there, CannotListenError when it is not ours to have.
        """
        if (transport == "tls") is not (context is not None):
            raise LocalError("TLS, and only TLS, takes a context")
        sock = bind_socket(transport, address)
        if transport == "udp":
            udp = UdpTransport(sock, self.timers, self.guard)
            udp.receiver = self.receiver
            self._udp.append(udp)
            return udp.address
        listener = StreamListener(transport, sock, self, context)
        self._listeners.append(listener)
        return listener.address

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
                for listener in self._listeners:
                    self._tasks.start_soon(listener.run, name=f"{listener.transport} {listener.address}")
        finally:
            self._tasks = None
            self.close()

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

    def flow_to(self, transport: str, remote: Address) -> Flow:
        """A flow to that address. A connection that does not stand yet begins to open."""
        if transport == "udp":
            return self._udp_for(remote).flow_to(remote)
        known = self._by_remote.get((transport, remote))
        if known is not None:
            return known.flow
        family = family_of(remote[0])
        for listener in self._listeners:
            if listener.transport == transport and listener.family == family:
                return listener.connect(remote)
        raise TransportError(_unserved(transport, remote))

    def _udp_for(self, remote: Address, local: Address | None = None) -> UdpTransport:
        """The socket of the right family; among several, the one bound to our address in that flow."""
        if len(self._udp) == 1 and ":" not in remote[0]:
            return self._udp[0]
        family = family_of(remote[0])
        fitting = [udp for udp in self._udp if udp.family == family]
        if not fitting:
            raise TransportError(_unserved("udp", remote))
        return next((udp for udp in fitting if udp.address == local), fitting[0])

    # What listeners and connections ask for.

    def next_serial(self) -> int:
        """A number for a connection."""
        return next(self._serial)

    def adopt(self, connection: Connection, *, connecting: bool) -> bool:
        """Give a connection its task; False when there are too many."""
        flow = connection.flow
        if self._tasks is None or not self.guard.connected(flow.remote[0]):
            return False
        self._connections[flow.connection] = connection
        self._by_remote[flow.transport, flow.remote] = connection
        life = partial(connection.run, connecting=connecting)
        self._tasks.start_soon(life, name=f"{flow.transport} {flow.remote}")
        return True

    def forget(self, connection: Connection) -> None:
        """Its task has ended."""
        flow = connection.flow
        del self._connections[flow.connection]
        if self._by_remote.get((flow.transport, flow.remote)) is connection:
            del self._by_remote[flow.transport, flow.remote]
        self.guard.disconnected(flow.remote[0])


def _unserved(transport: str, remote: Address) -> str:
    return f"nothing here serves {transport.upper()} to {remote[0]}"
