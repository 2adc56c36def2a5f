"""appliance/lines/backoff.py. RFC 5626 §4.5; RFC 3261 §10.2.4, §20.33."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.lines.backoff import AWAY, REFUSED, Pauses, obeyed, refresh_after

CHANCE = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("pauses", "longest"),
    [(AWAY, [60, 120, 240, 480, 600, 600]), (REFUSED, [600, 1200, 2400, 3600, 3600, 3600])],
)
def test_pauses_double_up_to_their_ceiling(pauses: Pauses, longest: list[float]) -> None:
    assert [pauses.after(failures, 0.0) for failures in range(1, 7)] == longest


@given(st.integers(1, 10**9), CHANCE)
def test_no_number_of_failures_ends_it(failures: int, chance: float) -> None:
    assert 30 <= AWAY.after(failures, chance) <= 600
    assert 540 <= REFUSED.after(failures, chance) <= 3600


@pytest.mark.parametrize(
    ("asked", "pause"),
    [(None, 45.0), (0.0, 45.0), (1.0, 5.0), (10.0, 10.0), (700.0, 700.0), (1e9, 3600.0)],
)
def test_what_a_server_asks_for(asked: float | None, pause: float) -> None:
    assert obeyed(asked, 45.0, 0.0) == pause
    assert pause <= obeyed(asked, 45.0, 0.999) <= 1.1 * pause


@pytest.mark.parametrize(
    ("expiry", "early", "late"),
    [(3600, 1800, 3240), (600, 300, 536), (120, 60, 60), (60, 30, 30), (1, 0.5, 0.5)],
)
def test_refreshed_before_it_expires(expiry: float, early: float, late: float) -> None:
    assert refresh_after(expiry, 0.0) == early
    assert refresh_after(expiry, 1.0) == pytest.approx(late)
