"""The INVITE usage: RFC 3261 §13 and §14, each rule under its section; no clock runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog import (
    Acknowledged,
    EndDialog,
    GiveUp,
    InviteState,
    InviteUsage,
    RetryInvite,
    SendAccepted,
    SendAck,
    StartTimer,
    StopTimer,
    UsageEffect,
    UsageTimer,
)
from appliance.sip.message import Headers, Request
from tests.sip.dialog.explore import explore

ACK = Request("ACK", "sip:b@example.org", Headers([("CSeq", "1 ACK")]))


def idle(*, owner: bool = True) -> InviteUsage:
    return InviteUsage(InviteState.IDLE, owner=owner)


def in_state(state: InviteState) -> InviteUsage:
    return InviteUsage(state, owner=True)


def status_of(refusal: pytest.ExceptionInfo[PeerError]) -> int:
    return refusal.value.status


# --- as a server


def test_2xx_is_repeated_until_its_ack() -> None:
    usage = InviteUsage.received()
    # §13.3.1.4: at intervals from T1 ...
    assert usage.accept(7) == [StartTimer(UsageTimer.ACCEPTED, 0.5)]
    # ... that double until T2 ...
    for delay in (1.0, 2.0, 4.0, 4.0):
        assert usage.fired(UsageTimer.ACCEPTED) == [SendAccepted(), StartTimer(UsageTimer.ACCEPTED, delay)]
    # ... until the ACK comes. §13.2.2.4: it has its INVITE's number; that of the INVITE before may come late.
    assert usage.receive_ack(6) == []
    assert usage.receive_ack(7) == [StopTimer(UsageTimer.ACCEPTED), Acknowledged()]
    assert usage.may_invite
    assert usage.receive_ack(7) == []
    assert usage.fired(UsageTimer.ACCEPTED) == []


def test_without_ack_the_session_is_given_up_after_64_t1() -> None:
    usage = InviteUsage.received()
    (start,) = usage.accept(1)
    assert isinstance(start, StartTimer)
    elapsed = start.delay
    while (effects := usage.fired(UsageTimer.ACCEPTED)) != [GiveUp()]:
        again = effects[-1]
        assert isinstance(again, StartTimer)
        elapsed += again.delay
    assert elapsed == 32.0
    assert usage.state is InviteState.IDLE


def test_refused() -> None:
    usage = InviteUsage.received()
    usage.reject()
    assert usage.may_invite


def test_second_invite_before_the_final_response() -> None:
    # §14.2: 500 with a Retry-After between 0 and 10 seconds.
    usage = idle()
    assert usage.receive_invite(0.0) == []
    for random, wait in ((0.0, "0"), (0.999, "10")):
        with pytest.raises(PeerError) as refusal:
            usage.receive_invite(random)
        assert (status_of(refusal), refusal.value.headers) == (500, (("Retry-After", wait),))


@pytest.mark.parametrize("state", [InviteState.SENT, InviteState.ANSWERED, InviteState.ACCEPTED])
def test_glare(state: InviteState) -> None:
    with pytest.raises(PeerError) as refusal:
        in_state(state).receive_invite(0.5)
    assert status_of(refusal) == 491


def test_invite_after_the_end() -> None:
    with pytest.raises(PeerError) as refusal:
        in_state(InviteState.ENDED).receive_invite(0.5)
    assert status_of(refusal) == 481


# --- as a client


def test_ack_is_kept_for_every_2xx() -> None:
    usage = InviteUsage.sent()
    assert usage.receive_final(200, 0.0) == []
    assert usage.state is InviteState.ANSWERED
    assert usage.acknowledge(ACK) == [SendAck(ACK)]
    assert usage.receive_again(1) == [SendAck(ACK)]
    assert usage.receive_final(404, 0.0) == []  # a peer that changes its mind is too late
    usage.end()
    assert usage.receive_again(1) == [SendAck(ACK)]


def test_ack_is_repeated_also_while_the_next_invite_is_open() -> None:
    usage = InviteUsage.sent()
    usage.receive_final(200, 0.0)
    assert usage.receive_again(1) == []  # the answer to its offer is not there yet
    usage.acknowledge(ACK)
    usage.send_invite()
    assert usage.receive_again(1) == [SendAck(ACK)]
    # RFC 5407 §3.1.5: the peer refuses what has overtaken the ACK; the ACK may be lost still.
    usage.receive_final(491, 0.0)
    assert usage.receive_again(1) == [SendAck(ACK)]
    # A 2xx that it sends after all has no ACK yet.
    assert usage.receive_again(2) == []


@pytest.mark.parametrize(
    ("status", "effects"), [(486, []), (491, []), (408, [EndDialog()]), (481, [EndDialog()])]
)
def test_refusals(status: int, effects: list[EndDialog]) -> None:
    # §12.2.1.2: 408 and 481 end the dialog; other refusals leave the session as it was.
    usage = InviteUsage.sent()
    assert usage.receive_final(status, 0.0) == effects
    assert usage.may_invite


@pytest.mark.parametrize(
    ("owner", "random", "delay"),
    [(True, 0.0, 2.1), (True, 0.9999, 4.0), (False, 0.0, 0.0), (False, 0.9999, 2.0)],
)
def test_retry_after_glare(*, owner: bool, random: float, delay: float) -> None:
    # §14.1: 2.1 to 4 seconds for the owner of the Call-ID, 0 to 2 for the other side.
    usage = idle(owner=owner)
    usage.send_invite()
    assert usage.receive_final(491, random, retry=True) == [StartTimer(UsageTimer.RETRY, delay)]
    assert not usage.may_invite
    assert usage.fired(UsageTimer.RETRY) == [RetryInvite()]
    usage.send_invite()
    assert usage.fired(UsageTimer.RETRY) == []


def test_glare_without_end_is_not_retried_for_ever() -> None:
    usage = idle()
    for _ in range(InviteUsage.MAX_RETRIES):
        usage.send_invite()
        assert usage.receive_final(491, 0.5, retry=True) != []
        assert usage.fired(UsageTimer.RETRY) == [RetryInvite()]
    usage.send_invite()
    assert usage.receive_final(491, 0.5, retry=True) == []
    assert usage.may_invite


def test_the_peers_invite_goes_before_our_retry() -> None:
    usage = idle()
    usage.send_invite()
    usage.receive_final(491, 0.5, retry=True)
    assert usage.receive_invite(0.5) == [StopTimer(UsageTimer.RETRY)]
    assert usage.state is InviteState.RECEIVED
    assert usage.fired(UsageTimer.RETRY) == []


# --- the end


@pytest.mark.parametrize(
    ("state", "effects"),
    [
        (InviteState.ACCEPTED, [StopTimer(UsageTimer.ACCEPTED)]),
        (InviteState.RETRYING, [StopTimer(UsageTimer.RETRY)]),
        (InviteState.IDLE, []),
        (InviteState.SENT, []),
    ],
)
def test_end(state: InviteState, effects: list[StopTimer]) -> None:
    usage = in_state(state)
    assert usage.end() == effects
    assert usage.state is InviteState.ENDED


# --- all together

INPUTS: dict[str, Callable[[InviteUsage, float], list[UsageEffect] | None]] = {
    "receive_invite": lambda usage, number: usage.receive_invite(number),
    "accept": lambda usage, number: usage.accept(1),
    "reject": lambda usage, number: usage.reject(),
    "receive_ack": lambda usage, number: usage.receive_ack(1),
    "send_invite": lambda usage, number: usage.send_invite(),
    "answered": lambda usage, number: usage.receive_final(200, number),
    "refused": lambda usage, number: usage.receive_final(486, number),
    "glare": lambda usage, number: usage.receive_final(491, number, retry=True),
    "answered again": lambda usage, number: usage.receive_again(1),
    "acknowledge": lambda usage, number: usage.acknowledge(ACK),
    "accepted_fired": lambda usage, number: usage.fired(UsageTimer.ACCEPTED),
    "retry_fired": lambda usage, number: usage.fired(UsageTimer.RETRY),
    "end": lambda usage, number: usage.end(),
}


@given(
    st.sampled_from(InviteState),
    st.lists(st.sampled_from(sorted(INPUTS)), max_size=40),
    st.floats(0, 1, exclude_max=True),
)
def test_any_input_in_any_state(state: InviteState, inputs: list[str], number: float) -> None:
    """Legal, or refused with the right kind of error; a timer runs exactly in the states that have one."""
    usage = InviteUsage(state, owner=True)
    timers = set(RUNNING.get(state, ()))
    for each in inputs:
        if each in FIRED and FIRED[each] not in timers:
            continue  # a timer that does not run cannot fire
        timers -= {FIRED[each]} if each in FIRED else set()
        before = usage.state
        try:
            effects = INPUTS[each](usage, number)
        except LocalError:
            assert (each in OURS, usage.state) == (True, before)
        except PeerError as refusal:
            assert (each, refusal.status in {481, 491, 500}, usage.state) == ("receive_invite", True, before)
        else:
            follow(usage, effects, timers)
        assert timers == RUNNING.get(usage.state, set())


RUNNING = {InviteState.ACCEPTED: {UsageTimer.ACCEPTED}, InviteState.RETRYING: {UsageTimer.RETRY}}
FIRED = {"accepted_fired": UsageTimer.ACCEPTED, "retry_fired": UsageTimer.RETRY}
OURS = {"accept", "reject", "send_invite", "acknowledge"}


def follow(usage: InviteUsage, effects: list[UsageEffect] | None, timers: set[UsageTimer]) -> None:
    for effect in effects or ():
        if isinstance(effect, StartTimer):
            timers.add(effect.timer)
        elif isinstance(effect, StopTimer):
            timers.discard(effect.timer)
        elif isinstance(effect, RetryInvite):
            usage.send_invite()


LEGAL = {"accept": "RECEIVED", "reject": "RECEIVED", "send_invite": "IDLE", "acknowledge": "ANSWERED"}
"What we may do in one state alone."
MEETS = {"RECEIVED": "500", "SENT": "491", "ANSWERED": "491", "ACCEPTED": "491", "ENDED": "481"}
"§14.2: what a re-INVITE gets in a state where it cannot be taken."


def _give(give: Callable[[InviteUsage, float], object], usage: InviteUsage) -> None:
    give(usage, 0.5)


def test_every_input_in_every_state() -> None:
    inputs = {label: partial(_give, give) for label, give in INPUTS.items()}
    start = [InviteUsage.received(), InviteUsage.sent()]
    outcomes = explore(start, inputs, lambda usage: usage.state.name, steps=10)
    assert outcomes.keys() == set(product([state.name for state in InviteState], INPUTS))
    for (state, label), came in outcomes.items():
        if label in LEGAL:
            assert came == {"ok" if state == LEGAL[label] else "LocalError"}
        else:
            assert came == {MEETS.get(state, "ok") if label == "receive_invite" else "ok"}
