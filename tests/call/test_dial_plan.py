"""The dial plan: where a number goes, for whom, when, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.call.cause import Cause
from appliance.call.decision import (
    Caller,
    Decision,
    Destination,
    FromExtension,
    FromOutside,
    Passed,
    Refused,
    ToExtension,
    ToFeature,
    ToOutside,
)
from appliance.call.dial_plan import decide
from appliance.call.routing_table import RoutingTable, compile_table
from appliance.config.dial_plan import DialPlan
from appliance.config.route import FAIL_OVER_DEFAULT, Route
from appliance.locale import LANGUAGES, say
from tests.config.test_extension import extension
from tests.config.test_hours import moment
from tests.config.test_route import route

EXTENSIONS = {number: extension(number) for number in ("101", "102", "201")} | {
    "103": extension("103", enabled=False)
}
CARRIER = "line:carrier"
BRANCH = "trunk:branch"
NOON = moment("mon 12:00")


def table(*routes: Route, outside: tuple[str, ...] = (), **settings: Any) -> RoutingTable:
    return compile_table(routes, DialPlan(**settings), EXTENSIONS.get, outside)


def ask(
    plan: RoutingTable, number: str, caller: str | Caller = "101", at: datetime = NOON, *, right: int = 0
) -> Decision:
    who = caller if not isinstance(caller, str) else FromExtension(caller, right)
    return decide(number, who, at, plan)


def keys(decision: Decision) -> list[str]:
    return [each.key.removeprefix("route.") for each in decision.steps]


def where(decision: Decision) -> list[str]:
    """The destinations as texts, or the cause of the refusal."""
    match decision.outcome:
        case Passed(destinations=destinations):
            return [show(each) for each in destinations]
        case Refused(cause):
            return [cause.value]


def show(destination: Destination) -> str:
    match destination:
        case ToExtension(number):
            return f"extension {number}"
        case ToFeature(name, number):
            return f"feature {name} {number}"
        case ToOutside(kind, name, number):
            return f"{kind} {name} {number}"


# Extensions, the out prefix, routes.

OFFICE = table(
    route("local", "[2-8]XXXXXXX", prepend="010"),
    route("long", "0."),
    route("abroad", "00.", to=(BRANCH, CARRIER), level=3),
    route("mobile", "1[3-9]XXXXXXXXX", level=1),
    route("operator", "0", to=("extension:101",)),
    route("echo", "*9X", to=("feature:echo",)),
    route("plus", "+.", replace="5", level=2),
)


@pytest.mark.parametrize(
    ("number", "right", "goes"),
    [
        ("102", 0, ["extension 102"]),
        ("103", 9, ["not_found"]),  # switched off: its number is not free for routes
        ("985551234", 0, ["line carrier 01085551234"]),
        ("85551234", 0, ["line carrier 01085551234"]),
        ("902012345678", 0, ["line carrier 02012345678"]),
        ("900441234", 3, ["trunk branch 00441234", "line carrier 00441234"]),
        ("900441234", 2, ["forbidden"]),
        ("00441234", 2, ["forbidden"]),
        ("913800138000", 1, ["line carrier 13800138000"]),
        ("913800138000", 0, ["forbidden"]),
        ("912800138000", 9, ["not_found"]),
        ("0", 0, ["extension 101"]),
        ("90", 0, ["not_found"]),  # what follows the out prefix is routed outside only
        ("9102", 0, ["not_found"]),
        ("*97", 0, ["feature echo *97"]),
        ("+4930", 2, ["line carrier 5"]),
        ("9", 9, ["not_found"]),
        ("", 9, ["not_found"]),
        ("alice", 9, ["not_found"]),
        ("0" * 65, 9, ["not_found"]),
    ],
)
def test_where_a_number_goes(number: str, right: int, goes: list[str]) -> None:
    assert where(ask(OFFICE, number, right=right)) == goes


@pytest.mark.parametrize(
    ("prefix", "number", "goes"),
    [
        ("", "9010", ["not_found"]),
        ("", "010", ["line carrier 010"]),
        ("*0#", "*0#010", ["line carrier 010"]),
        ("0", "0010", ["line carrier 010"]),
        ("0", "010", ["line carrier 010"]),  # nothing matches 10: as it was dialled
    ],
)
def test_any_out_prefix_or_none(prefix: str, number: str, goes: list[str]) -> None:
    assert where(ask(table(route(pattern="010!"), out_prefix=prefix), number)) == goes


@pytest.mark.parametrize(
    ("settings", "number", "goes"),
    [
        ({"pattern": "010.", "strip": 3}, "01085551234", ["line carrier 85551234"]),
        ({"pattern": "010.", "strip": 3, "prepend": "+8610"}, "0108555", ["line carrier +86108555"]),
        ({"pattern": "010.", "replace": "12345"}, "0108555", ["line carrier 12345"]),
        ({"pattern": "8555XXX", "strip": 4, "to": ("extension",)}, "8555102", ["extension 102"]),
        ({"pattern": "8555XXX", "strip": 4, "to": ("extension",)}, "8555999", ["not_found"]),
        ({"pattern": "8555XXX", "strip": 4, "to": ("extension:103", "extension:102")}, "8555999", ["extension 102"]),
        ({"pattern": "8X", "prepend": "1" * 63}, "80", ["not_found"]),  # 65 characters
    ],
)  # fmt: skip
def test_changes_of_the_number(settings: dict[str, Any], number: str, goes: list[str]) -> None:
    assert where(ask(table(route(**settings)), number)) == goes


def test_fail_over_is_as_the_route_says() -> None:
    chosen = ask(table(route(to=(BRANCH, CARRIER), fail_over_on=("busy", "failed", "unheard-of"))), "0101")
    assert isinstance(chosen.outcome, Passed)
    assert chosen.outcome.fail_over_on == {Cause.BUSY, Cause.FAILED}
    assert keys(chosen)[-1] == "fail_over"
    assert {each.value for each in Cause} >= set(FAIL_OVER_DEFAULT)
    assert keys(ask(table(route(to=(BRANCH, CARRIER), fail_over_on=())), "0101"))[-1] == "no_fail_over"


# Which route decides.


def test_the_closest_pattern_decides_then_callers_then_hours_then_the_name() -> None:
    routes = [
        route("a-wide", "X."),
        route("b-name", "0XX"),
        route("a-name", "0XX"),
        route("hours", "0XX", times=("00:00-24:00",)),
        route("callers", "0XX", callers=("101",)),
        route("both", "0XX", callers=("101",), times=("00:00-24:00",)),
        route("literal", "01.", level=0),
    ]
    order = []
    while routes:
        outcome = ask(table(*routes), "012").outcome
        assert isinstance(outcome, Passed)
        order.append(outcome.route)
        routes = [each for each in routes if each.name != outcome.route]
    assert order == ["literal", "both", "callers", "hours", "a-name", "b-name", "a-wide"]


DAY_AND_NIGHT = table(
    route("day", "0.", times=("mon-fri 08:00-18:00",), level=1),
    route("night", "0.", times=("18:00-08:00",), to=(BRANCH,)),
)


@pytest.mark.parametrize(
    ("at", "goes"),
    [
        ("mon 12:00", ["forbidden"]),
        ("mon 18:00", ["trunk branch 01"]),
        ("tue 07:59", ["trunk branch 01"]),
        ("sat 12:00", ["forbidden"]),
    ],
)
def test_the_time_chooses_among_equal_patterns(at: str, goes: list[str]) -> None:
    assert where(ask(DAY_AND_NIGHT, "01", at=moment(at))) == goes


def test_callers_choose() -> None:
    plan = table(
        route("second-floor", "0.", callers=("2XX",), to=(BRANCH,)), route("ground", "0.", callers=("1XX",))
    )
    assert where(ask(plan, "01", "201")) == ["trunk branch 01"]
    assert where(ask(plan, "01", "101")) == ["line carrier 01"]
    assert where(ask(plan, "01", "301")) == ["forbidden"]


def test_a_level_holds_for_wider_patterns_when_its_route_is_closed_or_for_others() -> None:
    closed = route("abroad", "00.", times=("mon-fri 08:00-18:00",), level=3)
    others = route("abroad", "00.", callers=("2XX",), level=3)
    from_branch = route("abroad", "00.", callers=(BRANCH,), level=3)
    everything = route("all", "X.")
    assert where(ask(table(closed, everything), "0044", at=moment("sun 12:00"), right=2)) == ["forbidden"]
    assert where(ask(table(closed, everything), "0044", at=moment("sun 12:00"), right=3)) == [
        "line carrier 0044"
    ]
    assert where(ask(table(others, everything), "0044", right=2)) == ["forbidden"]
    # A route for strangers says nothing about people in the house.
    assert where(ask(table(from_branch, everything), "0044")) == ["line carrier 0044"]


def test_what_is_switched_off_or_not_understood_is_not_there() -> None:
    plan = table(route("off", "0.", enabled=False), route("odd", "0.", times=("at full moon",)))
    assert where(ask(plan, "01")) == ["not_found"]
    assert plan.unreadable == ("odd",)


# From outside.


@pytest.mark.parametrize(
    ("number", "way", "goes"),
    [
        ("101", CARRIER, ["extension 101"]),
        ("5551", CARRIER, ["extension 102"]),
        ("5551", "line:other", ["forbidden"]),
        ("0044", CARRIER, ["forbidden"]),
        ("0044", BRANCH, ["line carrier 0044"]),  # named; it has no right, and needs none
        ("90044", BRANCH, ["not_found"]),  # the out prefix is for extensions
        ("110", CARRIER, ["not_found"]),
        ("*97", CARRIER, ["forbidden"]),
    ],
)
def test_calls_from_outside_use_only_routes_that_name_their_way(
    number: str, way: str, goes: list[str]
) -> None:
    plan = table(
        route("did", "5551", callers=(CARRIER,), to=("extension:102",)),
        route("abroad", "00.", callers=("1XX", BRANCH), level=9),
        route("echo", "*97", to=("feature:echo",)),
    )
    assert where(ask(plan, number, FromOutside(way))) == goes


# Emergencies.


@pytest.mark.parametrize("number", ["110", "9110", "911", "9911"])
def test_an_emergency_number_passes_by_any_way_there_is(number: str) -> None:
    never = route("never", "X.", callers=("999",), times=("mon 00:00-00:01",), level=9)
    plan = table(never, route("far", "+.", to=(BRANCH,)), outside=("line:spare", CARRIER))
    decision = ask(plan, number)
    bare = number.removeprefix("9") if number != "911" else number
    assert where(decision) == [f"line carrier {bare}", f"trunk branch {bare}", f"line spare {bare}"]
    assert isinstance(decision.outcome, Passed)
    assert decision.outcome.emergency
    assert {Cause.BUSY, Cause.REFUSED, Cause.OVERLOAD} <= decision.outcome.fail_over_on
    assert "emergency" in keys(decision)
    assert "fail_over_always" in keys(decision)


def test_routes_meant_for_an_emergency_number_go_before_wider_ones_which_do_not_change_it() -> None:
    plan = table(
        route("closed", "110", times=("sun 00:00-00:01",), to=("line:a",)),
        route("open", "1.", to=("line:b",), prepend="0"),
        route("guard", "11X", to=("extension:102", "line:c"), emergency=True, level=9),
    )
    assert where(ask(plan, "110")) == [
        *("extension 102", "line c 110", "line a 110", "line b 110", "line b 0110"),
    ]
    # Also a number that is on no list, and never for strangers.
    assert where(ask(plan, "118"))[:2] == ["extension 102", "line c 118"]
    assert where(ask(plan, "118", FromOutside("line:c"))) == ["forbidden"]


def test_an_extension_that_has_an_emergency_number() -> None:
    here = EXTENSIONS | {"110": extension("110")}
    outside = [route()]
    with_prefix = compile_table(outside, DialPlan(), here.get)
    assert where(ask(with_prefix, "110")) == ["extension 110"]
    assert "emergency_hidden" in keys(ask(with_prefix, "110"))
    assert where(ask(with_prefix, "9110")) == ["line carrier 110"]
    without_prefix = compile_table(outside, DialPlan(out_prefix=""), here.get)
    assert where(ask(without_prefix, "110")) == ["line carrier 110"]
    both = compile_table(outside, DialPlan(), (here | {"9110": extension("9110")}).get)
    assert where(ask(both, "110")) == where(ask(both, "9110")) == ["line carrier 110"]
    no_line = compile_table([], DialPlan(out_prefix=""), here.get)
    assert where(ask(no_line, "110")) == ["extension 110"]


def test_without_a_line_an_emergency_number_is_refused_and_it_is_said_why() -> None:
    decision = ask(table(), "110")
    assert where(decision) == ["not_found"]
    assert "no_way_out" in keys(decision)


# In words.


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            "985551234",
            [
                "Extension 101 (right 2) dials 985551234, mon 2026-08-17 12:00.",
                "9 is the out prefix, cut off: 85551234 is left.",
                "Route “local” matches 85551234 by its pattern “[2-8]XXXXXXX”.",
                "Route “local” changes 85551234 to 01085551234.",
                "1. Out by line “carrier”, dialling 01085551234.",
            ],
        ),
        (
            "00441234",
            [
                "Extension 101 (right 2) dials 00441234, mon 2026-08-17 12:00.",
                "Route “abroad” matches 00441234 by its pattern “00.”.",
                "Route “abroad” needs level 3; extension 101 has only 2: refused.",
            ],
        ),
    ],
)
def test_the_steps_say_why(number: str, said: list[str]) -> None:
    steps = ask(OFFICE, number, right=2).steps
    assert [say(each.key, "en", **each.params) for each in steps] == said


# Whatever is asked.

NUMBERS = st.one_of(
    st.text("0129*+#", max_size=6),
    st.sampled_from(["110", "9110", "119", "101", "103", "9101", "1" * 64, "1" * 65]),
    st.text(max_size=5),
)
PATTERNS = st.text("01XNZ", max_size=4).flatmap(
    lambda body: st.sampled_from([body + end for end in ("", ".", "!", "[0-5]")])
)
CALLERS = st.lists(st.sampled_from(["1XX", "101", "2XX", CARRIER, BRANCH, "line:"]), max_size=2).map(tuple)
TIMES = st.lists(st.sampled_from(["mon-fri 08:00-18:00", "22:00-06:00", "?"]), max_size=2).map(tuple)
TARGETS = st.sampled_from(
    [CARRIER, BRANCH, "extension", "extension:101", "extension:103", "feature:echo", "x"]
)
ROUTES = st.lists(
    st.builds(
        Route,
        name=st.text("abc", min_size=1, max_size=2),
        pattern=PATTERNS,
        callers=CALLERS,
        times=TIMES,
        strip=st.integers(-1, 4),
        prepend=st.text("01a", max_size=2),
        replace=st.sampled_from(["", "", "110", "x"]),
        to=st.lists(TARGETS, max_size=3).map(tuple),
        fail_over_on=st.just(FAIL_OVER_DEFAULT),
        level=st.integers(0, 3),
        emergency=st.sampled_from([False, False, False, True]),
        enabled=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda each: each.name,
)  # fmt: skip
PLANS = st.builds(DialPlan, out_prefix=st.sampled_from(["9", "", "0", "1"]))
INSIDE = st.builds(FromExtension, st.sampled_from(["101", "102", "201"]), st.integers(0, 3))
OUTSIDE = st.builds(FromOutside, st.sampled_from([CARRIER, BRANCH, "line:other"]))
MOMENTS = st.integers(0, 7 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))


@given(NUMBERS, INSIDE | OUTSIDE, MOMENTS, ROUTES, PLANS)
def test_anything_gets_one_decision_which_can_be_said(
    number: str, caller: Caller, at: datetime, routes: list[Route], settings: DialPlan
) -> None:
    decision = decide(number, caller, at, compile_table(routes, settings, EXTENSIONS.get))
    for language in LANGUAGES:
        assert all(say(each.key, language, **each.params) for each in decision.steps)
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision
    match decision.outcome:
        case Passed(destinations=destinations):
            assert destinations
            for each in destinations:
                assert not isinstance(each, ToOutside) or (1 <= len(each.number) <= 64)
                assert not isinstance(each, ToExtension) or EXTENSIONS[each.number].enabled
        case Refused(cause):
            assert cause in (Cause.NOT_FOUND, Cause.FORBIDDEN)


@given(st.sampled_from(DialPlan().emergency), INSIDE, MOMENTS, ROUTES, PLANS, st.booleans())
def test_emergency_numbers_always_pass(
    number: str, caller: FromExtension, at: datetime, routes: list[Route], settings: DialPlan, prefixed: bool
) -> None:
    dialled = settings.out_prefix + number if prefixed else number
    plan = compile_table(routes, settings, EXTENSIONS.get, (CARRIER,))
    outcome = decide(dialled, caller, at, plan).outcome
    assert isinstance(outcome, Passed)
    assert outcome.emergency
    # A prefix may make one emergency number out of another's digits: then the one as dialled is meant.
    meant = plan.emergency_in(dialled)
    assert any(isinstance(each, ToOutside) and each.number == meant for each in outcome.destinations)


@given(NUMBERS, INSIDE, MOMENTS, ROUTES, PLANS)
def test_nobody_reaches_a_route_above_their_right(
    number: str, caller: FromExtension, at: datetime, routes: list[Route], settings: DialPlan
) -> None:
    outcome = decide(number, caller, at, compile_table(routes, settings, EXTENSIONS.get)).outcome
    if not isinstance(outcome, Passed) or outcome.emergency or not outcome.route:
        return
    chosen = next(each for each in routes if each.name == outcome.route)
    assert chosen.level <= caller.right
    shown = {show(each).rpartition(" ")[0] for each in outcome.destinations}
    assert shown <= {each.replace(":", " ").removesuffix(" 101") for each in chosen.to}


@given(NUMBERS, OUTSIDE, MOMENTS, ROUTES, PLANS)
def test_calls_from_outside_never_get_out_by_a_route_that_does_not_name_them(
    number: str, caller: FromOutside, at: datetime, routes: list[Route], settings: DialPlan
) -> None:
    outcome = decide(number, caller, at, compile_table(routes, settings, EXTENSIONS.get)).outcome
    if isinstance(outcome, Refused):
        return
    chosen = [each for each in routes if each.name == outcome.route]
    if chosen:
        assert caller.way in chosen[0].callers
    else:
        assert outcome.destinations == (ToExtension(number),)


@given(NUMBERS, INSIDE, MOMENTS, ROUTES, PLANS, st.randoms())
def test_the_order_in_which_routes_were_made_does_not_matter(
    number: str, caller: FromExtension, at: datetime, routes: list[Route], settings: DialPlan, random: Any
) -> None:
    shuffled = random.sample(routes, len(routes))
    one, other = (compile_table(each, settings, EXTENSIONS.get) for each in (routes, shuffled))
    assert decide(number, caller, at, one) == decide(number, caller, at, other)
