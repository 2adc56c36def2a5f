"""Area `routes`: what a call would do, and why; and what cannot be taken away while a route names it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from appliance.call.cause import Cause
from appliance.call.decision import Decision, FromExtension, FromOutside, Refused, Step
from appliance.call.routing_table import compile_table
from appliance.errors import ConfigError
from tests.control.fakes import Bench


async def furnish(bench: Bench) -> None:
    """A line, a trunk, an extension and two routes, which the router knows."""
    await bench("system", "set", time_zone="Asia/Shanghai", language="en")
    await bench("extensions", "add", number="101", password="pw-101-x")
    await bench("extensions", "set", "101", level="3")
    await bench("lines", "add", name="carrier", server="sip.example.net", account="100200")
    await bench("trunks", "add", name="hq", peers="192.0.2.9")
    await bench("routes", "add", name="out", pattern="X.", to="line:carrier", times="mon-fri@08:00-18:00")
    await bench("routes", "add", name="abroad", pattern="00.", to="line:carrier", level="5")
    await bench("routes", "add", name="transit", pattern="7X.", to="line:carrier", callers="trunk:hq")
    now = bench.config.current
    find = bench.config.current.extensions.get
    bench.exchange.router.around.table = compile_table(
        now.routes.values(), now.dial_plan, find, ["line:carrier", "trunk:hq"]
    )


@pytest.mark.parametrize(
    ("number", "asked", "outcome"),
    [
        ("9112", {"from": "101", "at": "2026-05-04T08:30"}, "line:carrier 112 emergency"),
        ("112", {"from": "101", "at": "2026-05-04T03:00"}, "line:carrier 112 emergency"),
        ("9555", {"from": "101", "at": "2026-05-04T08:30"}, "line:carrier 555"),
        ("9555", {"from": "101", "at": "2026-05-04T19:00"}, "forbidden"),
        ("9555", {"from": "101", "at": "2026-05-03T08:30"}, "forbidden"),
        ("90049", {"from": "101", "at": "2026-05-04T08:30"}, "forbidden"),
        ("90049", {"at": "2026-05-04T08:30"}, "line:carrier 0049"),
        ("101", {"from": "trunk:hq"}, "101"),
        ("9555", {"from": "trunk:hq", "at": "2026-05-04T08:30"}, "forbidden"),
        ("7555", {"from": "trunk:hq"}, "line:carrier 7555"),
        ("7555", {"from": "line:carrier"}, "forbidden"),
        # An offset is what it says: 00:30 in London's winter is half past eight in China.
        ("9555", {"from": "101", "at": "2026-05-04T00:30+00:00"}, "line:carrier 555"),
    ],
)
async def test_where_a_call_would_go(bench: Bench, number: str, asked: dict[str, str], outcome: str) -> None:
    await furnish(bench)
    told = await bench("routes", "test", number, **asked)
    assert _in_words(told["decision"]["outcome"]) == outcome
    assert len(told["because"]) == len(told["decision"]["steps"])
    assert all(step and "{" not in step for step in told["because"])
    assert number in told["because"][0]


def _in_words(outcome: dict[str, Any]) -> str:
    if outcome["type"] == "refused":
        return str(outcome["cause"])
    first = outcome["destinations"][0]
    way = f"{first['kind']}:{first['name']} " if first["type"] == "outside" else ""
    return f"{way}{first['number']}" + (" emergency" if outcome["emergency"] else "")


async def test_in_the_language_of_the_box(bench: Bench) -> None:
    await furnish(bench)
    english = (await bench("routes", "test", "9112", **{"from": "101"}))["because"]
    await bench("system", "set", language="zh")
    chinese = (await bench("routes", "test", "9112", **{"from": "101"}))["because"]
    assert len(english) == len(chinese)
    assert all(one != other for one, other in zip(english, chinese, strict=True))


@pytest.mark.parametrize(
    ("asked", "path", "key"),
    [
        ({"from": "999"}, "routes.9112.from", "error.not_found"),
        ({"from": "line:none"}, "routes.9112.from", "error.not_found"),
        ({"from": "trunk:carrier"}, "routes.9112.from", "error.not_found"),
        ({"from": "extension:101"}, "routes.9112.from", "error.not_found"),
        ({"at": "half past eight"}, "routes.9112.at", "error.bad_time"),
    ],
)
async def test_what_is_no_question(bench: Bench, asked: dict[str, str], path: str, key: str) -> None:
    await furnish(bench)
    with pytest.raises(ConfigError) as refused:
        await bench("routes", "test", "9112", **asked)
    assert (refused.value.path, refused.value.key) == (path, key)


async def test_what_a_route_names_stays(bench: Bench) -> None:
    await furnish(bench)
    for area, name in (("lines", "carrier"), ("trunks", "hq")):
        with pytest.raises(ConfigError) as refused:
            await bench(area, "remove", name)
        assert refused.value.key == "error.no_such_destination"
    for name in ("out", "abroad", "transit"):
        await bench("routes", "remove", name)
    await bench("lines", "remove", "carrier")
    await bench("trunks", "remove", "hq")
    with pytest.raises(ConfigError) as refused:
        await bench("routes", "add", name="out", pattern="X.", to="line:carrier")
    assert (refused.value.path, refused.value.key) == ("routes.out.to", "error.no_such_destination")


async def test_who_would_call_is_as_the_router_asks(bench: Bench) -> None:
    await furnish(bench)
    asked: list[tuple[object, ...]] = []

    def decide(number: str, caller: object, at: datetime) -> Decision:
        asked.append((number, caller, at.isoformat()))
        return Decision(Refused(Cause.NOT_FOUND), (Step("route.none", {"number": number}),))

    bench.exchange.router.decide = decide  # type: ignore[method-assign]
    for caller in ("", "101", "line:carrier"):
        await bench("routes", "test", "5", **{"from": caller, "at": "2026-05-04T08:30"})
    at = "2026-05-04T08:30:00+08:00"
    assert asked == [
        ("5", FromExtension("", 9), at),
        ("5", FromExtension("101", 3), at),
        ("5", FromOutside("line:carrier"), at),
    ]
