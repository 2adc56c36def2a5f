"""When backups are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.backup.calendar import is_due, last_moment, next_moment
from appliance.config.backup_schedule import BackupSchedule

BERLIN = ZoneInfo("Europe/Berlin")
DAILY = BackupSchedule(every="day", at="03:00")

schedules = st.builds(
    BackupSchedule,
    every=st.sampled_from(["day", "week", "month"]),
    at=st.sampled_from(["00:00", "02:30", "03:00", "23:59"]),
    weekday=st.sampled_from(["mon", "wed", "sun"]),
)
moments = st.integers(1_735_700_000, 2_051_200_000).map(lambda each: datetime.fromtimestamp(each, BERLIN))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("schedule", "last", "following"),
    [
        (DAILY, "2026-05-14T03:00", "2026-05-15T03:00"),
        (BackupSchedule(every="day", at="08:31"), "2026-05-13T08:31", "2026-05-14T08:31"),
        (BackupSchedule(every="week"), "2026-05-10T03:00", "2026-05-17T03:00"),
        (BackupSchedule(every="week", weekday="thu"), "2026-05-14T03:00", "2026-05-21T03:00"),
        (BackupSchedule(every="month"), "2026-05-01T03:00", "2026-06-01T03:00"),
    ],
)
def test_the_moments_around_a_thursday(schedule: BackupSchedule, last: str, following: str) -> None:
    now = at("2026-05-14T08:30")
    assert last_moment(schedule, now) == at(last)
    assert next_moment(schedule, now) == at(following)


def test_without_a_schedule_there_is_none() -> None:
    now = at("2026-05-14T08:30")
    off = BackupSchedule()
    assert (last_moment(off, now), next_moment(off, now), is_due(off, None, now)) == (None, None, False)


@given(schedules, moments)
def test_a_moment_comes_in_every_schedule_and_none_twice(schedule: BackupSchedule, now: datetime) -> None:
    last, following = last_moment(schedule, now), next_moment(schedule, now)
    assert last is not None
    assert following is not None
    assert last <= now < following
    assert is_due(schedule, None, now)
    assert not is_due(schedule, now, now)
    assert not is_due(schedule, last, now)
    assert is_due(schedule, now, following)
    assert next_moment(schedule, last) == following or next_moment(schedule, last) == last


def test_what_was_slept_through_is_made_up_once() -> None:
    assert is_due(DAILY, at("2026-05-01T03:00"), at("2026-05-14T08:30"))
    assert not is_due(DAILY, at("2026-05-14T08:31"), at("2026-05-14T08:40"))


def test_a_good_one_of_the_future_counts_for_nothing() -> None:
    assert is_due(DAILY, at("2040-01-01T03:00"), at("2026-05-14T08:30"))
    assert not is_due(DAILY, at("2026-05-14T20:00"), at("2026-05-14T08:30"))


def test_days_on_which_clocks_are_changed_have_one_each() -> None:
    schedule = BackupSchedule(every="day", at="02:30")
    now, found = datetime(2026, 3, 27, 12, tzinfo=UTC).astimezone(BERLIN), []
    for _ in range(4):
        moment = next_moment(schedule, now)
        assert moment is not None
        found.append(moment.date().isoformat())
        now = moment + timedelta(hours=2)
    assert found == ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]
