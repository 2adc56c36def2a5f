"""Event, Subscription-State and Allow-Events. RFC 6665 §8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message.event import AllowEvents, Event, SubscriptionState

TOKENS = st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~]{1,12}", fullmatch=True)


def test_event() -> None:
    event = Event.parse("presence.winfo ; id=7;x")
    assert (event.package, event.id, event.key) == ("presence.winfo", "7", ("presence.winfo", "7"))
    assert str(Event.parse("refer;id=93809824")) == "refer;id=93809824"
    assert Event.of("dialog") == Event.parse("dialog")
    assert Event.of("refer", "2") == Event.parse("refer;id=2")


def test_events_are_compared_byte_for_byte() -> None:
    # §8.2.1: type and id alone, and both as they are written.
    assert Event.parse("dialog;call-id=1").key == Event.parse("dialog;call-id=2").key
    assert Event.parse("dialog").key != Event.parse("Dialog").key
    assert Event.parse("refer;id=1").key != Event.parse("refer").key


def test_subscription_state() -> None:
    active = SubscriptionState.parse("Active;expires=60")
    assert (active.state, active.expires, active.reason, active.retry_after) == ("active", 60, None, None)
    over = SubscriptionState.parse('terminated ;reason="Probation" ; retry-after=30')
    assert (over.state, over.reason, over.retry_after) == ("terminated", "probation", 30)
    assert str(SubscriptionState.lasting("pending", 9)) == "pending;expires=9"
    assert str(SubscriptionState.terminated("giveup")) == "terminated;reason=giveup"
    assert str(SubscriptionState.terminated("giveup", 5)) == "terminated;reason=giveup;retry-after=5"


@pytest.mark.parametrize(
    ("text", "seconds"), [("expires=", None), ("expires", None), ("expires=-1", None), ("expires=٣", None),
                          ("expires=99999999999", 2**32 - 1), ("expires=4294967296", 2**32 - 1)],
)  # fmt: skip
def test_seconds_that_are_none(text: str, seconds: int | None) -> None:
    assert SubscriptionState.parse(f"active;{text}").expires == seconds


def test_allow_events() -> None:
    events = AllowEvents.parse("dialog, message-summary")
    assert events.packages == ("dialog", "message-summary")
    assert str(events) == "dialog, message-summary"


@pytest.mark.parametrize("text", ["", " ", ";id=1", "a b", "dialog;", "dialog;id=1;id=2"])
def test_malformed(text: str) -> None:
    for parse in (Event.parse, SubscriptionState.parse):
        with pytest.raises(PeerError) as refusal:
            parse(text)
        assert refusal.value.status == 400


@pytest.mark.parametrize("text", ["", "a,,b", "a b", "a;id=1"])
def test_malformed_lists(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        AllowEvents.parse(text)
    assert refusal.value.status == 400


@given(TOKENS, st.none() | TOKENS)
def test_what_was_made_is_read_again(package: str, id_: str | None) -> None:
    event = Event.of(package, id_)
    assert Event.parse(str(event)) == event


@given(TOKENS, st.integers(0, 2**32 - 1), st.none() | st.integers(0, 2**32 - 1))
def test_states_are_read_again(reason: str, seconds: int, retry_after: int | None) -> None:
    lasting, over = (
        SubscriptionState.lasting("active", seconds),
        SubscriptionState.terminated(reason, retry_after),
    )
    assert SubscriptionState.parse(str(lasting)) == lasting
    assert lasting.expires == seconds
    assert SubscriptionState.parse(str(over)) == over
    assert (over.reason, over.retry_after) == (reason.lower(), retry_after)


@given(st.lists(TOKENS, min_size=1, max_size=9).map(tuple))
def test_lists_are_read_again(packages: tuple[str, ...]) -> None:
    assert AllowEvents.parse(str(AllowEvents(packages))).packages == packages


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (Event.parse, SubscriptionState.parse, AllowEvents.parse):
        try:
            parse(text)
        except PeerError as refusal:
            assert refusal.status == 400
