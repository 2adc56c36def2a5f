"""Hours of the week: `mon-fri 08:00-18:00`, `sat 09:00-12:00`, `22:00-06:00`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["DAYS", "Hours"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"In the order of `datetime.weekday`."
DAY_MINUTES = 24 * 60

# `@` in place of the space is for where a space would divide a list. Days alone are refused: a text cut in two at its
# space would otherwise be read as "these days, and at these hours of any day".
_TEXT = re.compile(
    rf"(?:({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))?(?: |@))?"
    r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})"
)


class Hours(msgspec.Struct, frozen=True):
    """The same hours on some days of each week, by the clock on the wall."""

    days: frozenset[int]
    "The days on which they begin; Monday is 0."
    start: int
    "Minutes after midnight, 0 to 1439."
    end: int
    "The first minute that is outside, 0 to 1440; when it is before the start, it is on the day after."

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Days may be left out (every day), and may run over the weekend (`sat-mon`). ValueError when it says no hours."""
        found = _TEXT.fullmatch(text.lower())
        if found is None:
            msg = "not written as mon-fri 08:00-18:00"
            raise ValueError(msg)
        first, last, *times = found.groups()
        start, end = _minutes(*times[:2]), _minutes(*times[2:])
        if start in (end, DAY_MINUTES):
            msg = "hours that are empty, or begin when the day is over"
            raise ValueError(msg)
        return cls(_days(first, last), start, end)

    def cover(self, at: datetime) -> bool:
        """Whether `at`, in local time, is within."""
        minute = at.hour * 60 + at.minute
        today = at.weekday() in self.days
        if self.start < self.end:
            return today and self.start <= minute < self.end
        yesterday = (at.weekday() - 1) % 7 in self.days
        return (today and minute >= self.start) or (yesterday and minute < self.end)


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    begin = DAYS.index(first)
    count = (DAYS.index(last or first) - begin) % 7 + 1
    return frozenset((begin + each) % 7 for each in range(count))


def _minutes(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > DAY_MINUTES:
        msg = f"{hour}:{minute} is no time of day"
        raise ValueError(msg)
    return total
