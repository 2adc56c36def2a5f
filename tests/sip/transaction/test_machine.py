"""appliance/sip/transaction/machine.py: whatever happens in whatever state is legal, or our own defect.

The idea is h2's, whose Hypothesis draws the (state, input) pairs; there are few enough to try them all.
"""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import LocalError
from appliance.sip.transaction.invite_client import INVITE_CLIENT, INVITE_CLIENT_RELIABLE
from appliance.sip.transaction.invite_server import INVITE_SERVER, INVITE_SERVER_RELIABLE
from appliance.sip.transaction.machine import (
    Backoff,
    Ended,
    Inform,
    Input,
    Machine,
    PassUp,
    StartTimer,
    State,
    StopTimer,
    response_input,
)
from appliance.sip.transaction.non_invite_client import NON_INVITE_CLIENT, NON_INVITE_CLIENT_RELIABLE
from appliance.sip.transaction.non_invite_server import NON_INVITE_SERVER, NON_INVITE_SERVER_RELIABLE

UNRELIABLE = [INVITE_CLIENT, INVITE_SERVER, NON_INVITE_CLIENT, NON_INVITE_SERVER]
RELIABLE = [
    INVITE_CLIENT_RELIABLE,
    INVITE_SERVER_RELIABLE,
    NON_INVITE_CLIENT_RELIABLE,
    NON_INVITE_SERVER_RELIABLE,
]
MACHINES = UNRELIABLE + RELIABLE


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_pair_is_legal_or_a_local_error(machine: Machine) -> None:
    for state, event in product(State, Input):
        check_pair(machine, state, event)


def check_pair(machine: Machine, state: State, event: Input) -> None:
    try:
        after, effects = machine.step(state, event)
    except LocalError as error:
        assert event.name in str(error)
        return
    assert after in State
    # The transaction ends exactly when it is over.
    assert (after is State.TERMINATED and state is not State.TERMINATED) == any(
        isinstance(effect, Ended) for effect in effects
    )


@given(st.sampled_from(MACHINES), st.lists(st.sampled_from(Input), max_size=60))
def test_no_run_of_inputs_leaves_a_timer_without_its_input(machine: Machine, events: list[Input]) -> None:
    """A timer that runs can fire in the state the machine is in; and outside the end, what may hang is known."""
    state, running = machine.initial, set[Input]()
    for effects, event in [(machine.start, None), *(((), event) for event in events)]:
        if event is not None:
            if event.name.startswith("TIMER") and event not in running:
                continue  # it cannot fire
            running.discard(event)
            try:
                state, effects = machine.step(state, event)  # noqa: PLW2901  # the start is a step too
            except LocalError:
                assert not event.name.startswith("TIMER")
                continue
        for effect in effects:
            match effect:
                case StartTimer(timer) | Backoff(timer):
                    running.add(timer)
                case StopTimer(timer):
                    running.discard(timer)
                case Ended():
                    running.clear()
        if state is State.TERMINATED:
            assert not running
            return
        # Whoever waits without a timer waits for its user, or (client) has given it the time limit.
        assert running or state in (State.PROCEEDING, State.TRYING)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_user_is_told_last(machine: Machine) -> None:
    for _, effects in machine.table.values():
        told = [n for n, effect in enumerate(effects) if isinstance(effect, PassUp | Inform)]
        assert told in ([], [len(effects) - 1])


@pytest.mark.parametrize("machine", RELIABLE)
def test_reliable_machines_neither_repeat_nor_absorb(machine: Machine) -> None:
    steps = [machine.start, *(effects for _, effects in machine.table.values())]
    timers = {effect.timer for effects in steps for effect in effects if isinstance(effect, StartTimer)}
    lasting = {Input.TIMER_B, Input.TIMER_F, Input.TIMER_H, Input.TIMER_L, Input.TIMER_M}
    assert timers <= {*lasting, Input.TIMER_TRYING}
    assert not [e for effects in steps for e in effects if isinstance(e, Backoff)]
    assert machine.name.endswith("(reliable)")


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (100, Input.PROVISIONAL),
        (199, Input.PROVISIONAL),
        (200, Input.SUCCESS),
        (299, Input.SUCCESS),
        (300, Input.FAILURE),
        (699, Input.FAILURE),
    ],
)
def test_a_status_is_an_input(status: int, event: Input) -> None:
    assert response_input(status) is event
