"""Lines whose carrier moves, forgets soon, forbids, or cannot be found, since a name server says nothing or lies.

RFC 3261 §10.2.4, §10.3; RFC 3263 §4.2 (SRV), §4.3 (fail-over); RFC 1035 §4.1.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dns.message
import dns.rcode
import pytest

from tests.interop.exchange import Exchange, running_exchange, wait_until
from tests.peers.name_server import NameServer
from tests.peers.scripted_carrier import PASSWORD, Carrier, Office

pytestmark = pytest.mark.interop

NUMBER = "+862412345678"
NAME = "ims.example"
PATIENCE_S = 25.0
"A name server that says nothing is waited for, twice; then nobody is there."


@pytest.fixture(scope="module")
def shared_exchange(names: NameServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    host, port = names.address
    folder = tmp_path_factory.mktemp("named")
    with running_exchange(folder, "127.0.0.1", "--dns", f"{host}:{port}") as exchange:
        yield exchange


@pytest.fixture
def zone(names: NameServer) -> Iterator[NameServer]:
    """The name server, whose zone is empty and which lies no more afterwards."""
    yield names
    names.records.clear()
    names.asked.clear()
    names.rcode, names.silent, names.forged = dns.rcode.NOERROR, False, None


def leads_to(zone: NameServer, *carriers: Carrier, name: str = NAME) -> None:
    """The name has these servers, in this order."""
    targets = []
    for place, carrier in enumerate(carriers):
        host, port = carrier.line.address
        zone.add(f"s{place}.{name}", "A", host)
        targets.append(f"{place} 0 {port} s{place}.{name}.")
    zone.add(f"_sip._udp.{name}", "SRV", *targets)


def line(office: Office, **settings: Any) -> str:
    return office.add("lines", account=NUMBER, password=PASSWORD, transport="udp", **settings)


def takes(office: Office, carrier: Carrier, name: str, expires: int = 3600) -> None:
    """The carrier gets a REGISTER and takes it."""
    office.stage << carrier.gets("REGISTER") >> carrier.registers(expires)
    carrier.registered = carrier.newest()
    office.wait("lines", name, "registered")


def test_the_name_servers_that_were_told_are_asked(office: Office, zone: NameServer) -> None:
    carrier = office.carrier()
    leads_to(zone, carrier)
    name = line(office, server=NAME)
    takes(office, carrier, name)
    assert f"SRV _sip._udp.{NAME}" in zone.asked
    assert office.show("lines", name)["address"] == f"udp {carrier.here}"


def test_a_first_server_that_is_dead(office: Office, zone: NameServer) -> None:
    """Calls go where the line is registered, not to the first one again."""
    stage, dead, carrier, alice = office.stage, office.carrier(), office.carrier(), office.stage.phone()
    leads_to(zone, dead, carrier)
    stage.vanish(dead)
    name = line(office, server=NAME)
    takes(office, carrier, name)
    stage.call(alice, f"{office.route(f'line:{name}')}139", alice.offer()) << carrier.gets("INVITE")
    office.answers(alice, carrier)


def test_a_registration_of_a_minute(office: Office, zone: NameServer) -> None:
    """The least that may be asked for is asked for; what the carrier grants counts."""
    carrier = office.carrier()
    name = line(office, server=carrier.here, expiry=60)
    takes(office, carrier, name, expires=3)
    assert carrier.header("Expires") == "60"
    first = carrier.newest()
    takes(office, carrier, name, expires=60)
    again = carrier.newest()
    assert (again.call_id, again.cseq.number) == (first.call_id, first.cseq.number + 1)
    assert office.show("lines", name)["state"] == "registered"


def test_the_carrier_has_moved(office: Office, zone: NameServer) -> None:
    """The next refresh finds the new address; until then all is as it was."""
    stage, old, new, alice = office.stage, office.carrier(), office.carrier(), office.stage.phone()
    leads_to(zone, old)
    name = line(office, server=NAME, incoming=alice.number)
    office.stage << old.gets("REGISTER")
    leads_to(zone, new)
    stage >> old.registers(4)
    takes(office, new, name)
    wait_until(lambda: office.show("lines", name)["address"] == f"udp {new.here}", "the new address")
    stage.call(alice, f"{office.route(f'line:{name}')}139", alice.offer()) << new.gets("INVITE")
    office.answers(alice, new)
    stage >> new.calls(new.contact_of_line()) << new.gets(100) << alice.gets("INVITE")
    office.answers(new, alice)


def test_the_carrier_forbids(office: Office, zone: NameServer) -> None:
    """It is not asked again soon: it may lock an account that asks too often."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    name = line(office, server=carrier.here)
    stage << carrier.gets("REGISTER") >> carrier.ok(403, Warning='399 ims "not paid"')
    shown = office.wait("lines", name, "refused")
    assert (shown["cause"], shown["reason"]) == ("forbidden", '403 Forbidden; 399 ims "not paid"')
    assert shown["next_try_at"] is not None
    prefix = office.route(f"line:{name}")
    stage.call(alice, f"{prefix}139", alice.offer(), until=503) >> alice.ack_refusal()
    stage.ends(alice, "line_down")


