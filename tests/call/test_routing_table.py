"""Routes made ready to be asked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.call.decision import FromExtension
from appliance.call.dial_plan import decide
from appliance.call.routing_table import TableRoute, compile_table
from appliance.config.dial_plan import DialPlan
from appliance.config.extension import Extension
from appliance.config.route import MAX_ROUTES, Route, Target
from tests.call.test_dial_plan import NOON, PATTERNS
from tests.config.test_route import route

NOBODY: dict[str, Extension] = {}


@given(st.lists(PATTERNS, max_size=12), st.text("0129", max_size=6))
def test_what_matches_comes_in_order_of_precedence(patterns: list[str], number: str) -> None:
    routes = [route(f"r{place}", pattern) for place, pattern in enumerate(patterns) if pattern]
    by_hand = sorted((TableRoute.of(each) for each in routes), key=lambda each: each.precedence)
    found = compile_table(routes, DialPlan(), NOBODY.get).matching(number)
    assert list(found) == [each for each in by_hand if each.pattern.matches(number)]


def test_the_ways_out_are_those_of_routes_and_then_the_others() -> None:
    routes = [
        route("wide", "X.", to=("trunk:b", "extension:101", "line:a")),
        route("close", "0.", to=("line:a",)),
        route("off", "1.", to=("line:off",), enabled=False),
    ]
    table = compile_table(routes, DialPlan(), NOBODY.get, ("line:spare", "trunk:b"))
    assert table.ways == tuple(map(Target.parse, ("line:a", "trunk:b", "line:spare")))


def test_other_ways_to_dial_an_emergency_number() -> None:
    table = compile_table([], DialPlan(), NOBODY.get)
    assert table.other_ways_to_dial("110", "110") == ["9110"]
    assert table.other_ways_to_dial("110", "9110") == ["110"]
    without_prefix = compile_table([], DialPlan(out_prefix=""), NOBODY.get)
    assert without_prefix.other_ways_to_dial("110", "110") == []


@pytest.mark.parametrize(
    ("begin", "end", "number", "limit"),
    [
        ("0", ".", "09995", 0.002),  # found by how it begins
        ("X", ".", "99995", 0.02),  # looked at one after another
        ("X" * 60, "!", "9" * 64, 0.05),  # the worst that can be written
    ],
)
def test_a_full_table_is_quick(begin: str, end: str, number: str, limit: float) -> None:
    routes: list[Route] = [route(f"r{each}", f"{begin}{each:03}{end}") for each in range(MAX_ROUTES)]
    table = compile_table(routes, DialPlan(), NOBODY.get)
    assert table.unreadable == ()
    started = time.process_time()
    for _ in range(10):
        decide(number, FromExtension("101", 9), NOON, table)
    assert (time.process_time() - started) / 10 < limit
