"""What carriers do as registrars and proxies, played by Kamailio: an edge proxy, a registrar behind it, sipp as the world beyond.

The exchange is a whole one, and finds its carrier by SRV records. What carriers do in a call: test_by_sipp.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.interop.exchange import free_ports, running_exchange, wait_until
from tests.interop.office import RATE, Office
from tests.peers import kamailio_carrier
from tests.peers.kamailio_carrier import DOMAIN, LEAST, LONGEST, REALM, KamailioCarrier
from tests.peers.name_server import NameServer
from tests.peers.sipp import Callee, Sipp

WHY_NOT = kamailio_carrier.why_not() or (
    "" if shutil.which("sipp") else "sipp (Debian: sip-tester) is not installed"
)
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

HOST = "127.0.0.1"
ACCOUNT = "+862412345678"
USER = f"862412345678@{DOMAIN}"
PASSWORD = "not-a-secret"
CALLED = "13900000000"
PATIENCE_S = 25.0


@dataclass(frozen=True, slots=True)
class World:
    """An office, the names it can find, and the telephones beyond its carrier."""

    folder: Path
    office: Office
    names: NameServer
    beyond: int
    "The port of those telephones."

    @contextmanager
    def carrier(self, name: str = "carrier") -> Iterator[KamailioCarrier]:
        folder = self.folder / name
        folder.mkdir()
        edge, registrar = free_ports(HOST, 2)
        made = KamailioCarrier(folder, (edge, registrar), USER, PASSWORD, world=self.beyond)
        with made as carrier:
            yield carrier

    def leads_to(self, *ports: int) -> None:
        """The carrier's domain has a server at each of these ports, in this order."""
        self.names.add(f"server.{DOMAIN}", "A", HOST)
        targets = [f"{place} 0 {port} server.{DOMAIN}." for place, port in enumerate(ports)]
        self.names.add(f"_sip._udp.{DOMAIN}", "SRV", *targets)

    def line(self, state: str = "registered", **settings: Any) -> None:
        """The line `out`; 9 leads to it."""
        values = {
            "name": "out", "server": DOMAIN, "domain": DOMAIN, "realm": REALM, "account": ACCOUNT, "auth_name": USER,
            "password": PASSWORD, "transport": "udp", "incoming": self.office.called, "expiry": 60, **settings,
        }  # fmt: skip
        self.office.exchange.perform("lines", "add", None, values)
        self.office.exchange.perform(
            "routes", "add", None, {"name": "out", "pattern": "9X.", "strip": 1, "to": "line:out"}
        )
        wait_until(lambda: self.shown()["state"] == state, f"the line {state}", PATIENCE_S)

    def shown(self) -> dict[str, Any]:
        """What is shown of the line."""
        return dict(self.office.exchange.perform("lines", "show", "out"))

    def is_granted_more(self, end: str) -> bool:
        """Whether the line is registered for longer than until then."""
        return str(self.shown()["expires_at"]) > end

    def calls_out(self) -> None:
        """The office calls somebody beyond, who answers; both hang up in order."""
        office = self.office
        users = self.folder / "out.csv"
        proof = f"[authentication username={office.caller} password={office.passwords[office.caller]}]"
        users.write_text(f"SEQUENTIAL\n{office.caller};{proof};9{CALLED};\n")
        caller = Sipp(office.exchange.sip, self.folder, users, media_port=office.media[0])
        options = ("-m", "1", "-d", "300", "-t", "u1")
        with Callee(
            caller, "callee", *options, host=HOST, port=self.beyond, media_port=office.media[1]
        ) as callee:
            outcome = caller.run("caller", 1, RATE, "-d", "300", "-t", "u1", port=office.ports[0])
            assert (outcome.done, outcome.failed) == (1, 0), outcome.errors
            assert callee.ended() == 0, callee.errors
        office.exchange.wait_idle()

    def is_called(self, carrier: KamailioCarrier) -> None:
        """Somebody beyond calls the line's number, and the office answers."""
        office = self.office
        office.register(office.called, office.ports[1])
        beyond = Sipp(
            carrier.registrar, self.folder, office.sipp.users, host=HOST, media_port=office.media[2]
        )
        beyond.placeholders = {
            "uri": f"sip:{ACCOUNT}@{DOMAIN}",
            "caller": "<sip:+8613911111111@carrier.example>",
            "header": "X-Word: none",
        }
        with office.callee() as callee:
            outcome = beyond.run("carrier_calls", 1, RATE, "-d", "300", "-t", "u1", port=self.beyond)
            assert (outcome.done, outcome.failed) == (1, 0), outcome.errors
            assert callee.ended() == 0, callee.errors
        office.exchange.wait_idle()

    def causes(self) -> list[tuple[str, str]]:
        """From whom and how each call ended, oldest first."""
        records = self.office.exchange.perform("records", "list")
        return [(each["from_number"], each["cause"]) for each in reversed(records)]


