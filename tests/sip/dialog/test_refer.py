"""REFER. RFC 3515 §2.4, RFC 4488 §4, RFC 3892 §2; no clock runs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.dialog.notifier import Accept, NotifierState, SendNotify
from appliance.sip.dialog.refer import LASTS, Referral, ReferredTo, ReferRequest, ReferSent
from appliance.sip.dialog.subscriber import Over, SubscriberState
from appliance.sip.dialog.subscription import Ended, StartTimer, StopTimer, SubscriptionTimer
from appliance.sip.message import Headers, Replaces, Request, Response, SubscriptionState
from tests.sip.dialog.explore import explore

TO = ("Refer-To", "<sip:103@x>")


def refer(*headers: tuple[str, str]) -> Request:
    return Request("REFER", "sip:101@x", Headers([("CSeq", "93809823 REFER"), *headers]))


def read(*headers: tuple[str, str]) -> ReferRequest:
    return ReferRequest.of_request(refer(TO, *headers))


def test_reading() -> None:
    request = read(("Referred-By", "<sip:101@x>;cid=1@x"))
    assert str(request.refer_to.target) == "sip:103@x"
    assert request.referred_by == "<sip:101@x>;cid=1@x"
    # §2.4.6: the id is the REFER's CSeq number.
    assert str(request.event) == "refer;id=93809823"
    assert request.subscribes
    assert read().referred_by is None


def test_attended() -> None:
    request = ReferRequest.of_request(
        refer(("Refer-To", "<sip:103@x?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"))
    )
    assert request.refer_to.replaces == Replaces.of("a@b", "1", "2")


@pytest.mark.parametrize(
    ("value", "subscribes"), [("false", False), ("False ;x=y", False), ("true", True), ("", True)]
)
def test_without_a_subscription(value: str, *, subscribes: bool) -> None:
    assert read(("Refer-Sub", value)).subscribes is subscribes


@pytest.mark.parametrize(
    "headers",
    [[], [TO, TO], [("Refer-To", "<sip:")], [TO, ("Referred-By", "<sip:")],
     [TO, ("Referred-By", "<sip:a@x>"), ("Referred-By", "<sip:b@x>")]],
)  # fmt: skip
def test_malformed(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(PeerError) as refusal:
        ReferRequest.of_request(refer(*headers))
    assert refusal.value.status == 400


def test_a_transfer_as_its_sender_hears_of_it() -> None:
    referral = Referral(read())
    accept, start, first = referral.accept(0)
    assert accept == Accept(LASTS)
    assert referral.headers == ()
    assert start == StartTimer(SubscriptionTimer.EXPIRY, LASTS)
    assert isinstance(first, SendNotify)
    # §2.4.4: at once, and before anything is known it says 100.
    assert (str(first.state), referral.body) == (f"active;expires={LASTS}", b"SIP/2.0 100 Trying\r\n")
    # What comes while that NOTIFY is under way is told in one more.
    assert referral.progress(180, 1) == referral.progress(183, 2) == []
    (second,) = referral.usage.answered(200, 3)
    assert isinstance(second, SendNotify)
    assert referral.body == b"SIP/2.0 183 Session Progress\r\n"
    assert referral.usage.answered(200, 4) == []
    # §2.4.7: the final status ends it.
    stop, last = referral.progress(200, 5)
    assert stop == StopTimer(SubscriptionTimer.EXPIRY)
    assert last == SendNotify(SubscriptionState.terminated("noresource"), full=False)
    assert referral.progress(486, 6) == []
    assert referral.body == b"SIP/2.0 200 OK\r\n"
    assert referral.usage.answered(200, 7) == [Ended()]


def test_a_reason_in_its_own_words() -> None:
    referral = Referral(read())
    referral.accept(0)
    referral.progress(486, 1, "Engaged")
    assert referral.body == b"SIP/2.0 486 Engaged\r\n"


def test_a_transfer_that_nobody_hears_of() -> None:
    referral = Referral(read(("Refer-Sub", "false")))
    effects = referral.accept(0)
    assert (effects[0], effects[-1]) == (Accept(0), Ended())
    assert referral.headers == (("Refer-Sub", "false"),)
    assert referral.progress(200, 1) == []
    assert referral.usage.state is NotifierState.TERMINATED


STATE = SubscriptionState.lasting("active", 60)
PENDING = SubscriptionState.lasting("pending", 60)
END = SubscriptionState.terminated("noresource")


def sent() -> ReferSent:
    refer_sent = ReferSent()
    refer_sent.usage.start(0)
    return refer_sent


def test_our_own_refer() -> None:
    refer_sent = sent()
    assert refer_sent.receive_final(Response(202), 0) == []
    assert refer_sent.notified(STATE, b"SIP/2.0 100 Trying\r\n", 1)[0] == ReferredTo(100, "Trying")
    effects = refer_sent.notified(END, b"SIP/2.0 486 Busy Here\r\n", 2)
    assert (effects[0], effects[-1]) == (ReferredTo(486, "Busy Here"), Over("noresource"))


def test_a_final_status_counts_once() -> None:
    refer_sent = sent()
    assert refer_sent.notified(STATE, b"SIP/2.0 200 OK\r\n", 1)[0] == ReferredTo(200, "OK")
    effects = refer_sent.notified(END, b"SIP/2.0 503 X\r\n", 2)
    assert not any(isinstance(effect, ReferredTo) for effect in effects)


def test_our_refer_refused_unanswered_or_without_news() -> None:
    assert sent().receive_final(Response(603), 0)[-1] == Over("603")
    assert sent().receive_final(None, 0)[-1] == Over("408")
    # RFC 4488 §4: taken on, but nothing will be told.
    quiet = sent()
    assert quiet.receive_final(Response(202, headers=Headers([("Refer-Sub", "false")])), 0)[-1] == Over("")
    assert quiet.usage.state is SubscriberState.TERMINATED


def test_a_notify_that_says_nothing() -> None:
    refer_sent = sent()
    with pytest.raises(PeerError) as refusal:
        refer_sent.notified(STATE, b"", 1)
    assert refusal.value.status == 400
    assert refer_sent.usage.state is SubscriberState.WAITING


def test_an_end_that_says_nothing_is_an_end() -> None:
    assert sent().notified(END, b"", 1)[-1] == Over("noresource")


@given(st.lists(st.one_of(st.integers(100, 699), st.sampled_from(["answered", "refused", "expiry"]))))
def test_whatever_happens_the_newest_status_is_the_last_told(events: list[int | str]) -> None:
    referral = Referral(read())
    effects = referral.accept(0)
    open_, told, final = True, b"", None
    for now, event in enumerate(events):
        if isinstance(event, int):
            final = (
                event
                if final is None and event >= 200 and referral.usage.state is NotifierState.ACTIVE
                else final
            )
            effects = referral.progress(event, now)
        elif event == "expiry":
            effects = referral.usage.fired(SubscriptionTimer.EXPIRY, now)
        elif open_:
            open_ = False
            effects = referral.usage.answered(200 if event == "answered" else 481, now)
        else:
            continue
        for effect in effects:
            if isinstance(effect, SendNotify):
                open_, told = True, referral.body
                if effect.state.state == "terminated" and final is not None:
                    assert told.startswith(f"SIP/2.0 {final} ".encode())


TAKEN: dict[str, Callable[[Referral], object]] = {
    "accept": lambda referral: referral.accept(0),
    "trying": lambda referral: referral.progress(100, 0),
    "ringing": lambda referral: referral.progress(180, 0),
    "answered": lambda referral: referral.progress(200, 0),
    "busy": lambda referral: referral.progress(486, 0, "Engaged"),
    "notify taken": lambda referral: referral.usage.answered(200, 0),
    "notify refused": lambda referral: referral.usage.answered(481, 0),
    "expiry": lambda referral: referral.usage.fired(SubscriptionTimer.EXPIRY, 0),
    "unsubscribed": lambda referral: referral.usage.subscribe(0, 0),
    "end": lambda referral: referral.usage.end(),
}


def test_a_referral_takes_every_input_in_every_state() -> None:
    start = [Referral(read()), Referral(read(("Refer-Sub", "false")))]
    outcomes = explore(start, TAKEN, lambda referral: referral.usage.state.name, steps=8)
    assert outcomes.keys() == set(product(("ACTIVE", "TERMINATED"), TAKEN))
    for (state, label), came in outcomes.items():
        if label.startswith("notify"):
            assert came == {"ok", "LocalError"}  # with a NOTIFY open, and without one
        elif label in {"accept", "unsubscribed"}:
            # Without a subscription a REFER is taken on all the same, and over at once.
            assert came == (
                {"ok"} if state == "ACTIVE" else {"481"} | ({"ok"} if label == "accept" else set())
            )
        else:
            assert came == {"ok"}


SENT: dict[str, Callable[[ReferSent], object]] = {
    "start": lambda refer_sent: refer_sent.usage.start(0),
    "accepted": lambda refer_sent: refer_sent.receive_final(Response(202), 0),
    "quiet": lambda refer_sent: refer_sent.receive_final(Response(202, headers=Headers([("Refer-Sub", "false")])), 0),
    "refused": lambda refer_sent: refer_sent.receive_final(Response(603), 0),
    "silence": lambda refer_sent: refer_sent.receive_final(None, 0),
    "trying": lambda refer_sent: refer_sent.notified(STATE, b"SIP/2.0 100 Trying\r\n", 0),
    "pending": lambda refer_sent: refer_sent.notified(PENDING, b"SIP/2.0 100 Trying\r\n", 0),
    "answered": lambda refer_sent: refer_sent.notified(END, b"SIP/2.0 200 OK\r\n", 0),
    "over": lambda refer_sent: refer_sent.notified(END, b"", 0),
    "nonsense": lambda refer_sent: refer_sent.notified(STATE, b"hello", 0),
    "unsubscribe": lambda refer_sent: refer_sent.usage.unsubscribe(),
    "end": lambda refer_sent: refer_sent.usage.end(),
    **{timer.value: lambda refer_sent, timer=timer: refer_sent.usage.fired(timer, 0, 0.5) for timer in SubscriptionTimer},  # type: ignore[misc]  # mypy cannot infer the default
}  # fmt: skip


def test_a_refer_of_ours_takes_every_input_in_every_state() -> None:
    outcomes = explore([ReferSent()], SENT, lambda refer_sent: refer_sent.usage.state.name, steps=8)
    # It is neither refreshed nor begun anew, so that it never rests.
    states = {state.name for state in SubscriberState} - {"RESTING"}
    assert outcomes.keys() == set(product(states, SENT))
    for (state, label), came in outcomes.items():
        alive = state in {"WAITING", "PENDING", "ACTIVE"}
        if label == "nonsense":
            assert came == {"400"}
        elif label in {"trying", "pending", "answered", "over"}:
            assert came == {"ok" if alive else "481"}
        else:
            assert came == {"LocalError" if label == "start" and state != "NEW" else "ok"}
