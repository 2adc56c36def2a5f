"""appliance/sip/transaction/non_invite_server.py: RFC 3261 §17.2.2, RFC 4320 §4."""

from __future__ import annotations

import pytest

from appliance.sip.transaction.machine import (
    ENDED,
    SEND,
    Inform,
    Input,
    Machine,
    StartTimer,
    State,
    StopTimer,
)
from appliance.sip.transaction.non_invite_server import NON_INVITE_SERVER, NON_INVITE_SERVER_RELIABLE
from tests.sip.transaction.walk import Walk

START_F, START_TRYING = StartTimer(Input.TIMER_F, 32.0), StartTimer(Input.TIMER_TRYING, 3.5)
STOP_F, START_J = StopTimer(Input.TIMER_F), StartTimer(Input.TIMER_J, 32.0)
FINAL = (Input.SUCCESS, Input.FAILURE)


@pytest.mark.parametrize("final", FINAL)
def test_a_request_is_answered_at_once(final: Input) -> None:
    walk = Walk(NON_INVITE_SERVER)
    # In Trying, repetitions are discarded.
    assert walk << Input.REQUEST == []
    # Timer J is 64*T1; until it fires each repetition gets the final response, and the user's others none.
    assert walk << final == [SEND, STOP_F, START_J]
    assert walk.at(State.COMPLETED)
    assert walk << Input.REQUEST == [SEND]
    for discarded in (*FINAL, Input.TRANSPORT_ERROR):
        assert walk << discarded == []
    assert walk << Input.TIMER_J == [ENDED]
    assert walk.ended


@pytest.mark.parametrize("final", FINAL)
def test_a_request_is_answered_after_a_100(final: Input) -> None:
    walk = Walk(NON_INVITE_SERVER)
    assert walk << Input.PROVISIONAL == [SEND]
    assert walk.at(State.PROCEEDING)
    assert walk << Input.PROVISIONAL == [SEND]
    assert walk << Input.REQUEST == [SEND]
    assert walk << final == [SEND, STOP_F, START_J]


@pytest.mark.parametrize("machine", [NON_INVITE_SERVER, NON_INVITE_SERVER_RELIABLE])
def test_a_request_whose_user_takes_its_time_gets_a_100_in_the_end(machine: Machine) -> None:
    walk = Walk(machine)
    # RFC 4320 §4.1: not before a client's timer E has come to T2: after 0.5, 1 and 2 s.
    assert walk << Input.DEFERRED == [START_F, START_TRYING]
    assert walk << Input.TIMER_TRYING == [SEND]
    assert walk.at(State.PROCEEDING)
    assert walk << Input.REQUEST == [SEND]
    assert walk << Input.SUCCESS != []


@pytest.mark.parametrize("said", [Input.PROVISIONAL, *FINAL])
def test_a_user_that_has_said_something_needs_no_100(said: Input) -> None:
    walk = Walk(NON_INVITE_SERVER)
    _ = walk << Input.DEFERRED
    _ = walk << said
    assert walk << Input.TIMER_TRYING == []


@pytest.mark.parametrize("early", [[], [Input.PROVISIONAL]])
def test_a_request_that_is_never_answered_is_forgotten_without_a_word(early: list[Input]) -> None:
    walk = Walk(NON_INVITE_SERVER)
    for event in early:
        _ = walk << event
    # RFC 4320 §4.2: the client has given up 64*T1 after it began. Its last repetition lives for T4 still.
    assert walk << Input.DEFERRED == ([START_F] if early else [START_F, START_TRYING])
    assert walk << Input.TIMER_F == [StartTimer(Input.TIMER_J, 5.0)]
    assert walk << Input.SUCCESS == []
    assert walk << Input.TIMER_J == [ENDED]
    for late in (Input.PROVISIONAL, *FINAL):
        assert walk << late == []
    assert walk.ended


@pytest.mark.parametrize("early", [[], [Input.PROVISIONAL]])
def test_a_transport_error_is_told_and_changes_nothing(early: list[Input]) -> None:
    walk = Walk(NON_INVITE_SERVER)
    for event in early:
        _ = walk << event
    before = walk.state
    assert walk << Input.TRANSPORT_ERROR == [Inform("transport")]
    assert walk.state is before


@pytest.mark.parametrize("final", FINAL)
def test_over_a_reliable_transport(final: Input) -> None:
    walk = Walk(NON_INVITE_SERVER_RELIABLE)
    # Timer J is 0 s.
    assert walk << final == [SEND, STOP_F, ENDED]
    assert walk.ended
    assert walk << final == []
