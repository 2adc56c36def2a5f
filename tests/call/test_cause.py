"""Causes: each has its status and its words; each status has a cause."""

from __future__ import annotations

import pytest

from appliance.call.cause import Cause, Ending, ending_of, ending_told_by_phone, ending_told_outside
from appliance.locale import keys


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_can_be_said(cause: Cause) -> None:
    assert f"cause.{cause.value}" in keys()
    ending = Ending.of(cause)
    assert (ending.cause, 400 <= ending.status <= 699, bool(ending.text)) == (cause, True, True)


def test_every_word_has_its_cause() -> None:
    words = {key.partition(".")[2] for key in keys() if key.startswith("cause.")}
    assert words == {cause.value for cause in Cause}


@pytest.mark.parametrize("status", range(300, 700))
def test_every_status_has_a_cause(status: int) -> None:
    assert ending_of(status, "x").status == status
    assert ending_told_by_phone(status, "x").status >= 400


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (486, Cause.BUSY),
        (600, Cause.BUSY),
        (603, Cause.REFUSED),
        (699, Cause.REFUSED),
        (302, Cause.UNAVAILABLE),
        (487, Cause.CANCELLED),
        (415, Cause.MEDIA),
        (599, Cause.FAILED),
    ],
)
def test_causes_of_some(status: int, cause: Cause) -> None:
    assert ending_of(status, "").cause is cause


def test_what_only_the_exchange_should_hear() -> None:
    told = {
        status: ending_told_by_phone(status, "").status for status in (302, 401, 407, 420, 481, 491, 503, 486)
    }
    assert told == {302: 480, 401: 403, 407: 403, 420: 500, 481: 480, 491: 480, 503: 480, 486: 486}


def test_a_carriers_503_is_no_phones() -> None:
    """Routes and trunks go on after `overload`; the caller sees a 480 all the same."""
    assert (ending_told_outside(503, "").cause, ending_told_outside(503, "").status) == (Cause.OVERLOAD, 480)
    assert ending_told_by_phone(503, "").cause is Cause.UNAVAILABLE
    assert ending_told_outside(404, "") == ending_told_by_phone(404, "")


def test_reasons() -> None:
    assert Ending.of(Cause.ELSEWHERE).reason == 'SIP;cause=200;text="Call completed elsewhere"'
    assert Ending.of(Cause.NO_ANSWER).reason == 'Q.850;cause=19;text="No Answer"'
    assert Ending.of(Cause.BUSY).reason is None
