"""appliance/sip/transaction/invite_server.py: RFC 3261 §17.2.1, RFC 6026 §7.1 and §8."""

from __future__ import annotations

import pytest

from appliance.errors import LocalError
from appliance.sip.transaction.invite_server import INVITE_SERVER, INVITE_SERVER_RELIABLE
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
from tests.sip.transaction.walk import Walk

START_G, START_H = StartTimer(Input.TIMER_G, 0.5), StartTimer(Input.TIMER_H, 32.0)
START_L = StartTimer(Input.TIMER_L, 32.0)


def test_repeated_invites_get_the_last_provisional_response() -> None:
    walk = Walk(INVITE_SERVER)
    assert walk << Input.PROVISIONAL == [SEND]
    assert walk << Input.REQUEST == [SEND]
    assert walk << Input.ACK == []
    assert walk.at(State.PROCEEDING)


def test_a_failure_is_repeated_until_its_ack() -> None:
    walk = Walk(INVITE_SERVER)
    assert walk << Input.FAILURE == [SEND, START_G, START_H]
    assert walk.at(State.COMPLETED)
    # Timer G doubles up to T2.
    assert walk << Input.TIMER_G == [SEND, Backoff(Input.TIMER_G, 4.0)]
    assert walk << Input.REQUEST == [SEND]
    # RFC 6026 §8.8: a transport error leaves the state.
    assert walk << Input.TRANSPORT_ERROR == []
    # The ACK stops it; timer I is T4.
    stops = [StopTimer(Input.TIMER_G), StopTimer(Input.TIMER_H)]
    assert walk << Input.ACK == [*stops, StartTimer(Input.TIMER_I, 5.0)]
    assert walk.at(State.CONFIRMED)
    for absorbed in (Input.ACK, Input.REQUEST, Input.TRANSPORT_ERROR):
        assert walk << absorbed == []
    assert walk << Input.TIMER_I == [ENDED]
    assert walk.ended


def test_no_ack_comes() -> None:
    walk = Walk(INVITE_SERVER)
    _ = walk << Input.FAILURE
    assert walk << Input.TIMER_H == [ENDED, Inform("timeout")]
    assert walk.ended


def test_a_success_lives_until_timer_l() -> None:
    walk = Walk(INVITE_SERVER)
    # RFC 6026 §7.1: timer L is 64*T1; the user repeats the 2xx, and each one goes out.
    assert walk << Input.SUCCESS == [SEND, START_L]
    assert walk.at(State.ACCEPTED)
    assert walk << Input.SUCCESS == [SEND]
    # A repeated INVITE is absorbed, and MUST NOT go up.
    assert walk << Input.REQUEST == []
    assert walk << Input.ACK == [PASS_UP]
    assert walk << Input.TRANSPORT_ERROR == [Inform("transport")]
    assert walk << Input.TIMER_L == [ENDED]
    assert walk.ended
    assert walk << Input.SUCCESS == []


def test_a_transport_error_is_told_and_changes_nothing() -> None:
    walk = Walk(INVITE_SERVER)
    assert walk << Input.TRANSPORT_ERROR == [Inform("transport")]
    assert walk.at(State.PROCEEDING)


@pytest.mark.parametrize("second", [Input.PROVISIONAL, Input.FAILURE])
def test_nothing_but_a_success_may_follow_a_success(second: Input) -> None:
    walk = Walk(INVITE_SERVER)
    _ = walk << Input.SUCCESS
    with pytest.raises(LocalError):
        _ = walk << second


def test_over_a_reliable_transport() -> None:
    walk = Walk(INVITE_SERVER_RELIABLE)
    # Timer G is not set and timer I is 0 s; timer H stays, for the ACK goes missing with its sender.
    assert walk << Input.FAILURE == [SEND, START_H]
    assert walk << Input.ACK == [StopTimer(Input.TIMER_H), ENDED]
    assert walk.ended
    walk = Walk(INVITE_SERVER_RELIABLE)
    assert walk << Input.SUCCESS == [SEND, START_L]
