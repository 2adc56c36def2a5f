"""appliance/sip/transport/keep_alive.py, on time turned by hand and on loopback sockets: RFC 5626 §4.4."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from appliance.sip.transport.flow import Address, Flow, TransportError
from appliance.sip.transport.keep_alive import KeepAlive
from tests.conftest import REAL_SOCKETS
from tests.sip.transport.exchange import exchange
from tests.sip.wire import TCP, UDP, HandTimers


class Hand:
    """Pings wait here until a test answers them."""

    def __init__(self, flow: Flow) -> None:
        self.timers = HandTimers()
        self.pings: list[Callable[[Address | None], None]] = []
        self.failures = 0
        self.broken = False
        self.kept = KeepAlive(self.timers, random.Random(1), self, flow, self.failed)

    def ping(self, flow: Flow, on_pong: Callable[[Address | None], None]) -> None:
        if self.broken:
            raise TransportError("gone")
        self.pings.append(on_pong)

    def failed(self) -> None:
        self.failures += 1

    def pong(self, address: Address | None = None) -> None:
        self.pings.pop()(address)
        self.pings.clear()

    def next_ping(self) -> float:
        """Seconds until the next one."""
        before = self.timers.time
        while not self.pings and self.timers.time - before < 1000:
            self.timers.wait(0.5)
        return self.timers.time - before


@pytest.mark.parametrize(
    ("flow", "seconds", "soonest", "latest"), [(TCP, None, 96, 120), (UDP, None, 23.2, 29), (TCP, 60, 48, 60)]
)
def test_how_often(flow: Flow, seconds: float | None, soonest: float, latest: float) -> None:
    hand = Hand(flow)
    hand.kept.start(seconds)
    pauses = []
    for _ in range(20):
        pauses.append(hand.next_ping())
        hand.pong()
    assert soonest <= min(pauses) < max(pauses) <= latest + 0.5
    assert len(set(pauses)) > 5
    assert hand.failures == 0
    hand.kept.stop()
    hand.timers.wait(300)
    assert (hand.pings, len(hand.timers.heap)) == ([], 0)


def test_a_connection_without_an_answer_has_failed_after_ten_seconds() -> None:
    hand = Hand(TCP)
    hand.kept.start()
    hand.next_ping()
    hand.timers.wait(9)
    assert (hand.failures, len(hand.pings)) == (0, 1)
    hand.timers.wait(1)
    assert (hand.failures, len(hand.timers.heap)) == (1, 0)
    hand.pong()  # too late
    assert (hand.failures, len(hand.timers.heap)) == (1, 0)


def test_over_udp_one_may_be_lost() -> None:
    hand = Hand(UDP)
    hand.kept.start()
    hand.next_ping()
    hand.timers.wait(3.5)
    assert len(hand.pings) == 4
    hand.pong(("198.51.100.1", 5060))
    hand.timers.wait(20)
    assert (hand.failures, hand.pings) == (0, [])
    hand.next_ping()
    hand.timers.wait(10)
    assert (hand.failures, len(hand.pings), len(hand.timers.heap)) == (1, 5, 0)


def test_another_address_is_another_flow() -> None:
    hand = Hand(UDP)
    hand.kept.start()
    for port in (40_000, 40_000, 40_001):
        assert hand.failures == 0
        hand.next_ping()
        hand.pong(("198.51.100.1", port))
    assert (hand.failures, len(hand.timers.heap)) == (1, 0)


def test_a_connection_that_is_gone() -> None:
    hand = Hand(TCP)
    hand.broken = True
    hand.kept.start()
    hand.timers.wait(120)
    assert (hand.failures, len(hand.timers.heap)) == (1, 0)


# On sockets.


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


class Pongs(list[Address | None]):
    async def wait(self, count: int) -> None:
        with anyio.fail_after(5):
            while len(self) < count:
                await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_two_exchanges_keep_a_flow_over_udp(host: str) -> None:
    pongs = Pongs()
    async with exchange(host) as one, exchange(host) as other:
        flow = one.transports.flow_to("udp", other.udp)
        for _ in range(2):
            one.transports.ping(flow, pongs.append)
        await pongs.wait(2)
    assert pongs == [one.udp, one.udp]


async def test_a_pong_of_somebody_else_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pongs = Pongs()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        async with exchange() as it:
            it.transports.ping(it.transports.flow_to("udp", peer.getsockname()), pongs.append)
            request = await anyio.to_thread.run_sync(peer.recv, 100)
            mapped = bytes.fromhex("0020000800018d1b5e12a443")
            success = b"\1\1\0\x0c" + request[4:] + mapped
            for sock, data in (
                (stranger, success),
                (peer, success[:4] + bytes(16) + mapped),
                (peer, b"\1\1" + bytes(30)),
                (peer, b"\1"),
                (peer, success),
                (peer, success),
            ):
                sock.sendto(data, it.udp)
            await pongs.wait(1)
            await anyio.wait_all_tasks_blocked()
    assert pongs == [("127.0.0.1", 44_041)]


async def test_so_many_pings_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.sip.transport.udp.MAX_PINGS", 2)
    async with exchange() as it:
        flow = it.transports.flow_to("udp", ("127.0.0.1", 9))
        for _ in range(5):
            it.transports.ping(flow, lambda _: None)
        (udp,) = it.transports._udp
        assert len(udp._pings) == 2


async def test_two_exchanges_keep_a_connection() -> None:
    pongs = Pongs()
    async with exchange() as one, exchange() as other:
        flow = one.transports.flow_to("tcp", other.tcp)
        for count in (1, 2, 3):
            one.transports.ping(flow, pongs.append)
            await pongs.wait(count)
        assert pongs == [None, None, None]
        # The pongs were not taken for the peer's own pings.
        (connection,) = one.transports._connections.values()
        assert not connection._out
        connection.close()
        with anyio.fail_after(5):
            while one.transports.connections:
                await anyio.lowlevel.checkpoint()
        with pytest.raises(TransportError):
            one.transports.ping(flow, pongs.append)


async def test_nobody_pings_a_browser() -> None:
    async with exchange(origins=[]) as it, await anyio.connect_tcp(*it.ws):
        with anyio.fail_after(5):
            while not it.transports.connections:
                await anyio.lowlevel.checkpoint()
        (connection,) = it.transports._connections.values()
        with pytest.raises(TransportError):
            it.transports.ping(connection.flow, lambda _: None)
