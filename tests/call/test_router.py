"""appliance/call/router.py: from what the dial plan decides to what is rung, and what is tried next."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appliance.call.cause import Cause
from appliance.call.destination import Destination
from appliance.call.events import Dialled
from appliance.call.inbound import RefusedError
from appliance.call.router import GONE, NEXT_PEER, Plan, Router
from appliance.call.routing_table import compile_table
from appliance.config.dial_plan import DialPlan
from appliance.config.extension import Extension
from appliance.config.route import Route
from appliance.directory.bindings import Binding
from appliance.sip.transport.flow import Flow

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.9", 5060))
EXTENSIONS = {
    number: Extension(number=number, ha1_md5="", ha1_sha256="", level=level)
    for number, level in (("101", 0), ("102", 5))
}


class FakeOutside:
    """Lines and trunks: how many ways each has, or why there is none."""

    def __init__(self, **ways: int | Cause) -> None:
        self.ways = ways
        self.most = 0
        self.asked_by: str | None = "nobody"

    def max_calls(self, kind: str, name: str) -> int:
        return self.most

    def destinations(self, kind: str, name: str, number: str, extension: str | None) -> list[Destination]:
        self.asked_by = extension
        ways = self.ways[name]
        if isinstance(ways, Cause):
            raise RefusedError(ways)
        return [Destination(number, f"sip:{number}@{name}{at}", FLOW) for at in range(ways)]


class Nowhere:
    def targets(self, number: str) -> list[Binding]:
        return []

    def is_at(self, number: str, flow: Flow) -> bool:
        return False

    def is_near(self, number: str, host: str) -> bool:
        return False


def router(outside: FakeOutside, *routes: Route, calls: int = 0) -> Router:
    made = Router(EXTENSIONS.get, Nowhere(), lambda: datetime(2026, 5, 4, 8, 30, tzinfo=UTC))
    made.around.table = compile_table(routes, DialPlan(), EXTENSIONS.get, ["line:a", "line:b"])
    made.around.outside = outside  # type: ignore[assignment]  # as much of it as the router uses
    made.around.calls_by = lambda _: calls
    return made


def dialled(number: str, caller: str = "101", way_in: str = "") -> Dialled:
    return Dialled(
        from_number=caller,
        from_name="",
        to_number=number,
        hops_left=69,
        content=None,
        baggage=(),
        way_in=way_in,
    )


def chain(plan: Plan | None) -> list[tuple[str, frozenset[Cause]]]:
    """The URIs in the order in which they are tried, and after which causes the next one is."""
    found = []
    while plan is not None:
        found.append((plan.targets[0].uri, plan.fail_over_on))
        plan = plan.otherwise
    return found


def refusal(made: Router, call: Dialled) -> Cause:
    with pytest.raises(RefusedError) as refused:
        made.route(call)
    return refused.value.ending.cause


BOTH = Route(name="out", pattern="X.", to=("line:a", "line:b"), fail_over_on=("overload",))


def test_one_line_after_the_other() -> None:
    plan = router(FakeOutside(a=1, b=1), BOTH).route(dialled("9555"))
    assert chain(plan) == [("sip:555@a0", GONE | {Cause.OVERLOAD}), ("sip:555@b0", frozenset())]


def test_all_peers_of_a_trunk_before_the_next_destination() -> None:
    plan = router(FakeOutside(a=2, b=1), BOTH).route(dialled("9555"))
    assert chain(plan) == [
        ("sip:555@a0", NEXT_PEER),
        ("sip:555@a1", GONE | {Cause.OVERLOAD}),
        ("sip:555@b0", frozenset()),
    ]


@pytest.mark.parametrize("cause", [Cause.LINE_DOWN, Cause.LINE_FULL])
def test_what_is_not_there_is_passed_over(cause: Cause) -> None:
    assert chain(router(FakeOutside(a=cause, b=1), BOTH).route(dialled("9555"))) == [
        ("sip:555@b0", frozenset())
    ]
    assert refusal(router(FakeOutside(a=cause, b=cause), BOTH), dialled("9555")) is cause
    plan = router(FakeOutside(a=1, b=cause), BOTH).route(dialled("9555"))
    assert chain(plan) == [("sip:555@a0", frozenset())]


def test_a_line_that_is_not_for_this_extension_ends_the_search() -> None:
    assert refusal(router(FakeOutside(a=Cause.FORBIDDEN, b=1), BOTH), dialled("9555")) is Cause.FORBIDDEN


def test_a_full_line_takes_an_emergency_call_all_the_same() -> None:
    outside = FakeOutside(a=1, b=1)
    outside.most = 2
    assert refusal(router(outside, BOTH, calls=2), dialled("9555")) is Cause.LINE_FULL
    assert router(outside, BOTH, calls=1).route(dialled("9555")).number == "555"
    assert router(outside, BOTH, calls=2).route(dialled("9112")).number == "112"
    assert outside.asked_by is None, "also by a line that is private to others"
    router(outside, BOTH).route(dialled("9555"))
    assert outside.asked_by == "101"


def test_a_right_that_is_missing() -> None:
    dear = Route(name="abroad", pattern="00.", to=("line:a",), level=5)
    made = router(FakeOutside(a=1), dear)
    assert refusal(made, dialled("90049")) is Cause.FORBIDDEN
    assert made.route(dialled("90049", caller="102")).number == "0049"


def test_a_call_from_outside_never_leaves_by_a_route_that_does_not_name_it() -> None:
    made = router(FakeOutside(a=1, b=1), BOTH)
    assert refusal(made, dialled("555", way_in="line:a")) is Cause.FORBIDDEN
    transit = Route(name="transit", pattern="7X.", callers=("trunk:hq",), to=("line:a",))
    made = router(FakeOutside(a=1, b=1), BOTH, transit)
    assert made.route(dialled("7555", way_in="trunk:hq")).number == "7555"
    assert refusal(made, dialled("7555", way_in="trunk:other")) is Cause.FORBIDDEN


def test_extensions_without_a_phone_and_oneself() -> None:
    made = router(FakeOutside())
    assert refusal(made, dialled("102")) is Cause.NOT_REGISTERED
    assert refusal(made, dialled("101")) is Cause.BUSY
    assert refusal(made, dialled("101", way_in="line:a")) is Cause.NOT_REGISTERED
    assert refusal(made, dialled("103")) is Cause.NOT_FOUND
