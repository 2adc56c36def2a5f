"""When an office is open: holidays, hours, and the night that somebody has switched on."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.config.snapshot import Snapshot
from appliance.config.system import System
from appliance.config.time_condition import NIGHT_MODE, Holiday, NightMode, TimeCondition, is_open
from appliance.features import settings_areas

SETTINGS = Snapshot(1, System(), {}, areas={area.name: area for area in settings_areas()})
NIGHT = SETTINGS.with_item(NIGHT_MODE, NightMode(enabled=True))
DAYS = st.dates(date(1970, 1, 1), date(2199, 12, 31))


def condition(**values: object) -> TimeCondition:
    return TimeCondition(**{"name": "900", "open_to": "101", **values})  # type: ignore[arg-type]  # settings as a test names them


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


def each_year(day: date) -> str:
    return f"{day:%m-%d}"


@pytest.mark.parametrize(
    ("text", "within", "without"),
    [
        ("2026-10-01", ["2026-10-01"], ["2026-09-30", "2026-10-02", "2027-10-01"]),
        ("12-25", ["2026-12-25", "2031-12-25"], ["2026-12-24", "2026-12-26"]),
        ("2026-10-01..2026-10-07", ["2026-10-01", "2026-10-04", "2026-10-07"], ["2026-10-08", "2025-10-04"]),
        (
            "12-24..01-02",
            ["2026-12-24", "2026-12-31", "2027-01-01", "2027-01-02"],
            ["2026-12-23", "2027-01-03"],
        ),
        ("2026-12-24..2027-01-02", ["2026-12-31", "2027-01-02"], ["2027-12-31", "2026-01-01"]),
        ("02-29", ["2028-02-29"], ["2027-02-28", "2027-03-01"]),
        ("02-28..03-01", ["2027-02-28", "2027-03-01", "2028-02-29"], ["2027-02-27", "2027-03-02"]),
    ],
)
def test_holidays(text: str, within: list[str], without: list[str]) -> None:
    holiday = Holiday.parse(text)
    found = [each for each in (*within, *without) if holiday.covers(noon(date.fromisoformat(each)))]
    assert found == within


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026", "10-1", "1-10", "13-01", "00-10", "04-31", "2026-02-29", "2026-10-01..", "..12-25"),
        *("2026-10-07..2026-10-01", "2026-10-01..10-07", "10-01..2026-10-07", "0000-10-01", "12-25\n", "26-10-01"),
        "１2-25",
        "12-24..01-02..01-03",
    ],
)  # fmt: skip
def test_what_is_no_holiday(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Holiday.parse(text)


@given(DAYS, DAYS, DAYS)
def test_days_of_one_stretch(first: date, last: date, day: date) -> None:
    assume(first <= last)
    assert Holiday.parse(f"{first}..{last}").covers(noon(day)) == (first <= day <= last)
    assert Holiday.parse(str(first)) == Holiday.parse(f"{first}..{first}")


@given(DAYS, DAYS)
def test_days_of_each_year(first: date, last: date) -> None:
    """From any day to any day: what is within is the whole year without the way back."""
    holiday = Holiday.parse(f"{each_year(first)}..{each_year(last)}")
    assert holiday.covers(noon(first))
    assert holiday.covers(noon(last))
    year = [date(2028, 1, 1) + timedelta(days=each) for each in range(366)]
    covered = [each_year(day) for day in year if holiday.covers(noon(day))]
    names = [each_year(day) for day in year]
    at = names.index(each_year(first))
    turned = names[at:] + names[:at]
    assert sorted(covered) == sorted(turned[: turned.index(each_year(last)) + 1])


@given(st.text(max_size=30))
def test_any_text_is_a_holiday_or_a_value_error(text: str) -> None:
    try:
        Holiday.parse(text)
    except ValueError:
        return
    assert text.isascii()


@given(st.datetimes(), st.booleans(), st.booleans())
def test_night_and_holidays_and_hours(at: datetime, night: bool, heeds: bool) -> None:
    settings = NIGHT if night else SETTINGS
    office = ("mon-fri 08:00-18:00",)
    works = at.weekday() < 5 and 8 <= at.hour < 18
    closed = night and heeds
    assert is_open(condition(heeds_night=heeds), settings, at) is not closed
    assert is_open(condition(heeds_night=heeds, hours=office), settings, at) is (works and not closed)
    today = (each_year(at.date()),)
    assert is_open(condition(heeds_night=heeds, hours=office, holidays=today), settings, at) is False
    two = ("00:00-12:00", "12:00-24:00")
    assert is_open(condition(heeds_night=False, hours=two), settings, at) is True
