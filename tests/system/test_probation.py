"""A network on trial: kept when confirmed, undone after its time, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.network import NetworkSettings
from appliance.system.probation import PROBATION_S, REPORT_FILE, Probation, Trial, applied_id
from tests.call.bench import HandTimers

NEW, OTHER = NetworkSettings(vlan=7), NetworkSettings(vlan=8)


class Bench:
    def __init__(self) -> None:
        self.timers = HandTimers()
        self.told: list[Trial | None] = []
        self.in_force = ""
        self.probation = Probation(self.timers, self.told.append, lambda: self.in_force)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_undone_after_its_time(bench: Bench) -> None:
    bench.probation.begin(NEW)
    assert [each and each.network for each in bench.told] == [NEW]
    bench.timers.advance(PROBATION_S - 0.5)
    assert bench.probation.seconds_left == 0.5
    assert bench.probation.trial is not None
    bench.timers.advance(0.5)
    assert bench.told[1:] == [None]
    assert bench.probation.trial is None
    assert bench.probation.seconds_left == 0.0


def test_what_is_over_is_not_undone_later(bench: Bench) -> None:
    bench.probation.begin(NEW)
    bench.probation.end()
    bench.probation.end()
    bench.timers.advance(2 * PROBATION_S)
    assert bench.told[1:] == [None]


def test_another_change_has_the_whole_time(bench: Bench) -> None:
    bench.probation.begin(NEW)
    bench.timers.advance(100.0)
    bench.probation.begin(OTHER)
    bench.timers.advance(100.0)
    trial = bench.probation.trial
    assert trial is not None
    assert trial.network == OTHER
    bench.timers.advance(20.0)
    assert bench.told[-1] is None


def test_in_force_is_only_what_root_reports(bench: Bench) -> None:
    assert not bench.probation.is_applied()
    bench.probation.begin(NEW)
    first = bench.probation.trial
    assert first is not None
    assert not bench.probation.is_applied()
    bench.in_force = first.id
    assert bench.probation.is_applied()
    bench.probation.begin(OTHER)
    assert not bench.probation.is_applied()


@given(st.lists(st.sampled_from(["begin", "end", 1.0, 60.0, 119.0, 121.0]), max_size=20))
def test_whatever_happens_no_trial_outlives_its_time(steps: list[str | float]) -> None:
    bench = Bench()
    begun = float("-inf")
    for step in steps:
        match step:
            case "begin":
                bench.probation.begin(NEW)
                begun = bench.timers.now()
            case "end":
                bench.probation.end()
            case float():
                bench.timers.advance(step)
        if bench.probation.trial is not None:
            assert bench.timers.now() - begun < PROBATION_S
        assert (bench.told[-1] if bench.told else None) == bench.probation.trial


def test_what_root_reported(tmp_path: Path) -> None:
    assert applied_id(tmp_path) == ""
    (tmp_path / REPORT_FILE).parent.mkdir(parents=True)
    (tmp_path / REPORT_FILE).write_text("0a1b\n")
    assert applied_id(tmp_path) == "0a1b"
