"""Patterns of numbers."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.pattern import DIALABLE, Pattern, is_dialable

TEXTS = st.text("0123456789+*#XNZxnz[]-.!", max_size=12)
NUMBERS = st.text(DIALABLE, max_size=12)


@pytest.mark.parametrize(
    ("text", "matched", "others"),
    [
        ("110", ["110"], ["11", "1100", ""]),
        ("010.", ["0101", "01085551234"], ["010", "01", "011555", ""]),
        ("010!", ["010", "0101"], ["01", "11010"]),
        ("!", ["", "1", "*#+"], []),
        (".", ["1", "+86"], [""]),
        ("1[3-9]XXXXXXXXX", ["13800138000"], ["12800138000", "1380013800", "138001380000"]),
        ("NXXXXXX", ["2000000"], ["1000000", "200000*"]),
        ("zX", ["10", "99"], ["00", "1"]),
        ("[1-37*]5", ["15", "25", "35", "75", "*5"], ["45", "85", "-5"]),
        ("*9X", ["*97"], ["97", "*9*"]),
        ("+86.", ["+8610"], ["86"]),
    ],
)
def test_what_matches(text: str, matched: list[str], others: list[str]) -> None:
    pattern = Pattern.parse(text)
    assert [each for each in [*matched, *others] if pattern.matches(each)] == matched


@pytest.mark.parametrize(
    "text",
    ["", "0.1", "..", "1!.", "[]", "[1", "1]", "[5-1]", "[-1]", "[1-]", "[X]", "[1-*]", "A", "1 2", "１"],
)
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Pattern.parse(text)


def test_a_pattern_has_at_most_64_characters() -> None:
    assert Pattern.parse("1" * 64).matches("1" * 64)
    with pytest.raises(ValueError, match="64"):
        Pattern.parse("1" * 65)


@pytest.mark.parametrize(
    ("number", "closest_first"),
    [
        ("01085551234", ["01085551234", "0108555!", "010.", "010!", "0[1-2].", "0[1-3].", "0X.", "0!", "X.", ".", "!"]),
        ("2000", ["2000", "200[01]", "2XXX", "2X.", "[2-3]XXX", "NXXX", "ZXXX", "XXXX", "XXX.", "X."]),
    ],
)  # fmt: skip
def test_the_closest_pattern_comes_first(number: str, closest_first: list[str]) -> None:
    patterns = {text: Pattern.parse(text) for text in reversed(closest_first)}
    assert all(each.matches(number) for each in patterns.values())
    assert sorted(patterns, key=lambda text: patterns[text].rank) == closest_first


@given(TEXTS, NUMBERS)
def test_any_text_is_a_pattern_or_refused(text: str, number: str) -> None:
    try:
        pattern = Pattern.parse(text)
    except ValueError:
        return
    if pattern.matches(number):
        assert number.startswith(pattern.literal)
        assert not number or len(number) >= pattern.shortest


@pytest.mark.parametrize("text", ["[" + "1-9" * 20 + "]", "X" * 63 + ".", "[" * 64, "[1-9]" * 12 + "!"])
def test_hostile_texts_take_no_time(text: str) -> None:
    started = time.process_time()
    for _ in range(100):
        try:
            Pattern.parse(text).matches("1" * 64)
        except ValueError:
            continue
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("1", True),
        ("+86*#", True),
        ("1" * 64, True),
        ("", False),
        ("1" * 65, False),
        ("a", False),
        ("１", False),
    ],
)
def test_what_can_be_dialled(number: str, good: bool) -> None:
    assert is_dialable(number) is good
