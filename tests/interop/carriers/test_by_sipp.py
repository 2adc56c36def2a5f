"""What carriers do in a call, each played by sipp: the caller is a sipp with its scenario, the carrier another one.

The same with every detail of every message: the scripted carriers of the files beside this one. What carriers do as
registrars and proxies: test_by_kamailio.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.interop.exchange import running_exchange
from tests.interop.office import RATE, Office
from tests.peers.sipp import CALLEE_HOST, Sipp
from tests.peers.sipp_carrier import NUMBER, SippCarrier

WHY_NOT = "" if shutil.which("sipp") else "sipp (Debian: sip-tester) is not installed"
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

CALLED = "13900000000"
OUR_100REL = r"Supported:[^\r\n]*100rel|Allow:[^\r\n]*PRACK"


@dataclass(frozen=True, slots=True)
class World:
    """An office, its carrier, and the way from the one to the other."""

    office: Office
    carrier: SippCarrier

    def line(self, **settings: Any) -> None:
        """The line `out`, registered; 9 leads to it."""
        self.carrier.line("out", incoming=self.office.called, **settings)
        route = {"name": "out", "pattern": "9X.", "strip": 1, "to": "line:out"}
        self.office.exchange.perform("routes", "add", None, route)

    def dial(self) -> None:
        """The office calls out, hears it ring, talks for a moment and hangs up."""
        office = self.office
        users = office.sipp.folder / "out.csv"
        password = office.passwords[office.caller]
        proof = f"[authentication username={office.caller} password={password}]"
        users.write_text(f"SEQUENTIAL\n{office.caller};{proof};9{CALLED};\n")
        sipp = Sipp(office.exchange.sip, office.sipp.folder, users, media_port=office.media[0])
        outcome = sipp.run("caller", 1, RATE, "-d", "300", "-t", "u1", port=office.ports[0])
        assert (outcome.done, outcome.failed) == (1, 0), outcome.errors
        office.exchange.wait_idle()

    def causes(self) -> list[str]:
        return [each["cause"] for each in self.office.exchange.wait_records(1)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_exchange(tmp_path) as exchange:
        yield World(Office.of(exchange, tmp_path), SippCarrier(exchange, tmp_path, CALLEE_HOST))
        assert "Traceback" not in exchange.log


def test_an_ims_that_requires_100rel(world: World) -> None:
    """Its 183 is reliable and bears the answer; its scenario fails where 100rel is not offered or PRACK is not right."""
    world.line()
    with world.carrier.plays("callee_reliable"):
        world.dial()
    assert world.causes() == ["normal"]
    assert world.carrier.lessons("out") == []


def test_100rel_off(world: World) -> None:
    """It refuses whatever speaks of 100rel, and is not asked twice."""
    world.line(no_100rel=True)
    status, header = "420 Bad Extension", "Unsupported: 100rel"
    with world.carrier.plays("carrier_refuses", refused=OUR_100REL, status=status, header=header):
        world.dial()
    assert world.carrier.did == ["takes"]
    assert world.carrier.lessons("out") == []


def test_405_to_prack(world: World) -> None:
    """The first call is saved by one retry within what the caller sees as one call; the next one does not offer 100rel."""
    world.line()
    with world.carrier.plays("carrier_refuses_prack", 3, status="405 Method Not Allowed"):
        world.dial()
        world.dial()
    assert world.carrier.did == ["demands", "refuses 7 1 INVITE", "takes", "takes"]
    assert world.causes() == ["normal", "normal"]
    assert world.carrier.lessons("out") == [("100rel", "without", "405 Method Not Allowed to PRACK")]


@pytest.mark.parametrize(
    ("settings", "refused", "status", "header", "lesson"),
    [
        ({}, r"Supported:[^\r\n]*timer", "420 Bad Extension", "Unsupported: timer", ("timer", "without")),
        (
            {"uri_parameter": "user=phone"},
            "^INVITE [^ ]*;user=phone",
            "404 Not Found",
            "X-Word: none",
            ("user-phone", "without"),
        ),
        ({}, "^INVITE [^ ;]* SIP", "484 Address Incomplete", "X-Word: none", ("user-phone", "with")),
        ({}, r"Supported:[^\r\n]*100rel", "420 Bad Extension", "Unsupported: 100rel", ("100rel", "without")),
    ],
    ids=["420 on timer", "refuses user=phone", "needs user=phone", "420 on 100rel"],
)
def test_what_an_invite_must_not_have(
    world: World, settings: dict[str, str], refused: str, status: str, header: str, lesson: tuple[str, str]
) -> None:
    """One retry saves the first call, and the next goes at once as this carrier wants it."""
    world.line(**settings)
    with world.carrier.plays("carrier_refuses", 3, refused=refused, status=status, header=header):
        world.dial()
        world.dial()
    assert world.carrier.did == ["refuses", "takes", "takes"]
    assert world.causes() == ["normal", "normal"]
    assert world.carrier.lessons("out") == [(*lesson, f"{status} to INVITE")]


@pytest.mark.parametrize("parameter", ["user=phone", ""], ids=["needs user=phone", "refuses user=phone"])
def test_the_setting_that_suits(world: World, parameter: str) -> None:
    world.line(uri_parameter=parameter)
    refused = "^INVITE [^ ;]* SIP" if parameter else "^INVITE [^ ]*;user=phone"
    with world.carrier.plays(
        "carrier_refuses", refused=refused, status="404 Not Found", header="X-Word: none"
    ):
        world.dial()
    assert world.carrier.did == ["takes"]
    assert world.carrier.lessons("out") == []


def test_an_ims_with_tel_in(world: World) -> None:
    """Request-URI, To and From are `tel:`, with visual separators; the asserted number is shown."""
    world.line()
    office = world.office
    office.register(office.called, office.ports[1])
    with office.callee() as callee:
        world.carrier.calls(
            f"tel:{NUMBER}",
            '"A" <tel:+86-139-3333-3333>',
            "P-Asserted-Identity: <tel:+86-139-1111-1111>",
        )
        assert callee.ended() == 0, callee.errors
    (record,) = office.exchange.wait_records(1)
    assert (record["from_number"], record["cause"]) == ("+8613911111111", "normal")
    assert record["answered_by"] == office.called


def test_403(world: World) -> None:
    """The line says so with the carrier's words, and asks again much later."""
    world.carrier.line("out", status="403 Forbidden", state="refused")
    shown = world.carrier.shown("out")
    assert (shown["cause"], shown["reason"]) == ("forbidden", "403 Forbidden")
    assert shown["next_try_at"]
