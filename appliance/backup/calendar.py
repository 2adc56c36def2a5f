"""When a backup is due. Pure: moments in, moments out, all of them aware and by the clock on the wall."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from appliance.config.backup_schedule import BackupSchedule

__all__ = ["is_due", "last_moment", "next_moment"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 32
"Days in which every schedule has a moment."
CLOCK_LEAPS = timedelta(days=1)
"A good backup that lies further ahead than this was made by a clock that was wrong."


def last_moment(schedule: BackupSchedule, now: datetime) -> datetime | None:
    """The moment that came last; None when nothing is planned."""
    return next((at for at in _moments(schedule, now, -1) if at <= now), None)


def next_moment(schedule: BackupSchedule, now: datetime) -> datetime | None:
    """The moment that comes next."""
    return next((at for at in _moments(schedule, now, 1) if at > now), None)


def is_due(schedule: BackupSchedule, last_good: datetime | None, now: datetime) -> bool:
    """Whether a moment has come since the last good backup, whoever slept through it."""
    last = last_moment(schedule, now)
    if last is None:
        return False
    return last_good is None or last_good < last or last_good > now + CLOCK_LEAPS


def _moments(schedule: BackupSchedule, now: datetime, step: int) -> list[datetime]:
    """Those from today on, forwards or backwards."""
    at = time.fromisoformat(schedule.at)
    days = (now.date() + timedelta(days=step * each) for each in range(LONGEST))
    return [datetime.combine(day, at, now.tzinfo) for day in days if _is_on(schedule, day)]


def _is_on(schedule: BackupSchedule, day: date) -> bool:
    match schedule.every:
        case "off":
            return False
        case "day":
            return True
        case "week":
            return DAYS[day.weekday()] == schedule.weekday
        case "month":
            return day.day == 1