@pytest.fixture
def world(tmp_path: Path, names: NameServer) -> Iterator[World]:
    names.records.clear()
    dns = "{}:{}".format(*names.address)
    with running_exchange(tmp_path, HOST, "--dns", dns) as exchange:
        yield World(tmp_path, Office.of(exchange, tmp_path), names, _port())
        assert "Traceback" not in exchange.log


def _port() -> int:
    (port,) = free_ports(HOST, 1)
    return port


def test_a_proxy_apart_from_the_domain(world: World) -> None:
    """Registrar, proxy, domain and realm are four names; calls go out by the proxy, proven, and come in by it."""
    with world.carrier() as carrier:
        world.leads_to(_port())  # nobody there: the proxy is what is asked
        world.line(proxy="{}:{}".format(*carrier.edge))
        assert world.shown()["address"] == "udp {}:{}".format(*carrier.edge)
        world.calls_out()
        world.is_called(carrier)
    assert world.causes() == [(world.office.caller, "normal"), ("+8613911111111", "normal")]


def test_a_first_server_that_is_dead(world: World) -> None:
    """The SRV record of highest priority leads to nobody: the line registers at the second, and calls go there at once."""
    with world.carrier() as carrier:
        world.leads_to(_port(), carrier.registrar[1])
        world.line()
        assert world.shown()["address"] == "udp {}:{}".format(*carrier.registrar)
        world.calls_out()
    assert world.causes() == [(world.office.caller, "normal")]


def test_the_carrier_moves(world: World) -> None:
    """Its old server is gone, and its name leads to a new one: the next refresh finds it, and calls work both ways."""
    with world.carrier("old") as old:
        world.leads_to(old.registrar[1])
        world.line()
    with world.carrier("new") as new:
        world.leads_to(new.registrar[1])
        moved = "udp {}:{}".format(*new.registrar)
        wait_until(lambda: world.shown().get("address") == moved, "the line at the new server", PATIENCE_S)
        world.calls_out()
        world.is_called(new)
    assert [cause for _, cause in world.causes()] == ["normal", "normal"]


def test_a_short_expiry(world: World) -> None:
    """It wants to be asked for ten minutes (423) and grants seconds: what it grants counts, again and again."""
    with world.carrier() as carrier:
        world.leads_to(carrier.registrar[1])
        world.line(expiry=LEAST // 10)
        for _ in range(2):
            end = str(world.shown()["expires_at"])
            wait_until(partial(world.is_granted_more, end), "a refresh", 2.0 * LONGEST)
            assert world.shown()["state"] == "registered"
        world.calls_out()
    assert world.causes() == [(world.office.caller, "normal")]


def test_403(world: World) -> None:
    """Another account than the proven name's is forbidden, and not asked about again soon; others go on."""
    with world.carrier() as carrier:
        world.leads_to(carrier.registrar[1])
        world.line("refused", account="+862499999999", auth_name="862499999999")
        shown = world.shown()
        assert (shown["cause"], shown["reason"]) == ("forbidden", "403 Another Name")
        assert shown["next_try_at"]


def test_a_wrong_password(world: World) -> None:
    with world.carrier() as carrier:
        world.leads_to(carrier.registrar[1])
        world.line("refused", password="guessed")
        assert world.shown()["cause"] == "wrong_password"
