"""A trial's verdict, on a clock of the test's own."""

from __future__ import annotations

from appliance.system.update.verdict import DEADLINE_S, HOLD_S, Probation

WELL: frozenset[str] = frozenset()
ILL = frozenset({"sip"})
STEP = 5.0


def play(*spells: tuple[float, frozenset[str]]) -> tuple[str, float]:
    """Spells of (seconds, what is missing); the first verdict that is not to wait, and when."""
    trial, now = Probation(began_at=0.0), 0.0
    for seconds, missing in spells:
        until = now + seconds
        while now < until:
            if (verdict := trial.look(now, missing)) != "wait":
                return verdict, now
            now += STEP
    return "wait", now


def test_well_from_the_beginning() -> None:
    assert play((10_000, WELL)) == ("keep", HOLD_S)


def test_well_after_a_while() -> None:
    assert play((60, ILL), (10_000, WELL)) == ("keep", 60 + HOLD_S)


def test_never_well() -> None:
    assert play((10_000, ILL)) == ("come_back", DEADLINE_S)


def test_a_relapse_begins_anew() -> None:
    assert play((HOLD_S - STEP, WELL), (STEP, ILL), (10_000, WELL)) == ("keep", 2 * HOLD_S)


def test_well_only_now_and_then() -> None:
    assert play(*[(60, WELL), (STEP, ILL)] * 100)[0] == "come_back"


def test_well_at_the_deadline_is_seen_to_the_end() -> None:
    assert play((DEADLINE_S - STEP, ILL), (10_000, WELL)) == ("keep", DEADLINE_S - STEP + HOLD_S)
    assert play((DEADLINE_S - STEP, ILL), (60, WELL), (60, ILL)) == ("come_back", DEADLINE_S + 60 - STEP)


def test_what_was_missing_is_known() -> None:
    trial = Probation(began_at=0.0)
    trial.look(0.0, ILL)
    assert trial.missing == ILL
    trial.look(1.0, WELL)
    assert trial.missing == WELL
