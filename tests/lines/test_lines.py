"""appliance/lines/lines.py: which line a call comes by, and what becomes of registrations when settings change."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from appliance.config.line import Line
from appliance.lines.lines import Lines, account_of
from appliance.lines.registration import STOP_WITHIN, RegistrationState
from appliance.sip.located import Sender
from appliance.sip.message import Request, parse_message
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.locate import Abilities
from appliance.sip.transport.resolve import Locator
from tests.lines.carrier import Zone
from tests.sip.wire import Wire

CARRIER = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 5060))
OTHER = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.8", 5060))


class Office:
    """Lines whose registrations go nowhere."""

    def __init__(self, zone: Zone | None = None) -> None:
        self.wire = wire = Wire()
        self.timers = wire.timers
        locator = Locator(wire.timers, random.Random(1), zone or Zone(), Abilities(("udp",), (4,)))
        self.told = 0
        self.sender = Sender(wire.endpoint, locator)
        self.lines = Lines(self.sender, wire.timers, random.Random(2), self.changed)

    def changed(self) -> None:
        self.told += 1

    def set(self, *lines: Line) -> None:
        self.lines.follow({line.name: line for line in lines})

    def register(self, name: str, flow: Flow, *associated: str) -> None:
        live = self.lines.get(name)
        assert live is not None
        live.registration.flow, live.registration.associated = flow, associated
        self.lines.changed(live.registration)

    def by(self, flow: Flow, user: str) -> str:
        live = self.lines.of_call(flow, user)
        return "" if live is None else live.line.name


def line(name: str, account: str, **settings: bool | str | int | tuple[str, ...]) -> Line:
    return Line(name=name, **{"server": "198.51.100.7:5070", **settings}, account=account)  # type: ignore[arg-type]


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


def test_the_number_that_was_called_tells_where_the_contact_does_not() -> None:
    office = Office()
    office.set(line("a", "100"), line("b", "+200@198.51.100.7", contact_user="x", numbers=("+8624300=101",)))
    office.register("a", CARRIER)
    office.register("b", CARRIER)
    for user, name in (
        ("x", "b"),
        ("200", "b"),
        ("+200", "b"),
        ("8624300", "b"),
        ("+8624300", "b"),
        ("9", "a"),
    ):
        assert office.by(CARRIER, user) == name, user
    assert office.lines.are_at(CARRIER.remote[0])
    assert not office.lines.are_at(OTHER.remote[0])


def test_what_the_carrier_knows_us_by_tells_a_line_too() -> None:
    """P-Associated-URI. Two lines of one set are told apart by their own numbers all the same."""
    office = Office()
    office.set(line("a", "100"), line("b", "200"), line("c", "300"))
    office.register("a", CARRIER)
    office.register("b", CARRIER, "sip:200@ims.example", "tel:+86-24-1234", "sip:300@ims.example")
    office.register("c", CARRIER, "sip:300@ims.example", "tel:+86241234")
    found = [office.by(CARRIER, user) for user in ("+86241234", "86241234", "300", "9")]
    assert found == ["b", "b", "c", "a"]


def test_a_carrier_whose_connection_is_gone_may_open_another_one() -> None:
    office = Office()
    office.set(line("a", "100"))
    office.register("a", CARRIER)
    live = office.lines.get("a")
    assert live is not None
    live.registration.state = RegistrationState("unreachable", 0.0, expires_at=9e9)
    live.registration.flow = None
    office.lines.changed(live.registration)
    assert office.by(Flow("tcp", CARRIER.local, CARRIER.remote, 7), "100") == "a"
    live.registration.state = RegistrationState("refused", 0.0)
    office.lines.changed(live.registration)
    assert office.by(CARRIER, "100") == "", "it does not know us any more"


@pytest.mark.parametrize(
    "settings",
    [
        {"max_calls": 2},
        {"incoming": "101", "numbers": ("5=102",)},
        {"shows": "extension", "hide_caller": True, "from_user": "9", "from_display": "We"},
        {"extensions": ("101",), "no_100rel": True, "uri_parameter": "user=phone"},
    ],
)
def test_what_the_carrier_does_not_hear_of_changes_under_a_registration(settings: dict[str, Any]) -> None:
    office = Office()
    office.set(line("a", "100"))
    before = office.lines.get("a")
    assert before is not None
    registration = before.registration
    office.set(line("a", "100", **settings))
    live = office.lines.get("a")
    assert live is not None
    assert live.registration is registration
    assert live.line == line("a", "100", **settings)


def test_a_new_name_for_an_account_waits_until_the_old_registration_is_gone() -> None:
    """The de-registration of the old one would undo the new one: it has the same Contact."""
    office = Office()
    office.set(line("a", "100"), line("other", "200"))
    office.set(line("b", "100"), line("c", "300"))
    assert (office.lines.get("a"), office.lines.get("b")) == (None, None)
    assert office.lines.is_waiting("b")
    assert office.lines.get("c") is not None, "nobody it would have to wait for"
    told = office.told
    office.timers.wait(10)
    assert office.lines.get("b") is not None
    assert not office.lines.is_waiting("b")
    assert office.told > told


def test_switched_off_while_it_registers_and_on_again() -> None:
    office = Office()
    office.set(line("a", "100"))
    first = office.lines.get("a")
    office.set(line("a", "100", enabled=False))
    assert not office.lines.is_waiting("a")
    office.set(line("a", "100"))
    assert office.lines.is_waiting("a")
    office.timers.wait(10)
    second = office.lines.get("a")
    assert second is not None
    assert second is not first
    office.set()
    office.timers.wait(10)
    assert office.lines.get("a") is None


def test_what_another_version_has_stored_starts_no_line_and_stops_no_other() -> None:
    office = Office()
    office.set(line("bad", "1", server="a b"), line("a", "100"))
    assert office.lines.get("bad") is None
    assert office.lines.get("a") is not None


@asynccontextmanager
async def registered(zone: Zone) -> AsyncIterator[Office]:
    """A line that its carrier knows."""
    office = Office(zone)
    async with anyio.create_task_group() as tasks:
        await tasks.start(office.sender.run)
        office.set(Line(name="a", server="carrier.example", account="100"))
        await anyio.wait_all_tasks_blocked()
        ((flow, data),) = office.wire.out
        office.wire.out.clear()
        request = parse_message(data)
        assert isinstance(request, Request)
        contact = f"{request.headers.get('Contact')};expires=600"
        office.wire.receive(request.respond(200, to_tag="t", headers=[("Contact", contact)]), flow)
        assert office.by(flow, "100") == "a"
        yield office
        tasks.cancel_scope.cancel()


async def test_at_the_end_all_are_taken_back_and_none_begins_again() -> None:
    async with registered(Zone()) as office:
        left = anyio.Event()

        async def leave() -> None:
            await office.lines.leave_all()
            left.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leave)
            await anyio.wait_all_tasks_blocked()
            flow, data = office.wire.out[-1]
            request = parse_message(data)
            assert isinstance(request, Request)
            assert request.expires == 0
            assert not left.is_set()
            office.wire.receive(request.respond(200, to_tag="t"), flow)
            await left.wait()
        office.set(Line(name="a", server="carrier.example", account="100"))
        office.timers.wait(60)
        assert office.lines.get("a") is None


async def test_a_carrier_that_says_nothing_does_not_hold_up_the_end() -> None:
    async with registered(Zone()) as office:
        with anyio.fail_after(STOP_WITHIN + 2):
            await office.lines.leave_all()
        assert office.lines.get("a") is None


async def test_a_line_that_is_being_taken_back_is_waited_for_at_the_end() -> None:
    async with registered(Zone()) as office:
        office.set()
        with anyio.move_on_after(1) as scope:
            await office.lines.leave_all()
        assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("server", "setting", "host", "port"),
    [
        ("h", 0, "h", 0),
        ("h", 5062, "h", 5062),
        ("h:5070", 0, "h", 5070),
        ("h:5070", 5062, "h", 5070),
        ("[2001:db8::1]", 0, "[2001:db8::1]", 0),
        ("[2001:db8::1]", 5062, "[2001:db8::1]", 5062),
        ("[2001:db8::1]:5070", 5062, "[2001:db8::1]", 5070),
    ],
)
def test_the_server_of_an_account(server: str, setting: int, host: str, port: int) -> None:
    account = account_of(Line(name="a", server=server, port=setting, account="1"))
    assert (account.server, account.port) == (host, port)


async def sent_anew(office: Office) -> list[Request]:
    """The REGISTERs that are sent now."""
    await anyio.wait_all_tasks_blocked()
    return [each for each in office.wire.take() if isinstance(each, Request)]


async def test_another_address_of_ours_is_told_at_once() -> None:
    async with registered(Zone()) as office:
        office.wire.take()
        office.wire.local = ("192.0.2.77", 5060)
        office.lines.network_changed({"192.0.2.1"}, elsewhere=False)
        (request,) = await sent_anew(office)
        assert "@192.0.2.77:5060" in str(request.contacts[0].uri)


async def test_whoever_is_registered_over_what_stays_is_left_alone() -> None:
    async with registered(Zone()) as office:
        office.wire.take()
        office.lines.network_changed({"203.0.113.1"}, elsewhere=False)
        assert await sent_anew(office) == []
        office.lines.network_changed(set(), elsewhere=True)
        (request,) = await sent_anew(office)
        assert request.expires == 3600, "by another gateway the carrier may see us elsewhere"


async def test_a_network_that_is_gone_and_back() -> None:
    """Nobody waits for the next try: the first one after the network is back is at once."""
    async with registered(Zone()) as office:
        live = office.lines.get("a")
        assert live is not None
        office.wire.take()
        ours, office.wire.local = office.wire.local, ("", 0)
        office.lines.network_changed({ours[0]}, elsewhere=False)
        assert await sent_anew(office) == []
        assert (live.registration.state.status, live.registration.state.cause) == ("unreachable", "transport")
        office.timers.wait(600)
        assert await sent_anew(office) == []
        office.wire.local = ours
        office.lines.network_changed(set(), elsewhere=False)
        (request,) = await sent_anew(office)
        assert request.expires == 3600


async def test_over_a_connection_its_own_address_counts() -> None:
    async with registered(Zone()) as office:
        live = office.lines.get("a")
        assert live is not None
        live.registration.flow = Flow("tcp", ("192.0.2.1", 5060), ("198.51.100.1", 5060), 7)
        office.wire.take()
        office.lines.network_changed({"192.0.2.2"}, elsewhere=False)
        assert await sent_anew(office) == []
        office.lines.network_changed({"192.0.2.1"}, elsewhere=False)
        assert len(await sent_anew(office)) == 1
