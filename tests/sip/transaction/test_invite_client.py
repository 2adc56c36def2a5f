"""appliance/sip/transaction/invite_client.py: RFC 3261 §17.1.1, RFC 6026 §7.2, §9.1 for CANCEL."""

from __future__ import annotations

from appliance.sip.transaction.invite_client import INVITE_CLIENT, INVITE_CLIENT_RELIABLE
from appliance.sip.transaction.machine import (
    ENDED,
    PASS_UP,
    SEND,
    SEND_ACK,
    Backoff,
    Inform,
    Input,
    StartTimer,
    State,
    StopTimer,
)
from tests.sip.transaction.walk import Walk

STOP_A, STOP_B = StopTimer(Input.TIMER_A), StopTimer(Input.TIMER_B)
START_M = StartTimer(Input.TIMER_M, 32.0)
START_D = StartTimer(Input.TIMER_D, 32.0)


def test_the_invite_is_repeated_until_a_provisional_response() -> None:
    # §17.1.1.2: sent at once; timer A fires at T1 and doubles; timer B at 64*T1.
    assert list(INVITE_CLIENT.start) == [
        SEND,
        StartTimer(Input.TIMER_A, 0.5),
        StartTimer(Input.TIMER_B, 32.0),
    ]
    walk = Walk(INVITE_CLIENT)
    assert walk << Input.TIMER_A == [SEND, Backoff(Input.TIMER_A, 32.0)]
    assert walk << Input.PROVISIONAL == [STOP_A, STOP_B, PASS_UP]
    assert walk.at(State.PROCEEDING)
    # Any further provisional response goes up; nothing is repeated and no time limit runs.
    assert walk << Input.PROVISIONAL == [PASS_UP]


def test_a_failure_is_acknowledged_each_time_and_goes_up_once() -> None:
    for early in ([], [Input.PROVISIONAL]):
        walk = Walk(INVITE_CLIENT)
        for event in early:
            _ = walk << event
        stops = [STOP_B] if early else [STOP_A, STOP_B]
        assert walk << Input.FAILURE == [*stops, SEND_ACK, START_D, PASS_UP]
        assert walk.at(State.COMPLETED)
        assert walk << Input.FAILURE == [SEND_ACK]
        for late in (Input.PROVISIONAL, Input.SUCCESS, Input.CANCEL, Input.TRANSPORT_ERROR):
            assert walk << late == []
        assert walk << Input.TIMER_D == [ENDED]
        assert walk.ended


def test_every_success_goes_up_and_none_is_acknowledged_here() -> None:
    for early in ([], [Input.PROVISIONAL]):
        walk = Walk(INVITE_CLIENT)
        for event in early:
            _ = walk << event
        # RFC 6026 §7.2: timer M is 64*T1.
        assert walk << Input.SUCCESS == [*([STOP_B] if early else [STOP_A, STOP_B]), START_M, PASS_UP]
        assert walk.at(State.ACCEPTED)
        assert walk << Input.SUCCESS == [PASS_UP]
        for late in (Input.PROVISIONAL, Input.FAILURE, Input.CANCEL, Input.TRANSPORT_ERROR):
            assert walk << late == []
        assert walk << Input.TIMER_M == [ENDED]
        assert walk.ended


def test_nobody_answers() -> None:
    walk = Walk(INVITE_CLIENT)
    # §17.1.1.2: the client transaction MUST NOT generate an ACK.
    assert walk << Input.TIMER_B == [ENDED, Inform("timeout")]
    assert walk.ended


def test_a_transport_error_ends_it_before_a_final_response() -> None:
    for early in ([], [Input.PROVISIONAL]):
        walk = Walk(INVITE_CLIENT)
        for event in early:
            _ = walk << event
        assert walk << Input.TRANSPORT_ERROR == [ENDED, Inform("transport")]
        assert walk.ended


def test_a_cancel_waits_for_a_provisional_and_then_64_t1_for_the_end() -> None:
    walk = Walk(INVITE_CLIENT)
    assert walk << Input.CANCEL == []
    _ = walk << Input.PROVISIONAL
    assert walk << Input.CANCEL == [StartTimer(Input.TIMER_B, 32.0)]
    assert walk << Input.TIMER_B == [ENDED, Inform("timeout")]
    assert walk.ended


def test_over_a_reliable_transport() -> None:
    # Timer A SHOULD NOT start, timer D is 0 s, timers B and M stay.
    assert list(INVITE_CLIENT_RELIABLE.start) == [SEND, StartTimer(Input.TIMER_B, 32.0)]
    walk = Walk(INVITE_CLIENT_RELIABLE)
    assert walk << Input.FAILURE == [STOP_B, SEND_ACK, ENDED, PASS_UP]
    assert walk.ended
    walk = Walk(INVITE_CLIENT_RELIABLE)
    assert walk << Input.SUCCESS == [STOP_B, START_M, PASS_UP]
