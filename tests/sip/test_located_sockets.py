"""The whole way on loopback: a name server of our own, dead ports, and a peer that answers. RFC 3263 §4.3."""

from __future__ import annotations

import random
import socket
from typing import Any

import anyio
import pytest

from appliance.sip.endpoint import ClientEvent
from appliance.sip.located import Sender
from appliance.sip.message import Headers, Request, Response
from appliance.sip.transport.flow import Address
from appliance.sip.transport.locate import Abilities
from appliance.sip.transport.resolve import Locator, Resolver
from tests.conftest import REAL_SOCKETS
from tests.peers.name_server import name_server
from tests.sip.transport.exchange import Exchange, exchange


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


def sender(it: Exchange, dns: Address) -> Sender:
    abilities = Abilities(("udp", "tcp"), (4,))
    return Sender(it.endpoint, Locator(it.clock, random.Random(1), Resolver(it.clock, [dns]), abilities))


def closed_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def options(uri: str, number: int) -> Request:
    fields = [
        ("Max-Forwards", "70"), ("From", "<sip:a@b>;tag=f"), ("To", f"<{uri}>"), ("Call-ID", f"c{number}"), ("CSeq", "1 OPTIONS"),
    ]  # fmt: skip
    return Request("OPTIONS", uri, Headers(fields))


async def ask(located: Sender, request: Request) -> tuple[ClientEvent, list[tuple[str, int]]]:
    """What comes of a request, and the ways that were tried."""
    events: list[ClientEvent] = []
    ways: list[tuple[str, int]] = []
    done = anyio.Event()

    def take(event: ClientEvent) -> None:
        events.append(event)
        done.set()

    located.send(request, take, prepare=lambda _, flow: ways.append((flow.transport, flow.remote[1])))
    with anyio.fail_after(20):
        await done.wait()
    (event,) = events
    return event, ways


async def test_refused_connections_and_icmp_errors_lead_to_who_is_there() -> None:
    async with (
        name_server() as dns,
        exchange() as provider,
        exchange() as us,
        anyio.create_task_group() as tasks,
    ):
        dns.add(
            "voip.example",
            "NAPTR",
            '1 0 "s" "SIP+D2T" "" _t.voip.example.',
            '2 0 "s" "SIP+D2U" "" _u.voip.example.',
        )
        dns.add("_t.voip.example", "SRV", f"0 0 {closed_port(socket.SOCK_STREAM)} edge.voip.example.")
        dns.add(
            "_u.voip.example", "SRV",
            f"0 0 {closed_port(socket.SOCK_DGRAM)} edge.voip.example.", f"1 0 {provider.udp[1]} edge.voip.example.",
        )  # fmt: skip
        dns.add("edge.voip.example", "A", "127.0.0.1")
        located = sender(us, dns.address)
        tasks.start_soon(located.run)
        await anyio.wait_all_tasks_blocked()
        for number, tried in enumerate((3, 1)):
            answer, ways = await ask(located, options("sip:voip.example", number))
            assert isinstance(answer, Response)
            assert (answer.status, ways[-1], len(ways)) == (200, ("udp", provider.udp[1]), tried)
        tasks.cancel_scope.cancel()
