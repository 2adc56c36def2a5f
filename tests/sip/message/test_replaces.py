"""Replaces. RFC 3891 §3, §6.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import Headers, Request, Uri
from appliance.sip.message.replaces import Replaces

TOKENS = st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~]{1,12}", fullmatch=True)
# callid = word [ "@" word ]
CALL_IDS = st.from_regex(r"""[A-Za-z0-9\-.!%*_+`'~()<>:\\/\[\]?{}"@]{1,20}""", fullmatch=True)


def test_the_examples_of_rfc_3891() -> None:
    replaces = Replaces.parse("98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff")
    assert (replaces.call_id, replaces.to_tag, replaces.from_tag) == (
        "98732@sip.example.com",
        "ff87ff",
        "r33th4x0r",
    )
    assert not replaces.early_only
    text = "12adf2f34456gs5;to-tag=12345;from-tag=54321"
    assert str(Replaces.parse(text)) == text
    assert Replaces.parse("87134@171.161.34.23;to-tag=24796;from-tag=0").from_tag == "0"
    assert Replaces.parse("a@b;to-tag=1;from-tag=2;early-only") == Replaces.of(
        "a@b", "1", "2", early_only=True
    )


def test_in_a_uri() -> None:
    replaces = Replaces.of("a@b", "1", "2", early_only=True)
    assert replaces.escaped == "a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2%3Bearly-only"


@pytest.mark.parametrize(
    "text",
    ["", ";to-tag=1;from-tag=2", "a", "a;to-tag=1", "a;from-tag=1", "a;to-tag;from-tag=1", "a;to-tag=;from-tag=1",
     "a b;to-tag=1;from-tag=2", "a,b;to-tag=1;from-tag=2", 'a;to-tag="1";from-tag=2', "a;to-tag=1;to-tag=1;from-tag=2"],
)  # fmt: skip
def test_malformed(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        Replaces.parse(text)
    assert refusal.value.status == 400


def request(method: str, *headers: tuple[str, str]) -> Request:
    return Request(method, "sip:b@x", Headers(headers))


VALUE = ("Replaces", "a;to-tag=1;from-tag=2")


def test_of_a_request() -> None:
    assert Replaces.of_request(request("INVITE")) is None
    assert Replaces.of_request(request("INVITE", VALUE)) == Replaces.of("a", "1", "2")


@pytest.mark.parametrize(
    "bad", [request("INVITE", VALUE, VALUE), request("BYE", VALUE), request("INVITE", VALUE, ("Join", "x"))]
)
def test_where_there_may_be_none(bad: Request) -> None:
    with pytest.raises(PeerError) as refusal:
        Replaces.of_request(bad)
    assert refusal.value.status == 400


def test_the_other_way_round() -> None:
    assert str(Replaces.of("a@b", "to", "from", early_only=True).mirrored) == (
        "a@b;to-tag=from;from-tag=to;early-only"
    )


@given(CALL_IDS, TOKENS, TOKENS, st.booleans())
def test_what_was_made_is_read_again(call_id: str, to_tag: str, from_tag: str, early: bool) -> None:
    replaces = Replaces.of(call_id, to_tag, from_tag, early_only=early)
    assert Replaces.parse(str(replaces)) == replaces
    assert (replaces.to_tag, replaces.from_tag, replaces.early_only) == (to_tag, from_tag, early)
    # In a URI too: nothing in it may end the URI or its header.
    (header,) = Uri.parse(f"sip:b@x?Replaces={replaces.escaped}").header_items()
    assert header == ("Replaces", str(replaces))


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        Replaces.parse(text)
    except PeerError as refusal:
        assert refusal.status == 400
