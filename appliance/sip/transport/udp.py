"""UDP: datagrams are read in batches and sent at once.

RFC 3261 §18.1, §18.2, §18.4 (ICMP errors).
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from collections import deque
from secrets import token_bytes
from typing import TYPE_CHECKING, cast

import anyio

from appliance.sip.transport.answer import answerable
from appliance.sip.transport.flow import Address, Flow, TransportError
from appliance.sip.transport.listening import IP_RECVERR, IPV6_RECVERR, local_host_toward
from appliance.sip.transport.stun import TRANSACTION_OCTETS, answer_stun, make_stun, read_stun

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.clock import Timers
    from appliance.sip.transport.flow import Receiver
    from appliance.sip.transport.guard import Guard

__all__ = ["UdpTransport"]

logger = logging.getLogger(__name__)

BATCH = 128
"Datagrams read before timers and other sockets get their turn: at 40 µs each some 5 ms."
GATHER = 0.003
"""Seconds after one datagram in which others are let come, to be read together: being woken for each costs as much
as answering it. No caller hears it."""
GATHER_MANY = 0.010
"The same when several came together: then many are under way. At 5,000 a second 50 wait, of some 100 that the kernel keeps."
MAX_DATAGRAM = 65_535
MAX_QUEUED = 1_000
"Datagrams that wait for room in the kernel's send buffer; more are lost, as UDP may. 1 MB of usual messages."
MAX_FLOWS = 8_192
"Peers whose flow is remembered, some 300 octets each. When there are more, all are looked up anew."
MAX_PINGS = 1_024
"Keep-alives of ours whose answer is awaited; the oldest has been given up by then."
FLOW_AGE = 30.0
"Seconds until flows are looked up anew, for our own address may have changed (DHCP)."
SHORTEST = 16
"Octets below which a datagram is a keep-alive or noise: `A b SIP/2.0` alone takes 11, and headers must follow."
_ICMP_ORIGINS = (2, 3)  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6 of <linux/errqueue.h>
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
# §18.4: host, network, port or protocol unreachable.
_UNREACHABLE = frozenset(
    {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENOPROTOOPT, errno.EHOSTDOWN}
)


class UdpTransport:
    """One bound UDP socket."""

    def __init__(self, sock: socket.socket, timers: Timers, guard: Guard) -> None:
        self.address: Address = sock.getsockname()[:2]
        "Where it is bound: the host may be 0.0.0.0 or ::."
        self.family = sock.family
        self.receiver: Receiver | None = None
        self._sock = sock
        self._timers = timers
        self._guard = guard
        self._wildcard = self.address[0] in ("0.0.0.0", "::")  # compared, not bound
        self._flows: dict[Address, Flow] = {}
        self._flows_since = 0.0
        self._pings: dict[bytes, tuple[Address, Callable[[Address], None]]] = {}
        self._queue: deque[tuple[bytes, Address]] = deque(maxlen=MAX_QUEUED)
        self._queued = anyio.Event()

    async def run(self) -> None:
        """Read and write for ever."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, name=f"udp {self.address} writer")
            while True:
                await anyio.wait_readable(self._sock)
                # Where one came, more are under way: until none has, looking is cheaper than being woken.
                while count := self._read_safely():  # noqa: ASYNC110  # what is under way, no event tells
                    await anyio.sleep(_pause(count))

    def _read_safely(self) -> int:
        try:
            return self._read_batch()
        except Exception:
            logger.exception("reading from %s failed", self.address)
            return 0

    def close(self) -> None:
        self._sock.close()

    def flow_to(self, remote: Address) -> Flow:
        """The flow to a peer. TransportError when there is no way, or nothing may be sent there."""
        flow = self._flows.get(remote)
        return self._new_flow(remote) if flow is None else flow

    def _new_flow(self, remote: Address) -> Flow:
        if not answerable(remote):
            msg = f"nothing may be sent to {remote[0]} port {remote[1]}"
            raise TransportError(msg)
        host, port = self.address
        local = (local_host_toward(remote), port) if self._wildcard else (host, port)
        if len(self._flows) >= MAX_FLOWS:
            self._flows.clear()
        flow = self._flows[remote] = Flow("udp", local, remote)
        return flow

    def forget_flows(self) -> None:
        """Our addresses have changed: each flow is looked up anew."""
        self._flows.clear()

    # Reading.

    def _read_batch(self) -> int:
        """Take what is there; gives how many datagrams it was, BATCH when there may be more."""
        now = self._timers.now()
        if now - self._flows_since > FLOW_AGE:
            self._flows.clear()
            self._flows_since = now
        recvfrom = self._sock.recvfrom
        for number in range(BATCH):
            try:
                data, address = recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                if number == 0:  # nothing to read: an error may wait
                    self._read_errors()
                return number
            except OSError:
                self._read_errors()
                continue
            remote = address[:2]
            if len(data) >= SHORTEST and self._guard.admits(remote[0], now):
                self._receive(data, remote)
        return BATCH

    def _receive(self, data: bytes, remote: Address) -> None:
        try:
            flow = self._flows.get(remote) or self._new_flow(remote)
        except TransportError as error:
            logger.debug("dropped a datagram: %s", error)
            return
        if data[0] < 2:  # no SIP message begins so
            self._keep_alive(data, remote)
        elif self.receiver is not None:
            self.receiver.receive_datagram(data, flow)

    def _keep_alive(self, data: bytes, remote: Address) -> None:
        if data[0] == 1:
            self._take_pong(data, remote)
            return
        answer = answer_stun(data, remote)
        if answer is not None:
            try:
                self.send(remote, answer)
            except TransportError as error:
                logger.debug("a keep-alive from %s: %s", remote[0], error)

    def _take_pong(self, data: bytes, remote: Address) -> None:
        pong = read_stun(data)
        asked, on_pong = self._pings.get(pong[0] if pong is not None else b"", (None, None))
        if pong is not None and on_pong is not None and asked == remote:
            del self._pings[pong[0]]
            on_pong(pong[1])

    def ping(self, remote: Address, on_pong: Callable[[Address], None]) -> None:
        """Send a keep-alive; `on_pong` gets our address as the peer sees it, if it answers. TransportError."""
        transaction = token_bytes(TRANSACTION_OCTETS)
        if len(self._pings) >= MAX_PINGS:
            del self._pings[next(iter(self._pings))]
        self._pings[transaction] = remote, on_pong
        self.send(remote, make_stun(transaction))

    def _read_errors(self) -> None:
        """Tell the endpoint whom ICMP errors were about, each peer once."""
        unreachable = set[Address]()
        for _ in range(BATCH):
            try:
                _, notes, _, address = self._sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except OSError:
                break
            if any(_says_unreachable(*note) for note in notes):
                unreachable.add(cast("Address", address[:2]))
        for remote in unreachable:
            # The peer may be one we never heard of: a contact that another phone's REGISTER named.
            if self.receiver is not None:
                self.receiver.flow_failed(self._flows.get(remote) or Flow("udp", self.address, remote))

    # Writing.

    def send(self, remote: Address, data: bytes) -> None:
        """Send now, or as soon as the kernel has room. TransportError when it never will."""
        if self._queue:
            self._enqueue(data, remote)
            return
        try:
            self._sock.sendto(data, remote)
        except BlockingIOError:
            self._enqueue(data, remote)
        except OSError:
            self._send_again(remote, data)

    def _send_again(self, remote: Address, data: bytes) -> None:
        # The error may be an ICMP error about another peer, which is told once, to whoever sends next.
        try:
            self._sock.sendto(data, remote)
        except BlockingIOError:
            self._enqueue(data, remote)
        except OSError as error:
            msg = f"cannot send to {remote[0]} port {remote[1]}: {error.strerror}"
            raise TransportError(msg) from error

    def _enqueue(self, data: bytes, remote: Address) -> None:
        self._queue.append((data, remote))
        self._queued.set()

    async def _write(self) -> None:
        while True:
            await self._queued.wait()
            await anyio.wait_writable(self._sock)
            self._flush()

    def _flush(self) -> None:
        while self._queue:
            data, remote = self._queue[0]
            try:
                self._sock.sendto(data, remote)
            except BlockingIOError:
                return
            except OSError as error:
                logger.info("a datagram to %s is lost: %s", remote, error)
            self._queue.popleft()
        self._queued = anyio.Event()


def _pause(count: int) -> float:
    """Seconds to wait after a batch of so many."""
    if count >= BATCH:
        return 0
    return GATHER if count == 1 else GATHER_MANY


def _says_unreachable(level: int, kind: int, data: bytes) -> bool:
    if (level, kind) not in ((socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)):
        return False
    number, origin, *_ = _EXTENDED_ERROR.unpack_from(data)
    return origin in _ICMP_ORIGINS and number in _UNREACHABLE
