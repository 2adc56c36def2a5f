"""The subscriber's machine: RFC 6665 §4.1, each rule under its section; no clock runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog.subscriber import (
    Over,
    Resting,
    SendSubscribe,
    SubscriberEffect,
    SubscriberState,
    SubscriberUsage,
)
from appliance.sip.dialog.subscription import StartTimer, StopTimer, SubscriptionTimer
from appliance.sip.message import SubscriptionState
from tests.sip.dialog.explore import explore

N, REFRESH, EXPIRY, AGAIN = (
    SubscriptionTimer.N, SubscriptionTimer.REFRESH, SubscriptionTimer.EXPIRY, SubscriptionTimer.AGAIN,
)  # fmt: skip
STOPS = [StopTimer(timer) for timer in (N, REFRESH, EXPIRY, AGAIN)]
WAIT = StartTimer(N, 32)
ACTIVE, PENDING = SubscriptionState.lasting("active", 600), SubscriptionState.lasting("pending", 600)


def waiting() -> SubscriberUsage:
    usage = SubscriberUsage(600)
    usage.start(0)
    return usage


def active() -> SubscriberUsage:
    usage = waiting()
    usage.receive_final(200, 0, 0, expires=600)
    usage.notified(ACTIVE, 0, 0)
    return usage


def test_a_whole_life() -> None:
    usage = SubscriberUsage(600)
    assert usage.start(0) == [SendSubscribe(600, fresh=True), WAIT]
    # The 2xx says how long; it is refreshed so long before that two SUBSCRIBEs may be lost.
    assert usage.receive_final(200, 0, 0, expires=600) == [StartTimer(EXPIRY, 600), StartTimer(REFRESH, 536)]
    # §4.1.2.4: only the NOTIFY makes it stand.
    states = [usage.state]
    assert usage.notified(PENDING, 1, 0)[0] == StopTimer(N)
    states.append(usage.state)
    # §4.1.3: its expires is the true figure.
    said = SubscriptionState.lasting("active", 60)
    assert usage.notified(said, 2, 0) == [StopTimer(N), StartTimer(EXPIRY, 60), StartTimer(REFRESH, 30)]
    assert [*states, usage.state] == [
        SubscriberState.WAITING,
        SubscriberState.PENDING,
        SubscriberState.ACTIVE,
    ]
    assert usage.fired(REFRESH, 32, 0) == [SendSubscribe(600, fresh=False), WAIT]
    assert usage.fired(REFRESH, 32, 0) == []  # one at a time
    assert usage.receive_final(200, 33, 0) == [StartTimer(EXPIRY, 600), StartTimer(REFRESH, 536)]
    assert usage.notified(SubscriptionState("active"), 34, 0) == [StopTimer(N)]
    # §4.1.2.3: the end is a SUBSCRIBE too, and a NOTIFY.
    assert usage.unsubscribe() == [StopTimer(REFRESH), SendSubscribe(0, fresh=False), WAIT]
    assert usage.unsubscribe() == []
    assert usage.receive_final(200, 35, 0, expires=0) == []
    assert usage.notified(SubscriptionState.terminated("timeout"), 36, 0) == [*STOPS, Over("timeout")]
    with pytest.raises(PeerError) as refusal:
        usage.notified(ACTIVE, 37, 0)
    assert refusal.value.status == 481


def test_the_notify_may_overtake_the_2xx() -> None:
    usage = waiting()
    assert usage.notified(SubscriptionState("x-new"), 0, 0)[1:] == [
        StartTimer(EXPIRY, 600),
        StartTimer(REFRESH, 536),
    ]
    # §4.1.3: a state we do not know counts as pending.
    assert usage.state is SubscriberState.PENDING
    assert usage.receive_final(200, 0, 0, expires=9999)[0] == StartTimer(EXPIRY, 600)


def test_a_2xx_that_grants_nothing_waits_for_the_end() -> None:
    assert waiting().receive_final(200, 0, 0, expires=0) == [StartTimer(EXPIRY, 0)]


def test_no_notify_no_subscription() -> None:
    # §4.1.2.4, whatever the SUBSCRIBE got.
    usage = waiting()
    usage.receive_final(200, 0, 0)
    assert usage.fired(N, 32, 1.0) == [*STOPS, Resting("silence"), StartTimer(AGAIN, 30)]
    assert usage.receive_final(408, 32, 0) == []
    assert usage.fired(EXPIRY, 40, 0) == []
    assert usage.fired(AGAIN, 62, 0) == [SendSubscribe(600, fresh=True), WAIT]


def test_tries_grow_rarer() -> None:
    usage = SubscriberUsage(600)
    usage.start(0)
    now, delays = 0.0, []
    for _ in range(9):
        again = usage.receive_final(503, now, 0.0)[-1]
        assert isinstance(again, StartTimer)
        delays.append(again.delay)
        now += again.delay
        usage.fired(AGAIN, now, 0.0)
    assert delays == [15, 30, 60, 120, 240, 480, 900, 900, 900]


@pytest.mark.parametrize(
    ("status", "wait", "outcome"),
    [(403, None, [Over("403")]), (489, None, [Over("489")]), (423, None, [Over("423")]),
     (403, 7, [Resting("403"), StartTimer(AGAIN, 7)]), (480, None, [Resting("480"), StartTimer(AGAIN, 15)])],
)  # fmt: skip
def test_refused(status: int, wait: int | None, outcome: list[SubscriberEffect]) -> None:
    assert waiting().receive_final(status, 0, 0, wait=wait) == [*STOPS, *outcome]


def test_too_brief() -> None:
    usage = waiting()
    assert usage.receive_final(423, 0, 0, expires=900) == [SendSubscribe(900, fresh=True), WAIT]
    # A notifier that is never content is asked once.
    assert usage.receive_final(423, 0, 0, expires=1800) == [*STOPS, Over("423")]
    other = active()
    other.fired(REFRESH, 500, 0)
    assert other.receive_final(423, 501, 0, expires=900) == [SendSubscribe(900, fresh=False), WAIT]


def test_refresh_refused() -> None:
    usage = active()
    usage.fired(REFRESH, 536, 0)
    # §4.1.2.2: it stands until it expires ...
    assert usage.receive_final(500, 537, 0) == [StopTimer(N), StartTimer(REFRESH, 15)]
    usage.fired(REFRESH, 552, 0)
    assert usage.receive_final(503, 553, 0, wait=20) == [StopTimer(N), StartTimer(REFRESH, 20)]
    # ... and then begins anew, at once.
    assert usage.fired(EXPIRY, 600, 0) == [*STOPS, Resting("silence"), StartTimer(AGAIN, 0)]


@pytest.mark.parametrize(("wait", "delay"), [(None, 0), (9, 9)])
def test_refresh_of_what_is_not_known_any_more(wait: int | None, delay: int) -> None:
    usage = active()
    usage.fired(REFRESH, 536, 0)
    assert usage.receive_final(481, 537, 0, wait=wait) == [*STOPS, Resting("481"), StartTimer(AGAIN, delay)]


@pytest.mark.parametrize(
    ("reason", "retry_after", "outcome"),
    [("deactivated", 99, [Resting("deactivated"), StartTimer(AGAIN, 0)]),
     ("timeout", None, [Resting("timeout"), StartTimer(AGAIN, 0)]),
     ("probation", 40, [Resting("probation"), StartTimer(AGAIN, 40)]),
     ("giveup", None, [Resting("giveup"), StartTimer(AGAIN, 15)]),
     ("x-new", None, [Resting("x-new"), StartTimer(AGAIN, 15)]),
     ("rejected", 5, [Over("rejected")]), ("noresource", 5, [Over("noresource")]), ("invariant", 5, [Over("invariant")])],
)  # fmt: skip
def test_reasons(reason: str, retry_after: int | None, outcome: list[SubscriberEffect]) -> None:
    said = SubscriptionState.terminated(reason, retry_after)
    assert active().notified(said, 200, 0) == [*STOPS, *outcome]


def test_terminated_without_a_reason() -> None:
    assert active().notified(SubscriptionState("terminated"), 200, 0)[-2:] == [
        Resting(""),
        StartTimer(AGAIN, 15),
    ]


def test_a_notifier_that_ends_it_at_once_each_time_is_not_obeyed() -> None:
    usage = active()
    end = SubscriptionState.terminated("deactivated")
    assert usage.notified(end, 1, 0)[-1] == StartTimer(AGAIN, 0)
    usage.fired(AGAIN, 1, 0)
    assert usage.notified(end, 2, 0)[-1] == StartTimer(AGAIN, 30)
    usage.fired(AGAIN, 32, 0)
    usage.notified(ACTIVE, 33, 0)
    # Once it has stood for a while, all is forgiven.
    assert usage.notified(end, 333, 0)[-1] == StartTimer(AGAIN, 0)


def test_unsubscribing_while_a_subscribe_is_out() -> None:
    usage = waiting()
    # One at a time: the next one waits for the answer.
    assert usage.unsubscribe() == [StopTimer(REFRESH)]
    assert usage.notified(ACTIVE, 0, 0) == []
    assert usage.fired(REFRESH, 0, 0) == []
    assert usage.receive_final(200, 0, 0) == [StopTimer(REFRESH), SendSubscribe(0, fresh=False), WAIT]
    assert usage.fired(N, 32, 0) == [*STOPS, Over("")]


@pytest.mark.parametrize("usage", [waiting(), active()])
def test_unsubscribing_that_fails_is_the_end_too(usage: SubscriberUsage) -> None:
    usage.unsubscribe()
    effects = usage.receive_final(481, 1, 0) or usage.fired(N, 32, 0)
    assert effects == [*STOPS, Over("")]


def test_unsubscribing_between_two_tries() -> None:
    usage = waiting()
    usage.fired(N, 32, 0)
    assert usage.fired(N, 33, 0) == []
    assert usage.unsubscribe() == [*STOPS, Over("")]
    assert usage.unsubscribe() == usage.end() == []


def test_the_subscription_of_a_refer() -> None:
    usage = SubscriberUsage.implicit(300)
    assert usage.start(0) == [WAIT]
    assert usage.receive_final(202, 0, 0) == []
    assert usage.notified(SubscriptionState("active"), 1, 0) == [StopTimer(N), StartTimer(EXPIRY, 300)]
    # It is neither refreshed nor begun anew.
    assert usage.notified(SubscriptionState.terminated("deactivated"), 2, 0) == [*STOPS, Over("deactivated")]


def test_a_refer_that_is_refused_or_never_told_of() -> None:
    usage = SubscriberUsage.implicit(300)
    usage.start(0)
    assert usage.receive_final(603, 0, 0) == [*STOPS, Over("603")]
    silent = SubscriberUsage.implicit(300)
    silent.start(0)
    assert silent.fired(N, 32, 0) == [*STOPS, Over("silence")]


def test_not_wanted_before_it_began() -> None:
    usage = SubscriberUsage(600)
    assert usage.unsubscribe() == [*STOPS, Over("")]
    assert usage.state is SubscriberState.TERMINATED


def test_it_begins_once() -> None:
    with pytest.raises(LocalError):
        waiting().start(1)


INPUTS: dict[str, Callable[[SubscriberUsage, float], list[SubscriberEffect]]] = {
    "start": lambda usage, now: usage.start(now),
    "accepted": lambda usage, now: usage.receive_final(200, now, 0.5, expires=600),
    "brief": lambda usage, now: usage.receive_final(423, now, 0.5, expires=900),
    "busy": lambda usage, now: usage.receive_final(503, now, 0.5, wait=3),
    "unknown": lambda usage, now: usage.receive_final(481, now, 0.5),
    "refused": lambda usage, now: usage.receive_final(403, now, 0.5),
    "active": lambda usage, now: usage.notified(ACTIVE, now, 0.5),
    "pending": lambda usage, now: usage.notified(PENDING, now, 0.5),
    "timeout": lambda usage, now: usage.notified(SubscriptionState.terminated("timeout"), now, 0.5),
    "rejected": lambda usage, now: usage.notified(SubscriptionState.terminated("rejected"), now, 0.5),
    "unsubscribe": lambda usage, now: usage.unsubscribe(),
    "end": lambda usage, now: usage.end(),
    **{timer.value: lambda usage, now, timer=timer: usage.fired(timer, now, 0.5) for timer in SubscriptionTimer},  # type: ignore[misc]  # mypy cannot infer the default
}  # fmt: skip


ANSWERS = frozenset({"accepted", "brief", "busy", "unknown", "refused"})
TIMERS = {timer.value: timer for timer in SubscriptionTimer}


class Watch:
    """Follows the effects: which timers run, and how many SUBSCRIBEs are out."""

    def __init__(self) -> None:
        self.running: set[SubscriptionTimer] = set()
        self.open_requests = 0

    def before(self, name: str) -> None:
        self.running.discard(TIMERS.get(name, SubscriptionTimer.RETRY))

    def after(self, name: str, effects: list[SubscriberEffect]) -> None:
        if name in ANSWERS:
            self.open_requests = 0
        for effect in effects:
            match effect:
                case StartTimer(timer, delay):
                    assert delay >= 0
                    self.running.add(timer)
                case StopTimer(timer):
                    self.running.discard(timer)
                case SendSubscribe():
                    self.open_requests += 1
                case Resting() | Over():
                    self.open_requests = 0
        assert self.open_requests <= 1


@given(st.booleans(), st.lists(st.sampled_from(sorted(INPUTS)), max_size=30))
def test_any_inputs_in_any_order(implicit: bool, names: list[str]) -> None:
    usage = SubscriberUsage(600, implicit=implicit)
    watch = Watch()
    for now, name in enumerate(names):
        watch.before(name)
        try:
            effects = INPUTS[name](usage, float(now))
        except PeerError as refusal:
            assert refusal.status == 481
            continue
        except LocalError:
            assert name == "start"
            continue
        watch.after(name, effects)
        # Nothing runs on when it is over, and while it is not, something does that will end or renew it.
        alive = usage.state not in {SubscriberState.NEW, SubscriberState.TERMINATED}
        assert alive or not watch.running
        assert not alive or watch.running or name in TIMERS


NOTIFIES = {"active", "pending", "timeout", "rejected"}


def _give(give: Callable[[SubscriberUsage, float], object], usage: SubscriberUsage) -> None:
    give(usage, 0.0)


def test_every_input_in_every_state() -> None:
    inputs = {label: partial(_give, give) for label, give in INPUTS.items()}
    start = [SubscriberUsage(600), SubscriberUsage.implicit(300)]
    # Tries are counted without end, so that there is no last state: in six steps all kinds of them are reached.
    outcomes = explore(start, inputs, lambda usage: usage.state.name, steps=6)
    assert outcomes.keys() == set(product([state.name for state in SubscriberState], INPUTS))
    for (state, label), came in outcomes.items():
        if label in NOTIFIES:
            # §4.1.3: 481 for a NOTIFY without a subscription.
            assert came == {"ok" if state in {"WAITING", "PENDING", "ACTIVE"} else "481"}
        else:
            assert came == {"LocalError" if label == "start" and state != "NEW" else "ok"}
