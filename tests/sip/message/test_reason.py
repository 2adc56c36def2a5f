"""Reason. RFC 3326 §2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message.reason import Reason


def test_the_examples_of_rfc_3326() -> None:
    one, other = Reason.parse_many(
        'SIP ;cause=200 ;text="Call completed elsewhere", Q.850 ;cause=16 ;text="T"'
    )
    assert (one.protocol, one.cause, one.text) == ("SIP", 200, "Call completed elsewhere")
    assert (other.protocol, other.cause, other.text) == ("Q.850", 16, "T")
    assert other.is_of("q.850")
    assert not other.is_of("SIP")
    assert str(Reason.of("SIP", 600, "Busy Everywhere")) == 'SIP;cause=600;text="Busy Everywhere"'
    assert str(Reason.of("Q.850", 16)) == "Q.850;cause=16"


@pytest.mark.parametrize("params", ["", ";cause", ";cause=x", ";cause=-1", ";cause=1000", ";text"])
def test_a_reason_without_a_cause(params: str) -> None:
    reason = Reason.parse(f"preemption{params}")
    assert (reason.cause, reason.text) == (None, None)


@pytest.mark.parametrize("text", ["", ";cause=1", "SIP cause=1", "SIP;", "SIP;cause=1;cause=2", "SIP,"])
def test_malformed(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        Reason.parse_many(text)
    assert refusal.value.status == 400


@given(st.sampled_from(["SIP", "Q.850", "x-y"]), st.integers(0, 999), st.none() | st.text())
def test_what_was_made_is_read_again(protocol: str, cause: int, text: str | None) -> None:
    reason = Reason.of(protocol, cause, text)
    assert Reason.parse_many(str(reason)) == [reason]
    assert (reason.cause, reason.text) == (cause, text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        _ = [reason.cause for reason in Reason.parse_many(text)]
    except PeerError as refusal:
        assert refusal.status == 400
