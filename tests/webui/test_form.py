"""Forms: whatever is typed, a value within its bounds or a reason; never an exception."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ConfigError
from webui import form

FIELDS = (
    form.text("name", longest=10, required=True),
    form.secret("password", shortest=4),
    form.whole("count", 1, 500),
    form.choice("language", ("en", "zh")),
    form.flag("enabled"),
    form.text("note", omit_empty=True),
)
NAMES = [each.name for each in FIELDS]


@given(st.dictionaries(st.sampled_from([*NAMES, "csrf", ""]), st.text()))
def test_anything_gives_good_values_or_reasons(typed: dict[str, str]) -> None:
    reading = form.read(FIELDS, typed)
    for name in NAMES:
        answers = (name in reading.values) + (name in reading.errors)
        left_out = name == "note" and not typed.get(name, "").strip()
        assert answers == (0 if left_out else 1)
    assert 1 <= len(reading.values.get("name", "x")) <= 10
    assert 1 <= reading.values.get("count", 1) <= 500
    assert reading.values.get("language", "en") in {"en", "zh"}
    assert len(reading.values.get("password", "1234")) >= 4
    assert "password" not in reading.typed
    assert all(error.key.startswith("console.form.") for error in reading.errors.values())


@given(st.integers(1, 500))
def test_a_number_in_its_range_is_taken(number: int) -> None:
    field = form.whole("count", 1, 500)
    assert form.read((field,), {"count": f" {number} "}).values == {"count": number}


@given(st.text(min_size=1, max_size=500))
def test_a_password_is_taken_as_typed(password: str) -> None:
    assert form.read((form.secret("password"),), {"password": password}).values == {"password": password}


def test_digits_of_other_scripts_are_no_numbers() -> None:
    for typed in ("１２", "٣", "1_0", "+5", "-5", "5.0", "0x5", "9" * 5000):
        assert "count" in form.read((form.whole("count", 1, 500),), {"count": typed}).errors


def test_a_refusal_stands_beside_its_field_or_above_the_form() -> None:
    reading = form.read(FIELDS, {"name": "x"})
    beside = form.refused(reading, ConfigError("extensions.101.name", "error.taken", number="101"))
    assert beside.errors["name"].params == {"number": "101"}
    above = form.refused(reading, ConfigError("extensions.101.other", "error.taken"))
    assert above.errors[""].key == "error.taken"
