"""Diversion. RFC 5806 §10."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import Uri
from appliance.sip.message.diversion import Diversion

REASONS = st.sampled_from(["unknown", "user-busy", "no-answer", "unconditional", "deflection"])


def test_reading() -> None:
    text = '"B" <sip:b@x>;reason="User-Busy";counter=3;privacy=full, <tel:+1>;privacy=off'
    newest, oldest = Diversion.parse_many(text)
    assert (newest.address.uri.user, newest.reason, newest.counter, newest.private) == (
        "b",
        "user-busy",
        3,
        True,
    )
    assert (oldest.reason, oldest.counter, oldest.private) == ("unknown", 1, False)
    assert not Diversion.parse("<sip:b@x>").private
    assert f"{newest}, {oldest}" == text


def test_printing() -> None:
    forwarded = Diversion.of(Uri.sip("102", "x"), "no-answer", 2)
    assert str(forwarded) == "<sip:102@x>;reason=no-answer;counter=2"


@pytest.mark.parametrize(
    "text", ["", "b", "<sip:b@x", "<sip:b@x>;counter=100", "<sip:b@x>;counter=-1", "<sip:b@x>,"]
)
def test_malformed(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        Diversion.parse_many(text)
    assert refusal.value.status == 400


@given(st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True), REASONS, st.integers(1, 99))
def test_what_was_made_is_read_again(user: str, reason: str, counter: int) -> None:
    diversion = Diversion.of(Uri.sip(user, "example.org"), reason, counter)
    assert Diversion.parse_many(str(diversion)) == [diversion]
    assert (diversion.reason, diversion.counter) == (reason, counter)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        _ = [diversion.counter for diversion in Diversion.parse_many(text)]
    except PeerError as refusal:
        assert refusal.status == 400
