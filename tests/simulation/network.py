"""An in-memory network: hosts with addresses, and weather that loses, doubles, delays and reorders datagrams.

It implements `Transports` of appliance/sip/transport/flow.py. Time is the Timers' and chance the Random's, so that
a run is told whole by its seed. TCP keeps order and loses nothing: what finds its hosts parted waits, and when it has
waited too long the connection breaks.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from appliance.clock import Timers
from appliance.sip.message import Keepalive, StreamFramer
from appliance.sip.transport.flow import Address, Flow, Receiver, TransportError

__all__ = ["FAIR", "Host", "Network", "Weather"]

TCP_PATIENCE = 15.0
"Seconds until a connection between parted hosts counts as broken."


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to a datagram."""

    loss: float = 0.0
    "The share that never arrives, 0 to 1."
    duplication: float = 0.0
    "The share that arrives twice."
    reordering: float = 0.0
    "The share that is held up by up to a second, and so overtaken."
    delay: tuple[float, float] = (0.001, 0.02)
    "The least and the longest time under way, in seconds."


FAIR = Weather()


@dataclass(slots=True)
class Connection:
    """One TCP connection: two ends, each known by its own serial number."""

    ends: dict[int, tuple[Host, Flow]] = field(default_factory=dict)
    framers: dict[int, StreamFramer] = field(default_factory=dict)
    arrives: dict[int, float] = field(default_factory=dict)
    "When the last octets on the way to an end arrive: the next ones must not overtake them."
    stalled: dict[int, list[bytes]] = field(default_factory=dict)
    "What waits before an end until its hosts are parted no more: TCP sends it again and again."

    def other(self, serial: int) -> int:
        return next(end for end in self.ends if end != serial)


class Network:
    """All hosts, and what lies between them."""

    def __init__(self, timers: Timers, random: random.Random, weather: Weather = FAIR) -> None:
        self.timers = timers
        self.random = random
        self.weather = weather
        self.sent = self.lost = 0
        "Datagrams, for a test that wants to know whether there was any weather."
        self.hosts: dict[Address, Host] = {}
        self.connections: dict[int, Connection] = {}
        self.serial = count(1)
        self._parted: set[frozenset[Host]] = set()

    def host(self, *addresses: Address) -> Host:
        """A new host that listens on these addresses, by UDP and TCP. The first one is its own in Via."""
        host = Host(self, addresses)
        for address in addresses:
            self.hosts[address] = host
        return host

    def part(self, one: Host, other: Host) -> None:
        """Let nothing through between two hosts."""
        self._parted.add(frozenset((one, other)))

    def heal(self, one: Host, other: Host) -> None:
        """Let everything through again, first what waits on their connections."""
        self._parted.discard(frozenset((one, other)))
        for end, link in list(self.connections.items()):
            if {host for host, _ in link.ends.values()} == {one, other}:
                for data in link.stalled.pop(end, ()):
                    self._hand_over(link, end, data)

    def remove(self, host: Host) -> None:
        """Take a host away, as a power cut does: silence from now on, no error."""
        host.powered = False
        self.hosts = {address: known for address, known in self.hosts.items() if known is not host}
        for serial in [serial for serial, link in self.connections.items() if link.ends[serial][0] is host]:
            link = self.connections[serial]
            self.timers.after(TCP_PATIENCE, lambda link=link: self.break_connection(link))  # type: ignore[misc]  # mypy cannot infer the default

    def reach(self, one: Host, other: Host) -> bool:
        """Whether anything gets from one to the other now."""
        return one.powered and other.powered and frozenset((one, other)) not in self._parted

    def carry(self, sender: Host, flow: Flow, data: bytes) -> None:
        """Take one datagram."""
        self.sent += 1
        if self.random.random() < self.weather.loss:
            self.lost += 1
            return
        self._deliver_later(sender, flow, data)
        if self.random.random() < self.weather.duplication:
            self._deliver_later(sender, flow, data)

    def _deliver_later(self, sender: Host, flow: Flow, data: bytes) -> None:
        delay = self.random.uniform(*self.weather.delay)
        if self.random.random() < self.weather.reordering:
            delay += self.random.random()
        self.timers.after(delay, lambda: self._deliver(sender, flow, data))

    def _deliver(self, sender: Host, flow: Flow, data: bytes) -> None:
        host = self.hosts.get(flow.remote)
        if host is not None and self.reach(sender, host):
            host.receiver.receive_datagram(data, Flow("udp", flow.remote, flow.local))

    def stream(self, flow: Flow, data: bytes) -> None:
        """Take octets for the other end of a connection."""
        link = self.connections.get(flow.connection)
        if link is None:
            raise TransportError("the connection is gone")
        end = link.other(flow.connection)
        now = self.timers.now()
        due = max(link.arrives.get(end, now), now + self.random.uniform(*self.weather.delay))
        link.arrives[end] = due
        self.timers.after(due - now, lambda: self._arrive(link, end, data))

    def _arrive(self, link: Connection, end: int, data: bytes) -> None:
        if end not in self.connections:
            return
        if end in link.stalled:
            link.stalled[end].append(data)
        elif self.reach(*(host for host, _ in link.ends.values())):
            self._hand_over(link, end, data)
        else:
            waiting = link.stalled[end] = [data]
            self.timers.after(TCP_PATIENCE, lambda: self._lose_patience(link, end, waiting))

    def _lose_patience(self, link: Connection, end: int, waiting: list[bytes]) -> None:
        if link.stalled.get(end) is waiting:
            self.break_connection(link)

    def _hand_over(self, link: Connection, end: int, data: bytes) -> None:
        host, flow = link.ends[end]
        for item in link.framers[end].feed(data):
            if not isinstance(item, Keepalive):
                host.receiver.receive_message(item, flow)

    def break_connection(self, link: Connection) -> None:
        """Both ends learn that their connection is gone."""
        for serial, (host, flow) in link.ends.items():
            if self.connections.pop(serial, None) is not None and host.powered:
                host.receiver.flow_failed(flow)


