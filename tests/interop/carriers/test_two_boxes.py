"""Two exchanges: one is the other's carrier, and both trust each other by address.

RFC 3261 §10, §22; tests of what a carrier may do wrong stand beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.exchange import Exchange, running_exchange, wait_until
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

HOME, CARRIER = "127.21.0.1", "127.21.0.2"


@pytest.fixture
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Stage]]:
    """An office, and what it is connected to."""
    with (
        running_exchange(tmp_path_factory.mktemp("home"), HOME) as home,
        running_exchange(tmp_path_factory.mktemp("carrier"), CARRIER) as carrier,
        Stage(home) as office,
        Stage(carrier) as world,
    ):
        yield office, world
        for exchange in (home, carrier):
            assert "Traceback" not in exchange.log


def address(exchange: Exchange) -> str:
    return f"{exchange.sip[0]}:{exchange.sip[1]}"


def line_of(exchange: Exchange, name: str = "carrier") -> dict[str, Any]:
    line: dict[str, Any] = exchange.perform("lines", "show", name)
    return line


def registered(exchange: Exchange, name: str = "carrier") -> bool:
    return bool(line_of(exchange, name)["state"] == "registered")


def connect(office: Stage, world: Stage, **settings: str) -> str:
    """An account at the carrier, registered; its number."""
    account = world.account()
    values = {"name": "carrier", "server": address(world.exchange), "account": account.number}
    office.exchange.perform("lines", "add", None, {**values, "password": account.password, **settings})
    office.exchange.perform("routes", "add", None, {"name": "out", "pattern": "X.", "to": "line:carrier"})
    wait_until(lambda: registered(office.exchange), "the line")
    return account.number


def test_out_by_a_line(boxes: tuple[Stage, Stage]) -> None:
    office, world = boxes
    number = connect(office, world)
    alice, far = office.phone(), world.phone()
    office.call(alice, f"9{far.number}", alice.offer())
    world << far.gets("INVITE", f"From: <sip:{number}@{CARRIER}") >> far.says(180)
    office << alice.gets(180)
    assert line_of(office.exchange)["calls"] == 1
    world >> far.says(200, far.offer()) << far.gets("ACK")
    office << alice.gets(200) >> alice.ack() >> alice.bye() << alice.gets(200)
    world << far.gets("BYE") >> far.ok()
    (record,) = office.exchange.wait_records(1)
    assert (record["cause"], record["to_number"]) == ("normal", f"9{far.number}")
    assert line_of(office.exchange)["calls"] == 0


def test_in_by_a_line(boxes: tuple[Stage, Stage]) -> None:
    office, world = boxes
    alice = office.phone()
    number = connect(office, world, incoming=alice.number)
    far = world.phone()
    world.call(far, number, far.offer())
    office << alice.gets("INVITE", f"sip:{far.number}@") >> alice.says(180)
    world << far.gets(180)
    office >> alice.says(200, alice.offer()) << alice.gets("ACK")
    world << far.gets(200) >> far.ack()
    office >> alice.bye() << alice.gets(200)
    world << far.gets("BYE") >> far.ok()
    (record,) = office.exchange.wait_records(1)
    assert (record["from_number"], record["answered_by"], record["cause"]) == (
        far.number,
        alice.number,
        "normal",
    )


def test_a_wrong_password_is_said_and_mended(boxes: tuple[Stage, Stage]) -> None:
    office, world = boxes
    account = world.account()
    values = {
        "name": "carrier",
        "server": address(world.exchange),
        "account": account.number,
        "password": "wrong",
    }
    office.exchange.perform("lines", "add", None, values)
    wait_until(lambda: line_of(office.exchange)["state"] == "refused", "the refusal")
    assert line_of(office.exchange)["cause"] == "wrong_password"
    alice = office.phone()
    office.exchange.perform("routes", "add", None, {"name": "out", "pattern": "X.", "to": "line:carrier"})
    office.call(alice, "9200", alice.offer(), until=503)
    office >> alice.ack_refusal()
    assert office.exchange.wait_records(1)[0]["cause"] == "line_down"
    office.exchange.perform("lines", "set", "carrier", {"password": account.password})
    wait_until(lambda: registered(office.exchange), "the line")
    office.exchange.perform("routes", "remove", "out")
    office.exchange.perform("lines", "remove", "carrier")
    wait_until(lambda: not world.exchange.registered(), "the end of the registration")


def test_a_clean_stop_takes_the_registration_back(boxes: tuple[Stage, Stage]) -> None:
    office, world = boxes
    connect(office, world)
    assert office.exchange.stop() == 0
    assert world.exchange.registered() == set()


def trunk(stage: Stage, other: Stage, name: str, **settings: str) -> None:
    """Calls to 7... go to the other exchange, whose address is trusted."""
    peers = {"name": name, "peers": address(other.exchange), **settings}
    stage.exchange.perform("trunks", "add", None, peers)
    route = {"name": f"to-{name}", "pattern": "7X.", "strip": "1", "to": f"trunk:{name}"}
    stage.exchange.perform("routes", "add", None, route)
    wait_until(lambda: stage.exchange.perform("trunks", "show", name)["state"] == "up", "the trunk")


def test_two_exchanges_trust_each_other(boxes: tuple[Stage, Stage]) -> None:
    office, world = boxes
    trunk(office, world, "branch")
    trunk(world, office, "hq", number_format="tel")
    for here, there in ((office, world), (world, office)):
        caller, callee = here.phone(), there.phone()
        here.call(caller, f"7{callee.number}", caller.offer())
        (
            there
            << callee.gets("INVITE", f"sip:{caller.number}@")
            >> callee.says(200, callee.offer())
            << callee.gets("ACK")
        )
        here << caller.gets(200) >> caller.ack() >> caller.bye() << caller.gets(200)
        there << callee.gets("BYE") >> callee.ok()


def test_nobody_else_gets_through_a_trunk(boxes: tuple[Stage, Stage]) -> None:
    """A call from any other address is asked who it is; one by the trunk reaches extensions alone."""
    office, world = boxes
    office.exchange.perform("trunks", "add", None, {"name": "hq", "peers": "127.21.0.9"})
    stranger = ScriptedPhone(world.account(), office.line("udp", "127.21.0.3"), office._random)
    office >> stranger.invite(office.phone().number, stranger.offer()) << stranger.gets(401)
    stranger.close()
    trunk(world, office, "office")
    office.exchange.perform("trunks", "set", "hq", {"peers": address(world.exchange)})
    office.exchange.perform("routes", "add", None, {"name": "out", "pattern": "0X.", "to": "trunk:hq"})
    wait_until(lambda: office.exchange.perform("trunks", "show", "hq")["state"] == "up", "the trunk")
    thief = world.phone()
    world.call(thief, "70012345", thief.offer()) << thief.gets(403) >> thief.ack_refusal()
    assert office.exchange.wait_records(1)[0]["cause"] == "forbidden"


def test_a_loop_between_two_exchanges(boxes: tuple[Stage, Stage]) -> None:
    """Each routes a number to the other: whoever gets it a second time ends it, and nothing is left."""
    office, world = boxes
    trunk(office, world, "branch")
    trunk(world, office, "hq")
    for stage, name in ((office, "branch"), (world, "hq")):
        route = {"name": "back", "pattern": "66X.", "to": f"trunk:{name}", "callers": f"trunk:{name}"}
        stage.exchange.perform("routes", "add", None, route)
    office.exchange.perform("routes", "add", None, {"name": "out", "pattern": "66X.", "to": "trunk:branch"})
    alice = office.phone()
    office.call(alice, "6650", alice.offer()) << alice.gets(482) >> alice.ack_refusal()
    office.quiet()
    for stage in (office, world):
        stage.exchange.wait_idle()
        records = stage.exchange.wait_records(2)
        assert [record["cause"] for record in records] == ["loop", "loop"]
        (there,) = stage.exchange.perform("trunks", "list")
        assert there["calls"] == 0
    far = world.phone()
    office.call(alice, f"7{far.number}", alice.offer())
    world << far.gets("INVITE") >> far.says(200, far.offer()) << far.gets("ACK")
    office << alice.gets(200) >> alice.ack() >> alice.bye() << alice.gets(200)
    world << far.gets("BYE") >> far.ok()
