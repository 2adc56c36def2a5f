"""From what a face sent to typed values."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from appliance.control.values import read_values
from appliance.errors import ConfigError


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    count: int = 1
    share: float = 0.5
    on: bool = False
    kind: Literal["a", "b"] = "a"
    many: tuple[str, ...] = ()
    maybe: int | UnsetType = UNSET
    none: str | None = None


def test_defaults_are_filled_in() -> None:
    assert read_values("x", Sample, {"name": "n"}) == Sample(name="n")


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("count", "7", 7),
        ("count", 7, 7),
        ("share", "2.5", 2.5),
        ("on", "true", True),
        ("on", "yes", True),
        ("on", "Off", False),
        ("on", "0", False),
        ("on", True, True),
        ("kind", "b", "b"),
        ("many", "a, b,c", ("a", "b", "c")),
        ("many", ["a"], ("a",)),
        ("many", "", ()),
        ("maybe", "3", 3),
        ("none", None, None),
        ("name", "123", "123"),
    ],
)
def test_text_is_taken_for_what_is_wanted(field: str, typed: object, value: object) -> None:
    read = read_values("x", Sample, {"name": "n", field: typed})
    assert getattr(read, field) == value


@pytest.mark.parametrize(
    ("values", "path", "key"),
    [
        ({}, "x.name", "error.value_missing"),
        ({"name": "n", "nmae": "n"}, "x.nmae", "error.unknown_setting"),
        ({"name": 5}, "x.name", "error.not_a_text"),
        ({"name": None}, "x.name", "error.not_a_text"),
        ({"name": "n", "count": "many"}, "x.count", "error.not_a_number"),
        ({"name": "n", "count": 1.5}, "x.count", "error.not_a_number"),
        ({"name": "n", "count": "9" * 5000}, "x.count", "error.not_a_number"),
        ({"name": "n", "share": []}, "x.share", "error.not_a_number"),
        ({"name": "n", "on": "perhaps"}, "x.on", "error.not_a_truth"),
        ({"name": "n", "kind": "c"}, "x.kind", "error.not_a_choice"),
        ({"name": "n", "many": 5}, "x.many", "error.not_a_list"),
        ({"name": "n", "maybe": "x"}, "x.maybe", "error.not_a_number"),
    ],
)
def test_the_first_wrong_value_is_named(values: dict[str, Any], path: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_values("x", Sample, values)
    assert (refused.value.path, refused.value.key) == (path, key)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(Sample.__struct_fields__) | st.text(), JSON, max_size=4))
def test_any_values_are_read_or_refused(values: dict[str, Any]) -> None:
    try:
        assert isinstance(read_values("x", Sample, values), Sample)
    except ConfigError as refused:
        assert refused.path.startswith("x.")
