"""When an office is open: hours of the week, holidays, and a night that somebody has switched on."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from appliance.config.hours import Hours

if TYPE_CHECKING:
    from datetime import datetime

    from appliance.config.snapshot import Snapshot

__all__ = ["Holiday", "NightMode", "TimeCondition", "is_open"]

TIME_CONDITIONS = "time-conditions"
NIGHT_MODE = "night-mode"

_DAY = r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})"
_HOLIDAY = re.compile(rf"{_DAY}(?:\.\.{_DAY})?")


class TimeCondition(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls go while it is open, and where else."""

    name: str
    "The number that is dialled to get there: 2 to 15 digits."
    title: str = ""
    hours: tuple[str, ...] = ()
    "See `config/hours`; empty: every hour."
    holidays: tuple[str, ...] = ()
    "See `Holiday`: on these days it is closed."
    open_to: str
    "A number as an extension would dial it."
    closed_to: str = ""
    "The same for all other times; empty: nobody is there."
    heeds_night: bool = True
    "Whether the night mode closes it."
    level: int = 0
    "Its right, 0 to 9: for numbers outside."


class NightMode(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody has gone home early."""

    enabled: bool = False


class Holiday(msgspec.Struct, frozen=True):
    """Days on which an office is closed: `2026-10-01`, `12-25` (each year), `2026-10-01..2026-10-07`, `12-24..01-02`."""

    first: tuple[int, int, int]
    "Year, month and day; year 0: each year."
    last: tuple[int, int, int]

    @classmethod
    def parse(cls, text: str) -> Holiday:
        """ValueError for what is no day, for days that end before they begin, and for a year on one side alone."""
        found = _HOLIDAY.fullmatch(text)
        if found is None:
            msg = "not written as 2026-10-01 or 12-25"
            raise ValueError(msg)
        first, last = _day(*found.groups()[:3]), _day(*found.groups()[3:])
        last = last or first
        if first is None or last is None or bool(first[0]) != bool(last[0]) or (first[0] and last < first):
            msg = "days that end before they begin"
            raise ValueError(msg)
        return cls(first, last)

    def covers(self, at: datetime) -> bool:
        """Whether `at`, in local time, is on one of these days."""
        if self.first[0]:
            return self.first <= (at.year, at.month, at.day) <= self.last
        today, first, last = (at.month, at.day), self.first[1:], self.last[1:]
        return first <= today <= last if first <= last else today >= first or today <= last


def _day(year: str | None, month: str | None, day: str | None) -> tuple[int, int, int] | None:
    if month is None or day is None:
        return None
    # A leap year for days of each year: the 29th of February is one.
    date(int(year or 2000), int(month), int(day))
    return int(year or 0), int(month), int(day)


def is_open(condition: TimeCondition, settings: Snapshot, at: datetime) -> bool:
    """Whether it is, at this local time. What cannot be read counts as if it were not there."""
    if condition.heeds_night and settings.setting(NIGHT_MODE).enabled:
        return False
    if any(each.covers(at) for each in map(Holiday.parse, condition.holidays)):
        return False
    return not condition.hours or any(Hours.parse(each).cover(at) for each in condition.hours)
