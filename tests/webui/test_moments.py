"""Times and durations as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from webui import moments

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_today_is_told_without_its_date() -> None:
    assert moments.moment_text("2026-03-01T09:30:00Z", UTC, NOON) == "09:30:00"
    assert moments.moment_text("2026-02-28T09:30:00.250Z", UTC, NOON) == "2026-02-28 09:30:00"


def test_the_day_is_that_of_the_box() -> None:
    shanghai = moments.zone("Asia/Shanghai")
    late = datetime(2026, 3, 1, 17, 0, tzinfo=UTC)
    assert moments.moment_text("2026-03-01T09:30:00Z", shanghai, late) == "2026-03-01 17:30:00"
    assert moments.moment_text("2026-03-01T16:30:00Z", shanghai, late) == "00:30:00"


def test_an_unknown_zone_is_utc_and_no_time_is_nothing() -> None:
    assert moments.zone("Mars/Base") is UTC
    assert moments.zone("../../etc/passwd") is UTC
    assert moments.moment_text(None, UTC) == ""
    assert moments.moment_text("yesterday", UTC) == ""


def test_lengths() -> None:
    assert [moments.clock_text(each) for each in (0, 7.9, 750, 3723)] == ["0:00", "0:07", "12:30", "1:02:03"]
    assert moments.span_text(273_600, "en") == "3 d 4 h"
    assert moments.span_text(7_260, "zh") == "2 小时 1 分钟"
    assert moments.span_text(59, "en") == "0 min"


def test_how_long_ago() -> None:
    assert moments.seconds_since("2026-03-01T11:59:00Z", NOON) == 60
    assert moments.seconds_since("2026-03-01T12:01:00Z", NOON) == 0


@given(st.text())
def test_any_text_is_a_time_or_nothing(text: str) -> None:
    assert isinstance(moments.moment_text(text, UTC, NOON), str)