class Host:
    """One machine on the network, as the transports that its endpoint is given."""

    receiver: Receiver

    def __init__(self, network: Network, addresses: tuple[Address, ...]) -> None:
        self.network = network
        self.addresses = addresses
        self.powered = True
        self._ephemeral = count(40_000)
        self.watch: Callable[[bytes, Flow], None] | None = None
        "Sees what this host sends."

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def flow_to(
        self, transport: str, remote: Address, name: str | None = None, certificate: str = ""
    ) -> Flow:
        local = self.addresses[0]
        if transport == "udp":
            return Flow("udp", local, remote)
        for serial, link in self.network.connections.items():
            host, flow = link.ends[serial]
            if host is self and flow.remote == remote:
                return flow
        return self._connect(local, remote)

    def _connect(self, local: Address, remote: Address) -> Flow:
        network = self.network
        peer = network.hosts.get(remote)
        if peer is None or not network.reach(self, peer):
            raise TransportError("no way there")
        link = Connection()
        mine, theirs = next(network.serial), next(network.serial)
        link.ends[mine] = self, Flow("tcp", local, remote, mine)
        link.ends[theirs] = peer, Flow("tcp", remote, (local[0], next(self._ephemeral)), theirs)
        for serial in (mine, theirs):
            network.connections[serial] = link
            link.framers[serial] = StreamFramer()
        return link.ends[mine][1]

    def send(self, flow: Flow, data: bytes) -> None:
        if self.watch is not None:
            self.watch(data, flow)
        if flow.transport == "udp":
            self.network.carry(self, flow, data)
        else:
            self.network.stream(flow, data)

    def close(self, flow: Flow) -> None:
        """Close one connection: both ends learn of it."""
        self.network.break_connection(self.network.connections[flow.connection])
