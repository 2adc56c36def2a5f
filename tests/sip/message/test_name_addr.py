"""Display names and addresses. RFC 3261 §20.10, §25.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import NameAddr, Params, Uri


@pytest.mark.parametrize(
    ("text", "display", "uri", "params"),
    [
        ('"A. G. Bell" <sip:agb@bell-telephone.com> ;tag=a48s', "A. G. Bell", "sip:agb@bell-telephone.com", {"tag": "a48s"}),
        ("sip:+12125551212@server.phone2net.com;tag=887s", "", "sip:+12125551212@server.phone2net.com", {"tag": "887s"}),
        ("Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8", "Anonymous", "sip:c8oqz84zk7z@privacy.org", {"tag": "hyh8"}),
        ("caller<sip:caller@example.com>;tag=323", "caller", "sip:caller@example.com", {"tag": "323"}),
        (r'"J Rosenberg \\\""       <sip:j@example.com> ; tag = 98', r"J Rosenberg \"", "sip:j@example.com", {"tag": "98"}),
        ('"<sip:x@y>, \\"" <sip:a@b;lr?x=y>', '<sip:x@y>, "', "sip:a@b;lr?x=y", {}),
        ("<tel:+1-212;ext=1>", "", "tel:+1-212;ext=1", {}),
        ("sip:a@b  ;   tag    = 1", "", "sip:a@b", {"tag": "1"}),
        ("Bell, Alexander <sip:a.g.bell@example.com>;tag=43", "Bell, Alexander", "sip:a.g.bell@example.com", {"tag": "43"}),
        ('"Watson, Thomas" < sip:t.watson@example.org >', "Watson, Thomas", "sip:t.watson@example.org", {}),
        ('"張三" <sip:101@x>', "張三", "sip:101@x", {}),
        ("token1~` token2'+_ <sip:a@b>", "token1~` token2'+_", "sip:a@b", {}),
    ],
)  # fmt: skip
def test_forms(text: str, display: str, uri: str, params: dict[str, str]) -> None:
    address = NameAddr.parse(text)
    assert (address.display, str(address.uri), dict(address.params)) == (display, uri, params)
    assert address.tag == params.get("tag")
    assert NameAddr.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "*", '"Mr. J. User <sip:j.user@example.com>', "sip:a@b?Route=%3Csip:c%3E", "sip:a,b@c", "<sip:a@b", "sip:a@b>",
        "<sip:a@b>;;", "<sip:a@b> x", "<>", '"x" y <sip:a@b>',
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        NameAddr.parse(text, "Contact")
    assert refusal.value.status == 400


def test_lists() -> None:
    text = '"Mr. Watson" <sip:watson@bell.com>;q=0.7; expires=3600, "Mr, W" <sip:w@bell.com> ;q=0.1'
    assert [address.display for address in NameAddr.parse_many(text)] == ["Mr. Watson", "Mr, W"]


def test_printing() -> None:
    assert str(NameAddr("", Uri.sip("1", "h"), Params({"tag": "x"}))) == "<sip:1@h>;tag=x"
    assert NameAddr('a"b', Uri.sip("1", "h")).text == r'"a\"b" <sip:1@h>'


DISPLAYS = st.text(st.characters(codec="utf-8"))


@given(
    DISPLAYS,
    st.sampled_from(["sip:101@192.0.2.1", "tel:+1", "sip:a@[::1]:5061;lr?x=y"]),
    st.sampled_from(["", ";tag=x"]),
)
def test_reading_undoes_printing(display: str, uri: str, params: str) -> None:
    address = NameAddr(display, Uri.parse(uri), Params.parse(params, "From"))
    assert NameAddr.parse(str(address)) == address


@given(st.text(alphabet=st.sampled_from('"\\<>;=, :@?*sipab1')))
def test_any_text_is_an_address_or_a_peer_error(text: str) -> None:
    try:
        address = NameAddr.parse(text)
    except PeerError as refusal:
        assert refusal.status == 400
    else:
        assert NameAddr.parse(str(address)) == address
