"""Times and durations as people read them.

ISO 8601 in UTC comes in (what control gives); the box's own time zone goes out.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from appliance.locale import Language

__all__ = ["clock_text", "moment_text", "seconds_since", "span_text", "zone"]


def zone(name: str) -> tzinfo:
    """The time zone of that name; UTC when the system does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def moment_text(iso: str | None, time_zone: tzinfo, now: datetime | None = None) -> str:
    """`14:03:22` for today, `2026-11-21 14:03:22` for any other day. Both languages read these the same way."""
    moment = _parse(iso)
    if moment is None:
        return ""
    local = moment.astimezone(time_zone)
    today = (now or datetime.now(UTC)).astimezone(time_zone).date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")


def seconds_since(iso: str | None, now: datetime | None = None) -> float:
    """How long ago that was, in seconds; 0 for a time to come."""
    moment = _parse(iso)
    return max(0.0, ((now or datetime.now(UTC)) - moment).total_seconds()) if moment else 0.0


def clock_text(seconds: float | None) -> str:
    """A call's length: `0:07`, `12:30`, `1:02:03`."""
    if seconds is None:
        return ""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def span_text(seconds: float, language: Language) -> str:
    """A long time in its largest two units: `3 d 4 h`, `12 min`."""
    minutes = int(seconds) // 60
    days, hours, minute = minutes // 1440, minutes // 60 % 24, minutes % 60
    day_unit, hour_unit, minute_unit = ("d", "h", "min") if language == "en" else ("天", "小时", "分钟")
    if days:
        return f"{days} {day_unit} {hours} {hour_unit}"
    if hours:
        return f"{hours} {hour_unit} {minute} {minute_unit}"
    return f"{minute} {minute_unit}"


def _parse(iso: str | None) -> datetime | None:
    if not iso:
        return None
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
