"""The media relay: the ports of all calls, and the one task that polls them.

RFC 3550 (what is relayed), RFC 7362 (why sources are checked). Packets pass as they are.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

import anyio

from appliance.media.leg import LegMedia, StreamPair
from appliance.media.player import Players
from appliance.media.ports import DatagramSocket, Ports, open_datagram_socket
from appliance.media.stream import Carries, Stream

if TYPE_CHECKING:
    from random import Random

    from appliance.clock import Timers
    from appliance.media.ports import OpenSocket

__all__ = ["Relay"]

MAX_DATAGRAM = 2048  # above any MTU that RTP is made for; a longer datagram is cut and of no use to anybody
SOCKETS_PER_ROUND = 64  # each gives one packet a round, so that no flood keeps the others waiting
ROUNDS_PER_WAKE_UP = 4  # 256 packets are about 3 ms; then SIP has its turn


class Relay:
    """One a process: owns the port range and the task that polls all sockets."""

    def __init__(
        self,
        ports: tuple[int, int],
        timers: Timers,
        random: Random,
        open_socket: OpenSocket = open_datagram_socket,
    ) -> None:
        """`ports` are the lowest and the highest UDP port to use; `open_socket` is the simulation's to replace."""
        self._timers = timers
        self._random = random
        self._ports = Ports(*ports, random, timers.now, open_socket)
        self._own: set[Any] = set()
        self._polled: dict[int, Stream] = {}
        self._epoll: select.epoll | None = None
        self.players = Players(timers, random)
        "They play without `run`, too, which merely makes it cheaper."

    @property
    def open_ports(self) -> int:
        """How many UDP ports are open: what tests and the simulation check for leaks."""
        return self._ports.in_use

    def open_leg(self, local_host: str, peer_host: str) -> LegMedia:
        """Ports on `local_host` for a leg whose signalling comes from `peer_host`; both are IP addresses.

        PeerError 503 when no port is left.
        """
        # RFC 8866 §5.2: numeric; 31 bits because some phones read it into an int.
        session_id = self._random.randrange(1, 2**31)
        return LegMedia(self, local_host, peer_host.partition("%")[0], session_id)

    def join(self, a: LegMedia, b: LegMedia) -> None:
        """Let what comes in at `a` go out at `b`, and the other way. Former partners are parted."""
        a.link(b)

    def part(self, a: LegMedia) -> None:
        """Let nothing through between `a` and its partner any more."""
        a.unlink()

    async def run(self) -> None:
        """Relay packets, and pace players, for ever. Without this task everything but the packets works."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.players.run, name="players")
            await self._relay()

    async def _relay(self) -> None:
        self._epoll = select.epoll()
        try:
            for fd in self._polled:
                self._epoll.register(fd, select.EPOLLIN)
            while True:
                await anyio.wait_readable(self._epoll.fileno())
                self._drain(self._epoll)
        finally:
            self._epoll.close()
            self._epoll = None

    def _drain(self, epoll: select.epoll) -> None:
        now = self._timers.now()
        for _ in range(ROUNDS_PER_WAKE_UP):
            ready = epoll.poll(0, SOCKETS_PER_ROUND)
            if not ready:
                return
            for fd, _ in ready:
                stream = self._polled[fd]
                try:
                    data, source = stream.recvfrom(MAX_DATAGRAM)
                except OSError:  # nothing there after all, or an ICMP error of an earlier packet
                    continue
                stream.receive(data, source, now)

    # What a leg asks for (leg.Streams).

    def open_pair(self, local_host: str, hosts: frozenset[str]) -> StreamPair:
        reserved = self._ports.reserve(local_host)
        self._own |= {(local_host, reserved.ports.rtp), (local_host, reserved.ports.rtcp)}
        return StreamPair(
            reserved,
            self._poll(reserved.rtp, Carries.RTP, hosts),
            self._poll(reserved.rtcp, Carries.RTCP, hosts),
        )

    def close_pair(self, local_host: str, pair: StreamPair) -> None:
        for socket in (pair.reserved.rtp, pair.reserved.rtcp):
            self._polled.pop(socket.fileno(), None)  # closed below, and so the kernel polls it no more
        ports = pair.reserved.ports
        self._own -= {(local_host, ports.rtp), (local_host, ports.rtcp)}
        self._ports.release(pair.reserved)

    def is_own(self, address: tuple[str, int]) -> bool:
        return address in self._own

    def _poll(self, socket: DatagramSocket, carries: Carries, hosts: frozenset[str]) -> Stream:
        stream = Stream(socket, carries, hosts, self._own)
        fd = socket.fileno()
        if fd >= 0:
            self._polled[fd] = stream
            if self._epoll is not None:
                self._epoll.register(fd, select.EPOLLIN)
        return stream
