"""appliance/sip/transaction/non_invite_client.py: RFC 3261 §17.1.2."""

from __future__ import annotations

import pytest

from appliance.errors import LocalError
from appliance.sip.transaction.machine import (
    ENDED,
    PASS_UP,
    SEND,
    Backoff,
    Inform,
    Input,
    StartTimer,
    State,
    StopTimer,
)
from appliance.sip.transaction.non_invite_client import NON_INVITE_CLIENT, NON_INVITE_CLIENT_RELIABLE
from tests.sip.transaction.walk import Walk

STOPS = [StopTimer(Input.TIMER_E), StopTimer(Input.TIMER_F)]
FINAL = (Input.SUCCESS, Input.FAILURE)


def test_the_request_is_repeated_until_a_final_response() -> None:
    # §17.1.2.2: timer E starts with T1 and doubles up to T2; timer F is 64*T1.
    assert list(NON_INVITE_CLIENT.start) == [
        SEND,
        StartTimer(Input.TIMER_E, 0.5),
        StartTimer(Input.TIMER_F, 32.0),
    ]
    walk = Walk(NON_INVITE_CLIENT)
    assert walk << Input.TIMER_E == [SEND, Backoff(Input.TIMER_E, 4.0)]
    # In Proceeding timer E goes on, with T2.
    assert walk << Input.PROVISIONAL == [PASS_UP]
    assert walk << Input.TIMER_E == [SEND, StartTimer(Input.TIMER_E, 4.0)]
    assert walk << Input.PROVISIONAL == [PASS_UP]
    assert walk.at(State.PROCEEDING)


@pytest.mark.parametrize("final", FINAL)
@pytest.mark.parametrize("early", [[], [Input.PROVISIONAL]])
def test_a_final_response_goes_up_once(final: Input, early: list[Input]) -> None:
    walk = Walk(NON_INVITE_CLIENT)
    for event in early:
        _ = walk << event
    # Timer K is T4.
    assert walk << final == [*STOPS, StartTimer(Input.TIMER_K, 5.0), PASS_UP]
    assert walk.at(State.COMPLETED)
    for repeated in (*FINAL, Input.PROVISIONAL, Input.TRANSPORT_ERROR):
        assert walk << repeated == []
    assert walk << Input.TIMER_K == [ENDED]
    assert walk.ended


@pytest.mark.parametrize("early", [[], [Input.PROVISIONAL]])
def test_the_user_is_told_when_there_is_no_hope(early: list[Input]) -> None:
    for event, cause in ((Input.TIMER_F, "timeout"), (Input.TRANSPORT_ERROR, "transport")):
        walk = Walk(NON_INVITE_CLIENT)
        for before in early:
            _ = walk << before
        effects = walk << event
        assert effects[0] == ENDED
        assert isinstance(effects[1], Inform)
        assert effects[1].cause == cause
        assert walk.ended


def test_only_an_invite_is_cancelled() -> None:
    # §9.1: a CANCEL has no effect on a request that gets its final response at once.
    with pytest.raises(LocalError, match=r"non-INVITE client transaction: CANCEL in TRYING"):
        _ = Walk(NON_INVITE_CLIENT) << Input.CANCEL


@pytest.mark.parametrize("final", FINAL)
def test_over_a_reliable_transport(final: Input) -> None:
    # Timer E is not set, timer K is 0 s.
    assert list(NON_INVITE_CLIENT_RELIABLE.start) == [SEND, StartTimer(Input.TIMER_F, 32.0)]
    walk = Walk(NON_INVITE_CLIENT_RELIABLE)
    assert walk << final == [STOPS[1], ENDED, PASS_UP]
    assert walk.ended
