"""Carriers that do what none should: each call ends with its cause in the record, and the other lines go on.

RFC 3261 §8.1.3.4 (3xx), §18.3, §18.4; RFC 3515 (REFER).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.sip.message import Request, Response
from tests.interop.exchange import Exchange, running_exchange, wait_until
from tests.peers.authority import Authority
from tests.peers.scripted_carrier import Carrier, Office
from tests.peers.stage import ScriptedPhone, Stage
from tests.peers.tls_peer import TlsPeer

pytestmark = pytest.mark.interop

NUMBER = "+862412345678"
OTHER = "127.24.0.2"


def goes_on(office: Office) -> None:
    """Another line takes a call out and a call in."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    prefix = office.route(f"line:{office.line(carrier, incoming=alice.number)}")
    stage.call(alice, f"{prefix}139", alice.offer()) << carrier.gets("INVITE")
    office.answers(alice, carrier)
    stage >> carrier.calls(carrier.contact_of_line()) << carrier.gets(100) << alice.gets("INVITE")
    office.answers(carrier, alice)


# --- too much


def is_closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:  # some of what was sent is unread
        return True


def test_a_number_of_sixty_thousand_digits(office: Office) -> None:
    """It is a call, of which the record keeps what a number may have."""
    stage, alice = office.stage, office.stage.phone("tcp")
    trunk = office.carrier("tcp")
    office.add("trunks", peers=trunk.line.address[0], transport="tcp", keep_alive=0, incoming=alice.number)
    stage >> trunk.calls("sip:100@box", From=f"<sip:{'7' * 60_000}@ims.example>") << trunk.gets(100)
    stage << alice.gets("INVITE", f"<sip:{'7' * 64}@") >> alice.says(486) << alice.gets("ACK")
    stage << trunk.gets(486) >> trunk.ack_refusal()
    wait_until(lambda: stage.records("7" * 64), "the record")
    assert stage.records("7" * 64)[0]["cause"] == "busy"
    goes_on(office)


def test_a_number_of_a_hundred_thousand_digits(office: Office) -> None:
    """More than a message may have: the record says that there was one, the connection ends, and the next call is let in."""
    stage, alice = office.stage, office.stage.phone()
    trunk = office.carrier("tcp")
    host = trunk.line.address[0]
    settings = {"transport": "tcp", "keep_alive": 0, "incoming": alice.number}
    name = office.add("trunks", peers=host, **settings)
    stage >> trunk.calls("sip:100@box", From=f"<sip:{'7' * 100_000}@ims.example>")
    assert is_closed(trunk.line.sock)
    stage.phones.remove(trunk)
    (record,) = records_by(office, f"trunk:{name}")
    assert (record["status"], record["cause"], record["from_number"]) == (513, "bad_request", "")
    assert office.show("trunks", name)["refused"] == ["bad_request 1"]
    again = office.carrier("tcp", host)
    stage >> again.calls("sip:100@box") << again.gets(100) << alice.gets("INVITE")
    office.answers(again, alice)
    goes_on(office)


def records_by(office: Office, way: str) -> list[dict[str, Any]]:
    """The records of calls that came by a line or trunk, once there are any."""

    def found() -> list[dict[str, Any]]:
        return [each for each in office.stage.exchange.perform("records", "list") if each["way_in"] == way]

    wait_until(found, f"a record of {way}")
    return found()


def test_a_call_that_wants_what_nobody_knows(office: Office) -> None:
    """Refused as it must be, and the record says by whom."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    name = office.line(carrier, incoming=alice.number)
    (
        stage
        >> carrier.calls(carrier.contact_of_line(), Require="wings")
        << carrier.gets(420, "Unsupported: wings")
    )
    stage >> carrier.ack_refusal()
    (record,) = records_by(office, f"line:{name}")
    assert (record["status"], record["cause"]) == (420, "bad_request")
    assert (record["from_number"], record["to_number"]) == (carrier.number, NUMBER)
    goes_on(office)


def test_a_called_number_of_sixty_thousand_digits(office: Office) -> None:
    """It is nobody's, and the record keeps what a number may have."""
    stage, trunk = office.stage, office.carrier("tcp")
    name = office.add("trunks", peers=trunk.line.address[0], transport="tcp", keep_alive=0)
    (
        stage
        >> trunk.calls(f"sip:{'7' * 60_000}@box", To="<sip:7@box>")
        << trunk.gets(404)
        >> trunk.ack_refusal()
    )
    (record,) = stage.ends(trunk, "not_found")
    assert record["to_number"] == "7" * 64
    assert office.show("trunks", name)["refused"] == ["not_found 1"]
    goes_on(office)


