"""`ctl dns-check` of a running exchange whose name server tells the truth, says nothing, or lies, beside a reference that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dns.rcode
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from appliance.locale import say
from tests.interop.exchange import Exchange, running_exchange
from tests.peers.name_server import NameServer, name_server

pytestmark = pytest.mark.interop

NAME = "ims.example"
PRIVATE = "10.10.34.36"
"As an answer for a carrier's name no truth, and nobody whom the check would ask by OPTIONS."


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def system(portal: BlockingPortal) -> Iterator[NameServer]:
    with portal.wrap_async_context_manager(name_server()) as server:
        yield server


@pytest.fixture(scope="module")
def reference(portal: BlockingPortal) -> Iterator[NameServer]:
    with portal.wrap_async_context_manager(name_server()) as server:
        yield server


@pytest.fixture(scope="module")
def exchange(
    system: NameServer, reference: NameServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exchange]:
    """It asks the one, and has the other for its reference."""
    (host, port), (other, its) = system.address, reference.address
    folder = tmp_path_factory.mktemp("checked")
    with running_exchange(folder, "127.0.0.1", "--dns", f"{host}:{port}") as exchange:
        exchange.perform("system", "set", None, {"dns_references": f"{other}:{its}"})
        yield exchange
        assert "Traceback" not in exchange.log


@pytest.fixture(autouse=True)
def _truth(system: NameServer, reference: NameServer) -> None:
    """All is well before each test."""
    for server in (system, reference):
        server.rcode, server.lies, server.records = dns.rcode.NOERROR, {}, {}
        server.silent, server.serves_tcp = False, True
        server.add(f"_sip._udp.{NAME}", "SRV", f"0 0 5060 edge.{NAME}.")
        for name in (NAME, f"edge.{NAME}"):
            server.add(name, "A", "47.100.1.1")


def well(_system: NameServer, _reference: NameServer) -> None:
    """Nothing is wrong."""


def blocks(system: NameServer, _reference: NameServer) -> None:
    system.records.clear()


def refuses(system: NameServer, _reference: NameServer) -> None:
    system.rcode = dns.rcode.REFUSED


def lies(system: NameServer, _reference: NameServer) -> None:
    for name in (NAME, f"edge.{NAME}"):
        system.add(name, "A", PRIVATE)


def lies_on_every_way(system: NameServer, reference: NameServer) -> None:
    """Somebody on the way out answers for any server that is asked by datagrams."""
    for server in (system, reference):
        server.lies = {(name, "A"): [PRIVATE] for name in (NAME, f"edge.{NAME}")}


def is_elsewhere(system: NameServer, _reference: NameServer) -> None:
    for name in (NAME, f"edge.{NAME}"):
        system.add(name, "A", "47.100.9.9")


def bars_the_reference(_system: NameServer, reference: NameServer) -> None:
    reference.silent, reference.serves_tcp = True, False


@pytest.mark.parametrize(
    ("misbehave", "verdict"),
    [
        (well, "agree"),
        (blocks, "blocked"),
        (refuses, "blocked"),
        (lies, "poisoned"),
        (lies_on_every_way, "poisoned"),
        (is_elsewhere, "locality"),
        (bars_the_reference, "reference_unreachable"),
    ],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_what_is_said(
    exchange: Exchange,
    system: NameServer,
    reference: NameServer,
    misbehave: Callable[[NameServer, NameServer], None],
    verdict: str,
) -> None:
    misbehave(system, reference)
    checked = exchange.perform("dns-check", "show", f"sip:{NAME}")
    assert (checked["name"], checked["verdict"]) == (NAME, verdict)
    for language in ("en", "zh"):
        assert say(checked["explanation"], language)
        assert say(checked["what_to_do"], language)
    asked = {each["asked"] for each in checked["answers"]}
    kinds = {each["question"].split()[0] for each in checked["answers"]}
    assert (asked, kinds) == ({"system", "reference"}, {"NAPTR", "SRV", "A", "AAAA"})
    assert exchange.perform("dns-check", "list") == [], "a person's question is no finding"
