"""media/relay.py over real sockets on loopback: both ways, across IPv4 and IPv6, under a flood."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from appliance.clock import Clock
from appliance.media.leg import LegMedia
from appliance.media.relay import Relay
from tests.conftest import REAL_SOCKETS
from tests.media.fakes import media_ports, rtp_packet

if TYPE_CHECKING:
    from collections.abc import Iterator

RANGE = (20000, 29999)


@pytest.fixture(params=[REAL_SOCKETS, "trio"], ids=["uvloop", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


class Phone:
    """A UDP socket with a description of itself."""

    def __init__(self, host: str, stack: ExitStack) -> None:
        self.socket = stack.enter_context(
            socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        )
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self.host, self.port = self.socket.getsockname()[:2]
        version = "IP6" if ":" in host else "IP4"
        self.sdp = (
            f"v=0\r\no=- 1 1 IN {version} {host}\r\ns=-\r\nc=IN {version} {host}\r\nt=0 0\r\n"
            f"m=audio {self.port} RTP/AVP 0\r\n"
        ).encode()

    async def receive(self) -> bytes:
        with anyio.fail_after(5):
            await anyio.wait_readable(self.socket)
            return self.socket.recv(2048)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def connect(relay: Relay, a: Phone, b: Phone) -> tuple[LegMedia, LegMedia]:
    """Join two phones and connect their sockets to the ports they were told."""
    legs = relay.open_leg(a.host, a.host), relay.open_leg(b.host, b.host)
    for leg, phone, other in ((legs[0], a, b), (legs[1], b, a)):
        leg.expect(phone.sdp)
        phone.socket.connect((phone.host, media_ports(leg.describe(other.sdp))[0]))
    relay.join(*legs)
    return legs


@pytest.mark.parametrize("hosts", [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "::1"), ("::1", "::1")])
async def test_each_phone_hears_the_other(hosts: tuple[str, str], stack: ExitStack) -> None:
    relay = Relay(RANGE, Clock(), Random())
    a, b = Phone(hosts[0], stack), Phone(hosts[1], stack)
    async with anyio.create_task_group() as tasks:
        early = connect(relay, Phone(hosts[0], stack), Phone(hosts[1], stack))  # opened before the task runs
        tasks.start_soon(relay.run)
        await anyio.wait_all_tasks_blocked()
        legs = connect(relay, a, b)
        for sequence in range(20):
            a.socket.send(rtp_packet(sequence=sequence, payload=b"from a"))
            assert (await b.receive()).endswith(b"from a")
            b.socket.send(rtp_packet(sequence=sequence, payload=b"from b"))
            assert (await a.receive()).endswith(b"from b")
        assert [leg.statistics().packets for leg in legs] == [20, 20]
        assert [leg.statistics().dropped for leg in legs] == [0, 0]
        for leg in (*legs, *early):
            leg.close()
        tasks.cancel_scope.cancel()
    assert relay.open_ports == 0
    assert relay._polled == {}


async def test_a_flood_on_one_port_does_not_silence_another(stack: ExitStack) -> None:
    relay = Relay(RANGE, Clock(), Random())
    a, b, flooder = (Phone("127.0.0.1", stack) for _ in range(3))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(relay.run)
        legs = connect(relay, a, b)
        victim = connect(relay, flooder, Phone("127.0.0.1", stack))
        a.socket.send(rtp_packet())
        await b.receive()
        for _ in range(300):
            flooder.socket.send(b"\x00" * 100)
        a.socket.send(rtp_packet(payload=b"heard"))
        assert (await b.receive()).endswith(b"heard")
        with anyio.fail_after(5):
            while not victim[0].statistics().dropped:
                await anyio.lowlevel.checkpoint()
        for leg in (*legs, *victim):
            leg.close()
        tasks.cancel_scope.cancel()
    assert relay.open_ports == 0


async def test_an_intruder_is_not_heard(stack: ExitStack) -> None:
    """Neither another host nor, once the phone has spoken, another port of the phone's own."""
    relay = Relay(RANGE, Clock(), Random())
    a, b, other_host, other_port = (Phone(f"127.0.0.{at}", stack) for at in (1, 1, 2, 1))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(relay.run)
        legs = connect(relay, a, b)
        target = a.socket.getpeername()
        other_host.socket.sendto(rtp_packet(payload=b"from another host"), target)
        a.socket.send(rtp_packet(payload=b"first"))
        assert (await b.receive()).endswith(b"first")
        other_port.socket.sendto(rtp_packet(payload=b"from another port"), target)
        a.socket.send(rtp_packet(payload=b"second"))
        assert (await b.receive()).endswith(b"second")
        assert (legs[0].statistics().packets, legs[0].statistics().dropped) == (2, 2)
        for leg in legs:
            leg.close()
        tasks.cancel_scope.cancel()