# --- name servers that are of no use


def refuses(zone: NameServer) -> None:
    zone.rcode = dns.rcode.REFUSED


def fails(zone: NameServer) -> None:
    zone.rcode = dns.rcode.SERVFAIL


def knows_nothing(zone: NameServer) -> None:
    zone.records.clear()


def is_silent(zone: NameServer) -> None:
    zone.silent = True


def lies(zone: NameServer) -> None:
    """What it sends is the answer to nobody's question."""
    zone.forged = dns.message.make_response(dns.message.make_query("other.example", "A")).to_wire()


def talks_nonsense(zone: NameServer) -> None:
    zone.forged = b"\0" * 11


BAD_SERVERS = [refuses, fails, knows_nothing, is_silent, lies, talks_nonsense]


def calls_out(office: Office, way: str) -> str:
    """Why a call by a line or trunk that leads nowhere has failed, as its record says."""
    stage, alice = office.stage, office.stage.phone()
    stage.call(alice, f"{office.route(way)}139", alice.offer(), until=503) >> alice.ack_refusal()
    stage.quiet(alice)
    wait_until(lambda: stage.records(alice.number), "the record")
    (record,) = stage.records(alice.number)
    return str(record["cause"])


@pytest.mark.parametrize("misbehave", BAD_SERVERS, ids=lambda each: each.__name__)
def test_a_trunk_whose_peer_nobody_can_find(
    office: Office, zone: NameServer, misbehave: Callable[[NameServer], None]
) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    good = office.line(carrier)
    misbehave(zone)
    name = f"trunk-{misbehave.__name__.replace('_', '-')}.example"
    bad = office.add("trunks", peers=name)
    stage.call(alice, f"{office.route(f'line:{good}')}139", alice.offer()) << carrier.gets("INVITE")
    office.answers(alice, carrier)
    (peer,) = office.wait("trunks", bad, "down", PATIENCE_S)["peer_states"]
    assert peer.startswith(f"{name} down ")
    assert name in peer.removeprefix(name)
    assert calls_out(office, f"trunk:{bad}") == "line_down"
    stage.serves()


@pytest.mark.parametrize("misbehave", BAD_SERVERS, ids=lambda each: each.__name__)
def test_a_name_server_that_is_of_no_use(
    office: Office, zone: NameServer, misbehave: Callable[[NameServer], None]
) -> None:
    """The line says that nobody knows where the carrier is; a line at an address and phones go on."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    good = office.line(carrier, incoming=alice.number)
    misbehave(zone)
    bad = line(office, server=f"{misbehave.__name__.replace('_', '-')}.example")
    stage.call(alice, f"{office.route(f'line:{good}')}139", alice.offer()) << carrier.gets("INVITE")
    office.answers(alice, carrier)
    shown = office.wait("lines", bad, "unreachable", PATIENCE_S)
    assert shown["cause"] == "location"
    assert f"{misbehave.__name__.replace('_', '-')}.example" in shown["reason"]
    assert shown["next_try_at"] is not None
    assert calls_out(office, f"line:{bad}") == "line_down"
    stage >> carrier.calls(carrier.contact_of_line()) << carrier.gets(100) << alice.gets("INVITE")
    office.answers(carrier, alice)
    stage.serves()


def test_a_name_server_that_names_another(office: Office, zone: NameServer) -> None:
    """Where wrong data leads to nobody, the line says so, and what it would prove is told to nobody."""
    carrier = office.carrier()
    good = office.line(carrier)
    zone.add("_sip._udp.wrong.example", "SRV", "0 0 9 nowhere.example.")
    zone.add("nowhere.example", "A", "127.22.255.254")
    bad = line(office, server="wrong.example")
    shown = office.wait("lines", bad, "unreachable")
    assert shown["cause"] == "transport"
    assert office.show("lines", good)["state"] == "registered"
