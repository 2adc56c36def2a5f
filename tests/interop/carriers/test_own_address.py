"""The box gets another address: its lines say so at once, not when a registration of an hour is due again.

RFC 3261 §10.2.4. Without a word from us a carrier would call where nobody is.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from appliance.sip.message import Request
from tests.interop import network
from tests.interop.exchange import Exchange, running_exchange, wait_until
from tests.interop.network import ADDRESS, BEYOND
from tests.peers.scripted_carrier import PASSWORD, Carrier, Office
from tests.peers.sip_line import DatagramLine, StreamLine
from tests.peers.stage import Stage

WHY_NOT = network.why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

MOVED = "198.18.0.2"
Beyond = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def beyond() -> Iterator[Beyond]:
    """The machine at the other end of the box's cable."""
    with network.own_network(), network.beyond() as entered:
        yield entered


@pytest.fixture
def shared_exchange(beyond: Beyond, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One that listens on all its addresses; its phones are on the box itself."""
    with running_exchange(tmp_path_factory.mktemp("moves"), "0.0.0.0") as exchange:
        yield replace(exchange, sip=("127.0.0.1", exchange.sip[1]), tls=("127.0.0.1", exchange.tls[1]))


def reaches_us_at(carrier: Carrier, host: str) -> None:
    """What the carrier sends goes to that address of ours from now on."""
    assert isinstance(carrier.line, DatagramLine)
    carrier.line.server = host, carrier.line.server[1]


def test_a_line_follows(office: Office, stage: Stage, beyond: Beyond) -> None:
    """Whoever calls in, and out, afterwards gets through."""
    alice = stage.phone()
    with beyond():
        carrier = office.carrier(host=BEYOND)
    reaches_us_at(carrier, ADDRESS)
    name = office.line(carrier, incoming=alice.number)
    assert f"@{ADDRESS}:" in carrier.contact_of_line()

    network.move(ADDRESS, MOVED)
    stage << carrier.gets("REGISTER", f"@{MOVED}:", lacks=(ADDRESS,))
    carrier.registered = carrier.newest()
    reaches_us_at(carrier, MOVED)
    stage >> carrier.registers()
    office.wait("lines", name, "registered")

    stage >> carrier.calls(carrier.contact_of_line()) << carrier.gets(100) << alice.gets("INVITE")
    office.talk(carrier, alice)
    assert f"c=IN IP4 {MOVED}".encode() in carrier.response().body
    stage.hang_up(carrier, alice).ends(carrier, "normal")
    prefix = office.route(f"line:{name}")
    stage.call(alice, f"{prefix}139", alice.offer()) << carrier.gets("INVITE", MOVED, lacks=(ADDRESS,))
    office.answers(alice, carrier)


def test_a_connection_from_the_old_address_is_not_used_again(office: Office, beyond: Beyond) -> None:
    """Nobody would say that it is dead: the line opens another one."""
    with beyond():
        listener = socket.create_server((BEYOND, 0))
    with listener:
        server = f"{BEYOND}:{listener.getsockname()[1]}"
        settings = {"server": server, "account": "100", "password": PASSWORD, "transport": "tcp"}
        name = office.add("lines", **settings)
        with StreamLine.accepted(listener) as first:
            registers(first, ADDRESS)
            office.wait("lines", name, "registered")
            network.move(ADDRESS, MOVED)
            with StreamLine.accepted(listener) as second:
                assert second.sock.getpeername()[0] == MOVED
                registers(second, MOVED)
                wait_until(lambda: office.show("lines", name)["state"] == "registered", "the line")
                office.stage.exchange.perform("lines", "set", name, {"enabled": False})
                registers(second, MOVED, expires=0)


def registers(line: StreamLine, host: str, expires: int = 3600) -> None:
    """A REGISTER comes that names this address of ours, and is taken."""
    request = line.receive()
    assert isinstance(request, Request)
    contact = request.headers.get("Contact") or ""
    assert f"@{host}:" in contact
    taken = request.respond(200, to_tag="t", headers=[("Contact", f"{contact};expires={expires}")])
    line.send(taken.encode())
