"""Wrong passwords are counted for each pair of address and extension."""

from __future__ import annotations

import pytest

from appliance.directory import throttle
from appliance.directory.throttle import MAX_FAILURES, WINDOW, Throttle


def test_the_window_opens_with_the_first_failure_and_closes() -> None:
    counted = Throttle()
    for _ in range(MAX_FAILURES):
        assert not counted.blocks("a", "101", 10.0)
        counted.failed("a", "101", 10.0)
    assert counted.blocks("a", "101", 10.0 + WINDOW - 1)
    assert not counted.blocks("a", "101", 10.0 + WINDOW)
    counted.failed("a", "101", 10.0 + WINDOW)
    assert not counted.blocks("a", "101", 10.0 + WINDOW), "a new window"


def test_success_forgets() -> None:
    counted = Throttle()
    for _ in range(MAX_FAILURES):
        counted.failed("a", "101", 0.0)
    counted.succeeded("a", "101")
    counted.succeeded("a", "102")
    assert not counted.blocks("a", "101", 0.0)


def test_an_office_of_200_mistyped_phones_shuts_nobody_out() -> None:
    counted = Throttle()
    for number in range(200):
        for _ in range(MAX_FAILURES - 1):
            counted.failed("nat", str(number), 0.0)
    assert not any(counted.blocks("nat", str(number), 1.0) for number in range(200))


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_PAIRS", 1)
    counted = Throttle()
    for _ in range(MAX_FAILURES):
        counted.failed("a", "101", 0.0)
    counted.failed("a", "102", 0.0)
    assert not counted.blocks("a", "101", 0.0)
