"""Hours of the week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.hours import DAYS, Hours

MONDAY = datetime(2026, 8, 17, tzinfo=UTC)


def moment(text: str) -> datetime:
    """`tue 18:00` of one week."""
    day, time = text.split()
    hour, minute = time.split(":")
    return MONDAY + timedelta(days=DAYS.index(day), hours=int(hour), minutes=int(minute))


@pytest.mark.parametrize(
    ("text", "within", "without"),
    [
        (
            "mon-fri 08:00-18:00",
            ["mon 08:00", "fri 17:59"],
            ["mon 07:59", "mon 18:00", "sat 09:00", "sun 09:00"],
        ),
        ("sat@9:00-12:00", ["sat 09:00"], ["fri 09:00", "sun 09:00", "sat 12:00"]),
        ("22:00-06:00", ["mon 22:00", "tue 05:59", "sun 23:59", "mon 00:00"], ["mon 06:00", "mon 21:59"]),
        ("FRI 22:00-06:00", ["fri 22:00", "sat 05:59"], ["fri 05:59", "sat 06:00", "sat 22:00"]),
        ("sun 22:00-06:00", ["sun 22:00", "mon 05:59"], ["sun 05:59", "mon 22:00"]),
        ("sat-mon 00:00-24:00", ["sat 00:00", "sun 12:00", "mon 23:59"], ["tue 00:00", "fri 23:59"]),
        ("00:00-24:00", ["mon 00:00", "sun 23:59"], []),
        ("mon 18:00-00:00", ["mon 18:00", "mon 23:59"], ["mon 17:59", "tue 00:00"]),
    ],
)
def test_what_is_covered(text: str, within: list[str], without: list[str]) -> None:
    hours = Hours.parse(text)
    assert [each for each in [*within, *without] if hours.cover(moment(each))] == within


@pytest.mark.parametrize(
    "text",
    [
        *("", "mon", "mon-fri", "08:00", "08:00-08:00", "24:00-08:00", "08:00-24:01", "08:60-09:00"),
        *("25:00-26:00", "mo 08:00-09:00", "mon,tue 08:00-09:00", "mon  08:00-09:00", " 08:00-09:00", "08:00-09:00\n"),
        "０8:00-09:00",
    ],
)  # fmt: skip
def test_what_says_no_hours(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Hours.parse(text)


MINUTES = st.integers(0, 7 * 24 * 60 - 1)


@given(st.sampled_from(DAYS), st.sampled_from(DAYS), st.integers(0, 1439), st.integers(1, 1440), MINUTES)
def test_hours_and_the_rest_of_the_day_cover_each_minute_once(
    first: str, last: str, start: int, end: int, minute: int
) -> None:
    if start in (end, 0) or end == 1440:
        return
    begin, stop = (f"{each // 60:02}:{each % 60:02}" for each in (start, end))
    at = MONDAY + timedelta(minutes=minute)
    assert Hours.parse(f"{begin}-{stop}").cover(at) != Hours.parse(f"{stop}-{begin}").cover(at)
    # On the days named only, one stretch a day.
    if Hours.parse(f"{first}-{last} {begin}-{stop}").cover(at):
        assert Hours.parse(f"{begin}-{stop}").cover(at)
