"""What a route may be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.route import FAIL_OVER_CAUSES, Names, Route, Target, check_references, verify
from appliance.errors import ConfigError


def route(name: str = "beijing", pattern: str = "010.", **settings: object) -> Route:
    plain = Route(name=name, pattern=pattern, to=("line:carrier",))
    return msgspec.structs.replace(plain, **settings)


@pytest.mark.parametrize(
    "one",
    [
        route(),
        route("a-b_9", "NXX"),
        route(callers=("101", "2XX", "trunk:branch", "line:carrier")),
        route(times=("mon-fri 08:00-18:00", "sat@09:00-12:00", "22:00-06:00")),
        route(strip=3),
        route(strip=3, prepend="+8610"),
        route(pattern="010", strip=3, prepend="1"),
        route(pattern="!", replace="101"),
        route(to=("extension", "extension:101", "feature:voicemail", "trunk:branch")),
        route(fail_over_on=()),
        route(fail_over_on=FAIL_OVER_CAUSES),
        route(level=9),
        route(pattern="11X", emergency=True),
    ],
)
def test_good_routes(one: Route) -> None:
    verify(one)


@pytest.mark.parametrize(
    ("settings", "field", "key"),
    [
        ({"name": "Beijing"}, "name", "error.bad_route_name"),
        ({"name": ""}, "name", "error.bad_route_name"),
        ({"name": "a" * 33}, "name", "error.bad_route_name"),
        ({"pattern": "0.1"}, "pattern", "error.bad_pattern"),
        ({"pattern": "11.", "emergency": True}, "pattern", "error.emergency_pattern"),
        ({"callers": ("bob",)}, "callers", "error.bad_caller"),
        ({"callers": ("extension:101",)}, "callers", "error.bad_caller"),
        ({"callers": ("line:",)}, "callers", "error.bad_caller"),
        ({"callers": ("1",) * 33}, "callers", "error.too_many"),
        ({"times": ("mon-fri",)}, "times", "error.bad_hours"),
        ({"strip": -1}, "strip", "error.out_of_range"),
        ({"strip": 5}, "strip", "error.out_of_range"),
        ({"strip": 4}, "strip", "error.nothing_left_to_dial"),
        ({"pattern": "010!", "strip": 3}, "strip", "error.nothing_left_to_dial"),
        ({"prepend": "a"}, "prepend", "error.not_dialable"),
        ({"prepend": "1" * 65}, "prepend", "error.too_long"),
        ({"replace": "bob"}, "replace", "error.not_dialable"),
        ({"replace": "1", "strip": 1}, "replace", "error.replace_stands_alone"),
        ({"replace": "1", "prepend": "0"}, "replace", "error.replace_stands_alone"),
        ({"to": ()}, "to", "error.value_missing"),
        ({"to": ("line",)}, "to", "error.bad_destination"),
        ({"to": ("extension:",)}, "to", "error.bad_destination"),
        ({"to": ("moon:base",)}, "to", "error.bad_destination"),
        ({"to": ("line:a",) * 33}, "to", "error.too_many"),
        ({"fail_over_on": ("normal",)}, "fail_over_on", "error.not_a_choice"),
        ({"level": 10}, "level", "error.out_of_range"),
        ({"level": -1}, "level", "error.out_of_range"),
    ],
)
def test_bad_routes(settings: dict[str, Any], field: str, key: str) -> None:
    one = route(**settings)
    with pytest.raises(ConfigError) as refused:
        verify(one)
    assert (refused.value.path, refused.value.key) == (f"routes.{one.name[:32]}.{field}", key)


NAMES = Names(
    lines={"carrier": 1}, trunks=frozenset({"branch"}), extensions={"101": 1}, features=frozenset({"voicemail"})
)  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({}, None),
        ({"to": ("extension", "extension:101", "trunk:branch", "feature:voicemail")}, None),
        ({"callers": ("999", "9XX", "line:carrier", "trunk:branch")}, None),
        ({"to": ("line:carrier", "line:branch")}, "to"),
        ({"to": ("trunk:carrier",)}, "to"),
        ({"to": ("extension:102",)}, "to"),
        ({"to": ("feature:park",)}, "to"),
        ({"callers": ("trunk:gone",)}, "callers"),
    ],
)
def test_what_a_route_names_must_exist(settings: dict[str, Any], field: str | None) -> None:
    if field is None:
        check_references(route(**settings), NAMES)
        return
    with pytest.raises(ConfigError) as refused:
        check_references(route(**settings), NAMES)
    assert (refused.value.path, refused.value.key) == (f"routes.beijing.{field}", "error.no_such_destination")


@pytest.mark.parametrize(
    "text", ["line:carrier", "trunk:b-1", "extension:101", "extension", "feature:voicemail"]
)
def test_a_target_prints_as_it_was_written(text: str) -> None:
    assert str(Target.parse(text)) == text


TEXTS = st.text("0123456789+*#XNZ[]-.!:alinetrukfs@ ", max_size=12)
LISTS = st.lists(TEXTS, max_size=3).map(tuple)


@given(
    st.builds(
        Route,
        name=TEXTS,
        pattern=TEXTS,
        callers=LISTS,
        times=LISTS,
        strip=st.integers(-2, 14),
        prepend=TEXTS,
        replace=TEXTS,
        to=LISTS,
        fail_over_on=LISTS,
        level=st.integers(-1, 10),
        emergency=st.booleans(),
        enabled=st.booleans(),
    )
)
def test_any_route_is_good_or_refused_and_survives_json(one: Route) -> None:
    assert msgspec.json.decode(msgspec.json.encode(one), type=Route) == one
    try:
        verify(one)
    except ConfigError as error:
        assert error.path.startswith("routes.")
