"""appliance/lines/lines.py: which line a call comes by, and what becomes of registrations when settings change."""

from __future__ import annotations

import random

import pytest

from appliance.config.line import Line
from appliance.lines.lines import Lines, account_of
from appliance.sip.located import Sender
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.locate import Abilities
from appliance.sip.transport.resolve import Locator
from tests.lines.carrier import Zone
from tests.sip.wire import Wire

CARRIER = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 5060))
OTHER = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.8", 5060))


class Office:
    """Lines whose registrations go nowhere."""

    def __init__(self) -> None:
        wire = Wire()
        self.timers = wire.timers
        locator = Locator(wire.timers, random.Random(1), Zone(), Abilities(("udp",), (4,)))
        self.told = 0
        self.lines = Lines(Sender(wire.endpoint, locator), wire.timers, random.Random(2), self.changed)

    def changed(self) -> None:
        self.told += 1

    def set(self, *lines: Line) -> None:
        self.lines.follow({line.name: line for line in lines})

    def register(self, name: str, flow: Flow) -> None:
        live = self.lines.get(name)
        assert live is not None
        live.registration.flow = flow

    def by(self, flow: Flow, user: str) -> str:
        live = self.lines.of_call(flow, user)
        return "" if live is None else live.line.name


def line(name: str, account: str, **settings: bool | str) -> Line:
    return Line(name=name, server="198.51.100.7:5070", account=account, **settings)  # type: ignore[arg-type]


def test_a_call_comes_by_the_line_that_is_registered_where_it_comes_from() -> None:
    office = Office()
    office.set(line("a", "100"), line("b", "200"))
    assert office.by(CARRIER, "100") == "", "registered nowhere"
    office.register("a", CARRIER)
    office.register("b", OTHER)
    assert office.by(CARRIER, "whatever the carrier writes") == "a"
    assert office.by(OTHER, "100") == "b"
    assert office.by(Flow("udp", CARRIER.local, ("203.0.113.1", 5060)), "100") == ""


def test_of_two_lines_at_one_carrier_the_contact_tells() -> None:
    office = Office()
    office.set(line("a", "100"), line("b", "200", contact_user="trunk-b"))
    office.register("a", CARRIER)
    office.register("b", CARRIER)
    assert office.by(CARRIER, "100") == "a"
    assert office.by(CARRIER, "trunk-b") == "b"
    assert office.by(CARRIER, "+86 24 1234") == "a", "neither: the first, as the call must come to somebody"


def test_what_has_not_changed_stays() -> None:
    office = Office()
    office.set(line("a", "100"), line("b", "200"))
    a, b = office.lines.get("a"), office.lines.get("b")
    office.set(line("a", "100"), line("b", "201"))
    assert office.lines.get("a") is a
    assert office.lines.get("b") is None, "its old registration is taken back first"
    office.timers.wait(10)
    changed = office.lines.get("b")
    assert changed is not None
    assert changed is not b
    assert changed.line.account == "201"
    office.set(line("a", "100", enabled=False))
    office.timers.wait(10)
    assert (office.lines.get("a"), office.lines.get("b")) == (None, None)


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("h", "h", 0),
        ("h:5070", "h", 5070),
        ("[2001:db8::1]", "[2001:db8::1]", 0),
        ("[2001:db8::1]:5070", "[2001:db8::1]", 5070),
    ],
)
def test_the_server_of_an_account(server: str, host: str, port: int) -> None:
    account = account_of(Line(name="a", server=server, account="1"))
    assert (account.server, account.port) == (host, port)