def test_a_line_end_in_a_number(office: Office) -> None:
    """What is escaped in a URI stays so."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    office.line(carrier, incoming=alice.number)
    caller = "<sip:1%0D%0AX-Evil:%20yes@ims.example>"
    stage >> carrier.calls(carrier.contact_of_line(), From=caller) << carrier.gets(100)
    stage << alice.gets("INVITE", lacks=("\r\nX-Evil",)) >> alice.says(486) << alice.gets("ACK")
    stage << carrier.gets(486) >> carrier.ack_refusal()


# --- what would cost money

PREMIUM = "<sip:0900123@box>"


def answer(carrier: Carrier) -> int:
    """The status that comes next."""
    response = carrier.line.receive()
    assert isinstance(response, Response)
    return response.status


def way(office: Office, kind: str, carrier: Carrier, **settings: Any) -> str:
    """A line that this carrier has taken, or a trunk to it, named as in routes."""
    name = office.line(carrier, **settings) if kind == "line" else office.trunk(carrier, **settings)
    return f"{kind}:{name}"


KINDS = pytest.mark.parametrize("kind", ["line", "trunk"])


@KINDS
@pytest.mark.parametrize("status", [300, 301, 302, 305, 380])
def test_a_redirection_is_not_followed(office: Office, status: int, kind: str) -> None:
    stage, carrier, thief, alice = office.stage, office.carrier(), office.carrier(), office.stage.phone()
    prefix = office.route(way(office, kind, carrier))
    stage.call(alice, f"{prefix}139", alice.offer()) << carrier.gets("INVITE")
    stage >> carrier.says(status, to=carrier.newest()) << carrier.gets("ACK")
    stage << alice.gets(480, lacks=(thief.here,)) >> alice.ack_refusal()
    stage.ends(alice, "unavailable")
    goes_on(office)


def test_a_registrar_that_sends_us_elsewhere_is_not_followed(office: Office) -> None:
    """What would be proven there is for the configured server alone."""
    stage, carrier, thief = office.stage, office.carrier(), office.carrier()
    name = office.add("lines", account=NUMBER, password="secret", server=carrier.here)
    stage << carrier.gets("REGISTER") >> carrier.ok(302, Contact=f"<sip:{thief.here}>")
    shown = office.wait("lines", name, "refused")
    assert (shown["cause"], shown["reason"]) == ("redirected", "302 Moved Temporarily")
    stage.quiet(thief)
    goes_on(office)


@KINDS
def test_a_transfer_that_a_carrier_asks_for_is_refused(office: Office, kind: str) -> None:
    """Within a call and outside one: nobody outside makes us call somebody."""
    stage, carrier, premium, alice = office.stage, office.carrier(), office.carrier(), office.stage.phone()
    office.route(way(office, kind, carrier, incoming=alice.number))
    office.add("routes", pattern="0900X.", to=f"trunk:{office.trunk(premium)}")
    uri = carrier.contact_of_line() if kind == "line" else "sip:100@box"
    stage >> carrier.calls(uri) << carrier.gets(100) << alice.gets("INVITE")
    office.talk(carrier, alice)
    stage >> carrier.ask("REFER", Refer_To=PREMIUM)
    assert answer(carrier) in {403, 405, 603}
    stage.hang_up(carrier, alice).ends(carrier, "normal")
    outside = carrier.calls(f"sip:{alice.number}@box")
    outside.message.headers.set("CSeq", "9 REFER")
    request = Request("REFER", f"sip:{alice.number}@box", outside.message.headers, b"")
    request.headers.remove("Content-Type")
    request.headers.set("Refer-To", PREMIUM)
    carrier.line.send(request.encode())
    assert answer(carrier) in {401, 403, 405, 481}
    stage.quiet(premium)
    assert stage.calls() == []


# --- TLS that breaks


@pytest.fixture(scope="module")
def tls_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Exchange, TlsPeer]]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(tmp_path_factory.mktemp("authority"))
    certificates: Path = folder / "data" / "certs"
    certificates.mkdir(parents=True)
    (certificates / "trusted.pem").write_bytes(authority.file.read_bytes())
    peer = TlsPeer(authority, OTHER)
    with peer, running_exchange(folder, "127.24.0.1") as exchange:
        yield exchange, peer
        assert "Traceback" not in exchange.log


@pytest.fixture
def tls(tls_exchange: tuple[Exchange, TlsPeer]) -> Iterator[tuple[Office, TlsPeer, ScriptedPhone, str]]:
    """An office with a trunk over TLS, who calls by it, and what is dialled."""
    exchange, peer = tls_exchange
    with Stage(exchange) as stage, Office(stage) as office:
        trunk = office.add("trunks", peers=peer.here, transport="tls", keep_alive=0)
        wait_until(lambda: office.show("trunks", trunk)["state"] == "unknown", "the trunk")
        yield office, peer, stage.phone(), office.route(f"trunk:{trunk}")


def ends_soon(office: Office, alice: ScriptedPhone) -> None:
    """The caller hears it at once, not when his patience or a timer of 32 s is over."""
    office.stage << alice.gets(408) >> alice.ack_refusal()
    office.stage.ends(alice, "unreachable")
    goes_on(office)


def test_tls_breaks_in_its_handshake(tls: tuple[Office, TlsPeer, ScriptedPhone, str]) -> None:
    office, peer, alice, prefix = tls
    office.stage.call(alice, f"{prefix}139", alice.offer())
    with peer.connected() as sock:
        sock.recv(100)
    ends_soon(office, alice)


@pytest.mark.parametrize("said", [None, 100, 180])
def test_tls_breaks_while_a_call_is_set_up(
    tls: tuple[Office, TlsPeer, ScriptedPhone, str], said: int | None
) -> None:
    office, peer, alice, prefix = tls
    office.stage.call(alice, f"{prefix}139", alice.offer())
    with peer.line() as line:
        invite = line.receive()
        assert isinstance(invite, Request)
        if said is not None:
            said_so_far = invite.respond(said, to_tag="" if said == 100 else "far").encode()
            line.send(said_so_far + b"SIP/2.0 200 OK\r\nVia: SI")
    if said == 180:
        office.stage << alice.gets(180)
    ends_soon(office, alice)


@pytest.fixture
def tls_line(tls_exchange: tuple[Exchange, TlsPeer]) -> Iterator[tuple[Office, TlsPeer, str]]:
    """An office with a line whose registrar speaks TLS; the line's name."""
    exchange, peer = tls_exchange
    with Stage(exchange) as stage, Office(stage) as office:
        settings = {"account": NUMBER, "password": "secret", "server": peer.here, "transport": "tls"}
        yield office, peer, office.add("lines", **settings)


@pytest.mark.parametrize("when", ["handshake", "answer"])
def test_tls_breaks_while_a_line_registers(tls_line: tuple[Office, TlsPeer, str], when: str) -> None:
    """The line says so and tries again; who dials by it hears it at once, and another line goes on."""
    office, peer, name = tls_line
    if when == "handshake":
        with peer.connected() as sock:
            sock.recv(100)
    else:
        with peer.line() as line:
            register = line.receive()
            assert isinstance(register, Request)
            line.send(register.respond(200, to_tag="far").encode()[:60])
    shown = office.wait("lines", name, "unreachable")
    assert (shown["cause"], shown["next_try_at"] is not None) == ("transport", True)
    alice = office.stage.phone()
    office.stage.call(alice, f"{office.route(f'line:{name}')}139", alice.offer(), until=503)
    office.stage >> alice.ack_refusal()
    office.stage.ends(alice, "line_down")
    goes_on(office)
