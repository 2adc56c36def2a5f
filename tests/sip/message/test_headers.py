"""Headers as a container. RFC 3261 §7.3."""

from __future__ import annotations

import pytest

from appliance.errors import LocalError, PeerError
from appliance.sip.message import Headers, Request


def test_any_spelling_finds_a_header() -> None:
    headers = Headers([("v", "one"), ("VIA", "two"), ("X-Own", "x")])
    assert headers.get("Via") == "one"
    assert headers.get_all("via") == ["one", "two"]
    assert headers.get("x-own") == "x"
    assert "V" in headers
    assert "Contact" not in headers
    assert headers.get("Contact") is None
    assert headers.get_all("Contact") == []


def test_known_names_are_spelled_out_and_others_kept() -> None:
    headers = Headers([("i", "1"), ("CSEQ", "1 X"), ("NewFangledHeader", "a"), ("NEWFANGLEDHEADER", "b")])
    assert list(headers.items()) == [
        ("Call-ID", "1"),
        ("CSeq", "1 X"),
        ("NewFangledHeader", "a"),
        ("NewFangledHeader", "b"),
    ]


def test_adding_setting_removing() -> None:
    headers = Headers([("To", "a")])
    headers.add_first("Via", "2")
    headers.add_first("Via", "1")
    headers.add("Via", "3")
    assert list(headers.items()) == [("Via", "1"), ("Via", "2"), ("Via", "3"), ("To", "a")]
    headers.set("Via", "only")
    headers.remove("To")
    headers.remove("t")
    assert list(headers.items()) == [("Via", "only")]


def test_a_change_is_seen_by_what_was_read_before() -> None:
    request = Request("X", "sip:a@b", Headers([("To", "<sip:a@b>"), ("CSeq", "1 X")]))
    assert (request.to.tag, request.cseq.number) == (None, 1)
    request.headers.set("To", "<sip:a@b>;tag=t")
    request.headers.remove("CSeq")
    assert request.to.tag == "t"
    with pytest.raises(PeerError):
        _ = request.cseq


def test_a_copy_is_a_headers_of_its_own() -> None:
    headers = Headers([("Via", "1"), ("Odd", "x")])
    other = headers.copy()
    assert other == headers
    other.add("Via", "2")
    other.add("Odder", "y")
    assert list(headers.items()) == [("Via", "1"), ("Odd", "x")]
    assert other != headers
    assert headers != "Via: 1"


@pytest.mark.parametrize("value", ["a\r\nVia: x", "a\nb", "a\rb"])
def test_nobody_smuggles_a_line_into_our_headers(value: str) -> None:
    with pytest.raises(LocalError):
        Headers([("Subject", value)])


def test_names_must_be_tokens() -> None:
    with pytest.raises(PeerError):
        Headers().add("a b", "x")


def test_repr_shows_all() -> None:
    assert repr(Headers([("v", "1")])) == "Headers([('Via', '1')])"


def test_the_first_line_alone_can_be_replaced() -> None:
    headers = Headers([("Via", "1"), ("To", "x"), ("v", "2")])
    headers.replace_first("via", "0")
    assert headers.get_all("Via") == ["0", "2"]
    headers.replace_first("Subject", "new")
    assert headers.get_all("Subject") == ["new"]


def test_all_but_some_in_their_order_and_spelling() -> None:
    headers = Headers([("v", "1"), ("X-Own", "a"), ("sUBJECT", "s"), ("x-own", "b"), ("t", "c")])
    assert headers.others({"via", "to"}) == [("X-Own", "a"), ("X-Own", "b"), ("Subject", "s")]
    assert headers.others(()) == list(headers.items())
