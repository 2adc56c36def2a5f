"""appliance/sip/transport/detour.py with the endpoint: RFC 3261 §18.1.1, alone and on loopback sockets."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from appliance.sip.endpoint import ClientEvent, Failed, ServerTransaction
from appliance.sip.message import Headers, Request, Response
from appliance.sip.transport.flow import Flow
from tests.conftest import REAL_SOCKETS
from tests.sip.transport.exchange import exchange
from tests.sip.wire import PEER, TCP, UDP, Wire

SIZE = 1_300


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


@pytest.fixture
def wire() -> Wire:
    return Wire()


def large(method: str = "INVITE", padding: int = SIZE) -> Request:
    headers = Headers([
        ("From", "<sip:100@192.0.2.1>;tag=ours"), ("To", "<sip:101@192.0.2.10>"),
        ("Call-ID", "c1"), ("CSeq", f"7 {method}"), ("Max-Forwards", "70"),
    ])  # fmt: skip
    return Request(method, "sip:101@192.0.2.10:5062", headers, b"x" * padding)


class Caller:
    def __init__(self, wire: Wire, request: Request, flow: Flow = UDP) -> None:
        self.events: list[ClientEvent] = []
        self.client = wire.endpoint.send_request(request, flow, self.events.append)


def ways(wire: Wire) -> list[tuple[str, str]]:
    """Transport of the flow, and of the Via, of what went out since the last time."""
    flows = [flow.transport for flow, _ in wire.out]
    return list(zip(flows, [message.via.transport for message in wire.take()], strict=True))


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_a_large_request_goes_over_tcp_and_is_answered_there(wire: Wire, method: str) -> None:
    caller = Caller(wire, large(method))
    assert ways(wire) == [("tcp", "TCP")]
    wire.receive(caller.client.request.respond(200, to_tag="t"), caller.client.flow)
    wire.timers.wait(64)
    assert ways(wire) == []  # nothing was repeated
    assert [event.status for event in caller.events if isinstance(event, Response)] == [200]
    assert wire.endpoint.transactions == 0


def test_exactly_1300_octets_stay(wire: Wire) -> None:
    head = Caller(wire, large(padding=100)).client.size - 100
    ways(wire)
    assert Caller(wire, large(padding=SIZE - head - 1)).client.size == SIZE
    assert Caller(wire, large(padding=SIZE - head)).client.size == SIZE + 1
    assert ways(wire) == [("udp", "UDP"), ("tcp", "TCP")]


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_where_tcp_is_refused_it_goes_over_udp_and_stays_there(wire: Wire, method: str) -> None:
    caller = Caller(wire, large(method))
    (first,) = wire.take()
    wire.receiver.flow_failed(caller.client.flow)
    (second,) = wire.take()
    assert (first.via.transport, second.via.transport) == ("TCP", "UDP")
    assert first.via.branch == second.via.branch
    wire.timers.wait(0.5)
    assert ways(wire) == [("udp", "UDP")]  # now it is repeated
    wire.timers.wait(0.6)
    assert caller.events == []
    wire.receive(caller.client.request.respond(200, to_tag="t"))
    assert len(caller.events) == 1
    # What the peer does not take is not tried again, for an hour.
    wire.take()
    Caller(wire, large("MESSAGE"))
    wire.timers.wait(3_600)
    wire.take()
    Caller(wire, large("MESSAGE"))
    assert ways(wire) == [("tcp", "TCP")]


def test_where_tcp_says_nothing_it_goes_over_udp_soon(wire: Wire) -> None:
    caller = Caller(wire, large())
    assert ways(wire) == [("tcp", "TCP")]
    wire.timers.wait(1)
    assert ways(wire) == [("udp", "UDP")]
    # The answer may come over either.
    wire.receive(caller.client.request.respond(486, to_tag="t"), Flow("tcp", TCP.local, PEER, 101))
    assert isinstance(caller.events[0], Response)


def test_an_answer_in_time_ends_the_search(wire: Wire) -> None:
    caller = Caller(wire, large())
    wire.receive(caller.client.request.respond(180, to_tag="t"), caller.client.flow)
    wire.take()
    wire.timers.wait(2)
    assert ways(wire) == []
    wire.receiver.flow_failed(caller.client.flow)
    assert caller.events[-1] == Failed("transport")  # somebody has it: it is not sent twice


def test_nobody_anywhere_is_told_once(wire: Wire) -> None:
    caller = Caller(wire, large())
    wire.receiver.flow_failed(caller.client.flow)
    wire.timers.wait(64)
    assert caller.events == [Failed("timeout")]
    assert wire.endpoint.transactions == 0


async def test_over_real_sockets_to_a_peer_with_and_without_tcp() -> None:
    async with exchange() as caller, exchange() as callee:
        got: list[str] = []

        def receive(transaction: ServerTransaction) -> None:
            got.append(transaction.flow.transport)
            transaction.reply(200)

        callee.endpoint.serve("MESSAGE", receive)
        # The callee's UDP and TCP ports differ: at that of UDP nobody takes TCP, at that of TCP nobody UDP.
        for address in (callee.udp, callee.tcp):
            answered = anyio.Event()
            request = large("MESSAGE", 4_000)
            request.headers.set("Call-ID", caller.endpoint.new_tag())
            flow = caller.endpoint.flow_to("udp", address)
            caller.endpoint.send_request(request, flow, lambda _, done=answered: done.set())  # type: ignore[misc]
            with anyio.fail_after(5):
                await answered.wait()
        assert got == ["udp", "tcp"]
