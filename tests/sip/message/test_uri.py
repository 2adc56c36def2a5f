"""URIs. RFC 3261 §19.1, RFC 3966, RFC 5118."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import Uri
from appliance.sip.message.uri import unescape

SAME_TEXT = [
    "sip:alice@atlanta.com",
    "sip:alice:secretword@atlanta.com;transport=tcp",
    "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
    "sip:+1-212-555-1212:1234@gateway.com;user=phone",
    "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
    "sip:alice;day=tuesday@atlanta.com",
    "sip:%61lice@atlanta.com;Transport=TCP",
    "sip:*98#@192.0.2.1:5062",
    "sip:[2001:db8::10]:5070",
    "sip:user@[::ffff:192.0.2.2];lr",
    "sip:user@[2001:db8:::192.0.2.1]",
    "sip:user;par=u%40example.net@example.com",
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
    "sip:用户@example.com",
    "sip:101@my_host",
    "tel:+358-555-1234567;postd=pp22",
    "soap.beep://192.0.2.103:3002",
    "isbn:2983792873",
]


@pytest.mark.parametrize("text", SAME_TEXT)
def test_printing_gives_back_what_was_read(text: str) -> None:
    assert str(Uri.parse(text)) == text


def test_long_uris_are_read_but_not_kept() -> None:
    text = "sip:" + "a" * 300 + "@h"
    assert Uri.parse(text) == Uri.parse(text)
    assert Uri.parse(text) is not Uri.parse(text)


def test_parts() -> None:
    uri = Uri.parse("SIP:a%41;x:p@[2001:DB8::1]:5070;lr;transport=TCP?Replaces=1%3Bto-tag%3D2&x")
    assert (uri.scheme, uri.user, uri.number, uri.password) == ("sip", "a%41;x", "aA;x", "p")
    assert (uri.host, uri.address, uri.port) == ("[2001:DB8::1]", "2001:DB8::1", 5070)
    assert uri.params == {"lr": None, "transport": "TCP"}
    assert uri.header_items() == [("Replaces", "1;to-tag=2"), ("x", "")]
    assert uri.is_sip


def test_without_user_or_port() -> None:
    uri = Uri.parse("sip:example.com")
    assert (uri.user, uri.number, uri.port, uri.address) == (None, None, None, "example.com")


def test_other_schemes_are_opaque() -> None:
    uri = Uri.parse("TEL:+1-212;x=y")
    assert (uri.scheme, uri.user, uri.host, uri.is_sip) == ("tel", "+1-212;x=y", "", False)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("tel:+1-201-555-0123", "+12015550123"),
        ("tel:7042;phone-context=example.com", "7042"),
        ("tel:863-1234;phone-context=+1-914-555", "8631234"),
        ("sip:+1(201)555.0123;ext=4@gw;user=phone", "+12015550123"),
        ("sip:+1(201)5550123@gw;user=Phone", "+12015550123"),
        ("sip:a-b@gw;user=ip", "a-b"),
        ("sip:a-b@gw;user", "a-b"),
        ("sip:a-b@gw", "a-b"),
    ],
)
def test_telephone_numbers_are_their_digits(text: str, number: str) -> None:
    """RFC 3966 §5.1; RFC 3261 §19.1.6."""
    assert Uri.parse(text).number == number
    assert str(Uri.parse(text)) == text


def test_made_by_hand() -> None:
    assert str(Uri.sip("101", "192.0.2.1")) == "sip:101@192.0.2.1"
    assert str(Uri.sip(None, "2001:db8::1", 5060)) == "sip:[2001:db8::1]:5060"
    assert str(Uri.sip("1", "[2001:db8::1]")) == "sip:1@[2001:db8::1]"


@pytest.mark.parametrize(
    "text",
    [
        "", "sip", "sip:", "sip:@host", "sip:2001:db8::10", "sip:a@[2001:db8::x]", "sip:a@[]", "sip:a b@host",
        "sip:a@host; lr", "<sip:a@host>", "sip:a@host:0x10", "sip:a@host:70000", "sip:a@host;;", "sip:a@host;x;x",
        "sip:a@host ", "sip:a@h<b", "sips:", "sip:a@host;a,b", "1x:y", "tel:", "tel:1 2",
    ],
)  # fmt: skip
def test_what_is_no_uri(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        Uri.parse(text)
    assert refusal.value.status == 400


# The examples of §19.1.4.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        ("sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
        ("sip:a:p%41@host", "sip:a:pA@host"),
        ("tel:+1", "tel:+1"),
    ],
)  # fmt: skip
def test_equivalent(one: str, other: str) -> None:
    assert Uri.parse(one).matches(Uri.parse(other))
    assert Uri.parse(other).matches(Uri.parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:carol@chicago.com;x", "sip:carol@chicago.com;x=1"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a:p@h", "sip:a@h"),
        ("tel:+1", "tel:+2"),
    ],
)
def test_not_equivalent(one: str, other: str) -> None:
    assert not Uri.parse(one).matches(Uri.parse(other))


def test_unescaping_happens_once() -> None:
    assert unescape("value%2541") == "value%41"
    assert unescape("null-%00-null") == "null-\x00-null"
    assert unescape("%ff").encode("utf-8", "surrogateescape") == b"\xff"
    assert unescape("100%") == "100%"


USERS = st.text(
    st.characters(codec="utf-8", exclude_characters='@:<>"', exclude_categories=["Z", "C"]), min_size=1
)


@given(
    USERS | st.none(),
    st.sampled_from(["example.com", "192.0.2.1", "[2001:db8::1]"]),
    st.integers(0, 65_535) | st.none(),
    st.lists(st.sampled_from(["", ";lr", ";transport=tcp", ";x=%41"]), unique=True).map("".join),
)
def test_reading_and_printing_are_inverses(
    user: str | None, host: str, port: int | None, params: str
) -> None:
    text = (
        "sip:" + ("" if user is None else f"{user}@") + host + ("" if port is None else f":{port}") + params
    )
    uri = Uri.parse(text)
    assert (str(uri), uri.user, uri.host, uri.port) == (text, user, host, port)


@given(st.text() | st.text().map("sip:".__add__))
def test_any_text_is_a_uri_or_a_peer_error(text: str) -> None:
    try:
        uri = Uri.parse(text)
    except PeerError as refusal:
        assert refusal.status == 400
    else:
        assert Uri.parse(str(uri)) == uri
        assert uri.matches(uri)
