"""The notifier's machine: RFC 6665 §4.2, each rule under its section; no clock runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog.notifier import (
    MAX_PAUSE,
    Accept,
    NotifierEffect,
    NotifierState,
    NotifierUsage,
    SendNotify,
)
from appliance.sip.dialog.subscription import Ended, Lifetime, StartTimer, StopTimer, SubscriptionTimer
from appliance.sip.message import SubscriptionState
from tests.sip.dialog.explore import explore

EXPIRY, RETRY, PACE = SubscriptionTimer.EXPIRY, SubscriptionTimer.RETRY, SubscriptionTimer.PACE
LIFETIME = Lifetime(60, 600, 3600)
SILENT_END = [StopTimer(EXPIRY), StopTimer(RETRY), Ended()]


def notify(state: str, expires: int, *, full: bool = False) -> SendNotify:
    return SendNotify(SubscriptionState.lasting(state, expires), full)


def last(reason: str, *, full: bool = False) -> SendNotify:
    return SendNotify(SubscriptionState.terminated(reason), full)


def active() -> NotifierUsage:
    """One that was told everything, at 0 s, for 600 s."""
    usage = NotifierUsage(LIFETIME)
    usage.subscribe(600, 0)
    usage.answered(200, 0)
    return usage


def test_a_whole_life() -> None:
    usage = NotifierUsage(LIFETIME)
    # §4.2.1.2: the 2xx first, then at once a NOTIFY with everything.
    first = [Accept(600), StartTimer(EXPIRY, 600), notify("active", 600, full=True)]
    assert usage.subscribe(None, 0) == first
    assert usage.answered(200, 1) == []
    # A change is told, with the time that is left.
    assert usage.changed(100) == [notify("active", 500)]
    assert usage.answered(200, 101) == []
    # A refresh starts the time anew and is followed by everything, changed or not.
    assert usage.subscribe(60, 200) == [Accept(60), StartTimer(EXPIRY, 60), notify("active", 60, full=True)]
    assert usage.answered(200, 200) == []
    # §4.2.1.4: without another refresh it ends, and the last NOTIFY says so.
    assert usage.fired(EXPIRY, 260) == [StopTimer(EXPIRY), last("timeout")]
    assert usage.changed(260) == usage.terminate("noresource", 260) == []
    assert usage.answered(200, 261) == [Ended()]


def test_unsubscribing() -> None:
    usage = active()
    assert usage.subscribe(0, 5) == [Accept(0), StopTimer(EXPIRY), last("timeout", full=True)]
    with pytest.raises(PeerError) as refusal:
        usage.subscribe(600, 6)
    assert refusal.value.status == 481
    assert usage.answered(481, 6) == SILENT_END


def test_a_fetch() -> None:
    # §4.4.3: Expires 0 in the first SUBSCRIBE asks for one NOTIFY.
    usage = NotifierUsage(LIFETIME)
    assert usage.subscribe(0, 0) == [Accept(0), StopTimer(EXPIRY), last("timeout", full=True)]
    assert usage.answered(200, 1) == [Ended()]


def test_too_brief_a_refresh_changes_nothing() -> None:
    usage = active()
    with pytest.raises(PeerError) as refusal:
        usage.subscribe(10, 50)
    assert refusal.value.status == 423
    assert usage.changed(100) == [notify("active", 500)]


def test_pending() -> None:
    usage = NotifierUsage(LIFETIME, pending=True)
    assert usage.subscribe(600, 0)[-1] == notify("pending", 600, full=True)
    assert usage.changed(1) == []
    assert usage.answered(200, 1) == []
    assert usage.changed(1) == []
    assert usage.activate(2) == [notify("active", 598, full=True)]
    with pytest.raises(LocalError):
        usage.activate(3)


def test_rejected() -> None:
    usage = NotifierUsage(LIFETIME, pending=True)
    usage.subscribe(600, 0)
    usage.answered(200, 0)
    assert usage.terminate("rejected", 1) == [StopTimer(EXPIRY), last("rejected")]
    assert usage.state is NotifierState.TERMINATED


def paced() -> NotifierUsage:
    """One that tells of changes every second at most, and was told everything at 0 s."""
    usage = NotifierUsage(LIFETIME, pace=1.0)
    assert usage.subscribe(600, 0)[-1] == notify("active", 600, full=True)
    assert usage.answered(200, 0) == []
    return usage


def test_changes_that_come_too_soon_wait() -> None:
    usage = paced()
    assert usage.changed(0.25) == [StartTimer(PACE, 0.75)]
    assert usage.changed(0.5) == []
    assert usage.fired(PACE, 1) == [notify("active", 599)]
    assert usage.fired(PACE, 1) == []
    # Also one that came while the last NOTIFY was under way.
    assert usage.changed(1.25) == []
    assert usage.answered(200, 1.5) == [StartTimer(PACE, 0.5)]
    assert usage.fired(PACE, 2) == [notify("active", 598)]
    assert usage.answered(200, 2) == []
    # One that comes late is told at once.
    assert usage.changed(3) == [notify("active", 597)]


def test_no_pace_holds_up_what_answers_a_subscribe() -> None:
    usage = paced()
    assert usage.changed(0.25) == [StartTimer(PACE, 0.75)]
    # It says what has changed as well.
    first = [Accept(600), StartTimer(EXPIRY, 600), StopTimer(PACE), notify("active", 600, full=True)]
    assert usage.subscribe(600, 0.5) == first
    assert usage.subscribe(600, 0.5) == [Accept(600), StartTimer(EXPIRY, 600)]
    assert usage.answered(200, 0.75) == [notify("active", 600, full=True)]


def test_no_pace_holds_up_the_last_word() -> None:
    usage = paced()
    usage.changed(0.25)
    assert usage.terminate("noresource", 0.5) == [StopTimer(EXPIRY), StopTimer(PACE), last("noresource")]
    assert usage.answered(200, 0.5) == [Ended()]
    usage = paced()
    usage.changed(0.25)
    assert usage.end() == [StopTimer(EXPIRY), StopTimer(RETRY), StopTimer(PACE), Ended()]
    usage = paced()
    usage.changed(2)
    assert usage.terminate("noresource", 2) == [StopTimer(EXPIRY)]
    assert usage.answered(200, 2.5) == [last("noresource")]


def test_one_notify_at_a_time() -> None:
    usage = active()
    assert usage.changed(1) == [notify("active", 599)]
    # What happens meanwhile goes into one more, however much it is.
    assert usage.changed(2) == usage.changed(3) == []
    assert usage.subscribe(600, 4) == [Accept(600), StartTimer(EXPIRY, 600)]
    assert usage.answered(200, 10) == [notify("active", 594, full=True)]
    # Also the end waits for its turn, and is the last word.
    assert usage.terminate("probation", 11, 30) == [StopTimer(EXPIRY)]
    assert usage.changed(12) == []
    end = SendNotify(SubscriptionState.terminated("probation", 30), full=False)
    assert usage.answered(200, 12) == [end]
    assert usage.answered(200, 13) == [Ended()]


@pytest.mark.parametrize(
    ("status", "retry_after"),
    [(408, None), (481, None), (481, 5), (500, None), (503, MAX_PAUSE + 1), (404, 5)],
)
def test_a_notify_that_fails_ends_it(status: int, retry_after: int | None) -> None:
    # §4.2.2.
    usage = active()
    usage.changed(1)
    assert usage.answered(status, 2, retry_after) == SILENT_END
    assert usage.state is NotifierState.TERMINATED


def test_a_notify_that_shall_come_later() -> None:
    usage = active()
    usage.changed(1)
    assert usage.answered(503, 2, 30) == [StartTimer(RETRY, 30)]
    assert usage.changed(3) == []
    # What the refused one said is lost, so this one says everything.
    assert usage.fired(RETRY, 32) == [notify("active", 568, full=True)]
    assert usage.answered(200, 33) == []
    assert usage.fired(RETRY, 34) == []


def test_an_end_does_not_wait_for_the_pause() -> None:
    usage = active()
    usage.changed(1)
    usage.answered(503, 2, 30)
    assert usage.terminate("noresource", 3) == [
        StopTimer(EXPIRY),
        StopTimer(RETRY),
        last("noresource", full=True),
    ]
    # Nor is the last one sent again.
    assert usage.answered(503, 4, 30) == SILENT_END


def test_an_answer_to_nothing_is_our_defect() -> None:
    with pytest.raises(LocalError):
        active().answered(200, 1)


def test_other_timers_are_not_its_own() -> None:
    assert active().fired(SubscriptionTimer.REFRESH, 1) == []


INPUTS: dict[str, Callable[[NotifierUsage, float], list[NotifierEffect]]] = {
    "subscribe": lambda usage, now: usage.subscribe(600, now),
    "brief": lambda usage, now: usage.subscribe(1, now),
    "unsubscribe": lambda usage, now: usage.subscribe(0, now),
    "activate": lambda usage, now: usage.activate(now),
    "changed": lambda usage, now: usage.changed(now),
    "terminate": lambda usage, now: usage.terminate("giveup", now, 9),
    "taken": lambda usage, now: usage.answered(200, now),
    "later": lambda usage, now: usage.answered(500, now, 10),
    "failed": lambda usage, now: usage.answered(408, now),
    "expiry": lambda usage, now: usage.fired(EXPIRY, now),
    "retry": lambda usage, now: usage.fired(RETRY, now),
    "end": lambda usage, now: usage.end(),
}


@given(st.booleans(), st.lists(st.sampled_from(sorted(INPUTS)), max_size=30))
def test_any_inputs_in_any_order(pending: bool, names: list[str]) -> None:
    usage = NotifierUsage(LIFETIME, pending=pending)
    open_notifies, over = 0, False
    for now, name in enumerate(names):
        try:
            effects = INPUTS[name](usage, float(now))
        except PeerError as refusal:
            assert refusal.status in {423, 481}
            continue
        except LocalError:
            assert name in {"activate", "taken", "later", "failed"}
            continue
        if name in {"taken", "later", "failed", "end"}:
            open_notifies = 0
        sent = [effect for effect in effects if isinstance(effect, SendNotify)]
        open_notifies += len(sent)
        # Never two at once; the last one says terminated, and nothing follows it but answers.
        assert open_notifies <= 1
        if over:
            assert not sent
        if any(effect.state.state == "terminated" for effect in sent):
            assert usage.state is NotifierState.TERMINATED
            over = True


ANSWERS = {"taken", "later", "failed"}


def _give(give: Callable[[NotifierUsage, float], object], usage: NotifierUsage) -> None:
    give(usage, 0.0)


def test_every_input_in_every_state() -> None:
    inputs = {label: partial(_give, give) for label, give in INPUTS.items()}
    start = [NotifierUsage(LIFETIME, pace=1.0), NotifierUsage(LIFETIME, pending=True)]
    outcomes = explore(start, inputs, lambda usage: usage.state.name, steps=10)
    assert outcomes.keys() == set(product([state.name for state in NotifierState], INPUTS))
    for (state, label), came in outcomes.items():
        if label in ANSWERS:
            assert came == {"ok", "LocalError"}  # with a NOTIFY open, and without one
        elif label == "activate":
            assert came == {"ok" if state == "PENDING" else "LocalError"}
        elif state == "TERMINATED" and label in {"subscribe", "brief", "unsubscribe"}:
            assert came == {"481"}
        else:
            assert came == {"423" if label == "brief" else "ok"}
