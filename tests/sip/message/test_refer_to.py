"""Refer-To. RFC 3515 §2.1, §4.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import Headers, Request, Uri
from appliance.sip.message.refer_to import ReferTo
from appliance.sip.message.replaces import Replaces

TOKENS = st.from_regex(r"[A-Za-z0-9\-.!*_~]{1,12}", fullmatch=True)


def test_blind() -> None:
    refer_to = ReferTo.parse('"Carol" <sip:carol@example.com;method=SUBSCRIBE;transport=tcp>;x=y')
    assert (str(refer_to.target), refer_to.method) == ("sip:carol@example.com;transport=tcp", "SUBSCRIBE")
    assert refer_to.replaces is None
    assert ReferTo.parse("sip:carol@example.com").method == "INVITE"
    assert str(ReferTo.of(Uri.sip("103", "x"))) == "<sip:103@x>"


def test_attended() -> None:
    text = "<sip:carol@x?Replaces=425928%40bobster.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472&Accept-Contact=a>"
    refer_to = ReferTo.parse(text)
    assert refer_to.replaces == Replaces.of("425928@bobster.example.org", "7743", "6472")
    assert refer_to.headers[1] == ("Accept-Contact", "a")
    assert str(refer_to.target) == "sip:carol@x"
    assert str(refer_to) == text


def test_printing_with_replaces() -> None:
    # RFC 3891 §4: what Replaces says is a header of the URI, escaped.
    made = ReferTo.of(Uri.sip("103", "x"), Replaces.of("a@b", "1", "2"))
    assert str(made) == "<sip:103@x?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"


def test_replaces_that_cannot_be_read() -> None:
    for headers in ("Replaces=a", "Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D1&replaces=b"):
        with pytest.raises(PeerError) as refusal:
            _ = ReferTo.parse(f"<sip:c@x?{headers}>").replaces
        assert refusal.value.status == 400


@pytest.mark.parametrize("values", [[], ["sip:a@x", "sip:b@x"], ["sip:a@x, sip:b@x"], ["<sip:a@x"], [""]])
def test_a_refer_names_exactly_one(values: list[str]) -> None:
    with pytest.raises(PeerError) as refusal:
        ReferTo.of_request(Request("REFER", "sip:b@x", Headers([("Refer-To", value) for value in values])))
    assert refusal.value.status == 400


def test_of_a_request() -> None:
    refer_to = ReferTo.of_request(Request("REFER", "sip:b@x", Headers([("r", "<sip:c@x>")])))
    assert str(refer_to.target) == "sip:c@x"


@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_what_was_made_is_read_again(user: str, call_id: str, to_tag: str, from_tag: str) -> None:
    replaces = Replaces.of(call_id, to_tag, from_tag)
    made = ReferTo.of(Uri.sip(user, "example.org"), replaces)
    assert ReferTo.parse(str(made)) == made
    assert (made.replaces, made.target) == (replaces, Uri.sip(user, "example.org"))


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        _ = ReferTo.parse(text).replaces
    except PeerError as refusal:
        assert refusal.status == 400
