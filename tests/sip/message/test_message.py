"""Requests, responses and what is read from them. RFC 3261 §7, §8.2.6, §20."""

from __future__ import annotations

import pytest
from hypothesis import given

from appliance.errors import PeerError
from appliance.sip.message import BadMessage, CSeq, Headers, Message, Request, Response, Via, parse_message
from tests.sip.message.samples import INVITE, OK, edit, messages, wire


def invite(*extra: tuple[str, str]) -> Request:
    request = parse_message(wire(INVITE))
    assert isinstance(request, Request)
    for name, value in extra:
        request.headers.add(name, value)
    return request


def test_typed_headers() -> None:
    request = invite(
        ("Route", "<sip:a;lr>, <sip:b;lr>"),
        ("Route", "<sip:c;lr>"),
        ("Record-Route", "<sip:r;lr>"),
        ("Expires", "60"),
    )
    assert request.via == Via.parse("SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bK1;rport")
    assert request.cseq == CSeq(1, "INVITE")
    assert (request.from_.display, request.from_.tag, request.to.tag) == ("Alice", "a1", None)
    assert request.call_id == "1-abc@192.0.2.21"
    assert [str(route.uri) for route in request.routes] == ["sip:a;lr", "sip:b;lr", "sip:c;lr"]
    assert [str(route.uri) for route in request.record_routes] == ["sip:r;lr"]
    assert [str(contact.uri) for contact in request.contacts] == ["sip:101@192.0.2.21:5060"]
    assert (request.max_forwards, request.expires, request.content_type) == (70, 60, "application/sdp")
    assert request.contacts is request.contacts, "what was read is remembered"


def test_ways_that_registrations_tell() -> None:
    request = Request(
        "REGISTER", "sip:a", Headers([("Path", "<sip:p1;lr>, <sip:p2;lr>"), ("Path", "<sip:p3;lr>")])
    )
    assert [str(hop.uri) for hop in request.paths] == ["sip:p1;lr", "sip:p2;lr", "sip:p3;lr"]
    response = Response(
        200, None, Headers([("Service-Route", "<sip:a;lr>"), ("service-route", "<sip:b;lr>")])
    )
    assert [str(hop.uri) for hop in response.service_routes] == ["sip:a;lr", "sip:b;lr"]
    assert request.service_routes == response.paths == []


def test_absent_headers() -> None:
    bare = Request("OPTIONS", "sip:a@b")
    assert (bare.max_forwards, bare.expires, bare.content_type) == (None, None, None)
    assert (bare.contacts, bare.routes, bare.record_routes, bare.vias, bare.tokens("Require")) == (
        [],
        [],
        [],
        [],
        [],
    )
    for name in ("via", "from_", "to", "call_id", "cseq"):
        with pytest.raises(PeerError) as refusal:
            getattr(bare, name)
        assert (refusal.value.status, refusal.value.reason[:8]) == (400, "Missing ")
    bare.headers.set("Call-ID", "")
    with pytest.raises(PeerError) as refusal:
        _ = bare.call_id
    assert refusal.value.reason == "Malformed Call-ID"


def test_all_vias_in_order() -> None:
    request = Request(
        "X", "sip:a", Headers([("Via", "SIP/2.0/UDP a, SIP/2.0/UDP b"), ("v", "SIP/2.0/UDP c")])
    )
    assert request.via.host == "a"
    assert [via.host for via in request.vias] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("4294967295", 2**32 - 1),
        ("9999999999", 2**32 - 1),
        ("1" * 5000, 2**32 - 1),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_expires_that_makes_no_sense_counts_as_absent(value: str, seconds: int | None) -> None:
    assert Request("X", "sip:a", Headers([("Expires", value)])).expires == seconds


@pytest.mark.parametrize("value", ["256", "-1", "many", ""])
def test_max_forwards_must_be_an_octet(value: str) -> None:
    with pytest.raises(PeerError):
        _ = Request("X", "sip:a", Headers([("Max-Forwards", value)])).max_forwards


def test_token_lists() -> None:
    assert invite(("k", "timer, replaces"), ("Supported", ""), ("Supported", "100rel")).tokens(
        "Supported"
    ) == ["timer", "replaces", "100rel"]


@pytest.mark.parametrize("value", ["timer,", ",timer", "timer, ,", ", ,timer"])
def test_a_comma_too_many_in_a_list_of_tokens_says_nothing(value: str) -> None:
    assert invite(("Supported", value)).tokens("Supported") == ["timer"]


def test_content_type_is_bare_and_lower_case() -> None:
    assert (
        Request("X", "sip:a", Headers([("c", "Application/SDP ;charset=utf-8")])).content_type
        == "application/sdp"
    )


def test_a_response_echoes_byte_for_byte() -> None:
    text = INVITE.replace("Via: SIP/2.0/UDP", "v:  SIP / 2.0 / UDP").replace('"Alice" <', '"Al\\ice"  <')
    text = text.replace("Max-F", "Via: SIP/2.0/TCP other;x=%41\nMax-F")
    request = parse_message(wire(text))
    assert isinstance(request, Request)
    response = request.respond(404, to_tag="t9", headers=[("Server", "x")], body=b"sorry")
    assert response.encode() == wire(
        """\
SIP/2.0 404 Not Found
Via: SIP / 2.0 / UDP 192.0.2.21:5060;branch=z9hG4bK1;rport
Via: SIP/2.0/TCP other;x=%41
From: "Al\\ice"  <sip:101@192.0.2.10>;tag=a1
To: <sip:102@192.0.2.10>;tag=t9
Call-ID: 1-abc@192.0.2.21
CSeq: 1 INVITE
Server: x
Content-Length: 5

sorry"""
    )
    assert "tag" not in request.headers.get_all("To")[0], "the request stays as it was"


def test_a_to_tag_of_the_request_stands() -> None:
    request = parse_message(edit(INVITE, "To: <sip:102@192.0.2.10>", "To: <sip:102@192.0.2.10>;tag=theirs"))
    assert isinstance(request, Request)
    assert request.respond(200, to_tag="ours").to.tag == "theirs"
    assert request.respond(100).reason == "Trying"
    assert request.respond(200, "Fine").reason == "Fine"


def test_a_to_nobody_can_read_gets_its_tag_all_the_same() -> None:
    request = Request("X", "sip:a", Headers([("To", '"open <sip:a@b>')]))
    assert request.respond(400, to_tag="t").headers.get("To") == '"open <sip:a@b>;tag=t'
    assert "To" not in Request("X", "sip:a").respond(400, to_tag="t").headers


# §12.1.1 and §8.2.6.1
@pytest.mark.parametrize(
    ("method", "status", "carried"),
    [
        ("INVITE", 100, {"Timestamp"}), ("INVITE", 180, {"Record-Route"}), ("INVITE", 200, {"Record-Route"}),
        ("INVITE", 404, set()), ("OPTIONS", 200, set()), ("SUBSCRIBE", 200, {"Record-Route"}),
    ],
)  # fmt: skip
def test_what_else_is_echoed(method: str, status: int, carried: set[str]) -> None:
    request = Request(
        method, "sip:a", Headers([("Record-Route", "<sip:r;lr>"), ("Timestamp", "54"), ("Subject", "s")])
    )
    response = request.respond(status)
    assert {name for name, _ in response.headers.items()} == carried


def test_a_via_is_restated_with_what_it_says() -> None:
    request = invite(("Via", "SIP/2.0/UDP b"))
    seen = Via.parse("SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bK1;rport=5061")
    request.restate_via(str(seen), seen)
    assert request.via is seen
    assert request.headers.get_all("Via") == [str(seen), "SIP/2.0/UDP b"]
    request.headers.set("Via", "SIP/2.0/UDP c")
    assert request.via.host == "c", "what is said later counts"


def test_content_length_is_written_from_the_body() -> None:
    headers = Headers([("X-A", "1")])
    assert (
        Request("X", "sip:a", headers, b"abc").encode()
        == b"X sip:a SIP/2.0\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc"
    )
    assert Response(486).encode() == b"SIP/2.0 486 Busy Here\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("data", [wire(INVITE), wire(OK)])
def test_an_ordinary_message_survives_reading_and_printing(data: bytes) -> None:
    assert parse_message(data).encode() == data


def parts(message: Message) -> tuple[object, ...]:
    start = (
        (message.method, message.uri) if isinstance(message, Request) else (message.status, message.reason)
    )
    return start, list(message.headers.items()), message.body


@given(messages())
def test_reading_undoes_printing(message: Message) -> None:
    assert parts(parse_message(message.encode())) == parts(message)


def test_repr_says_which() -> None:
    assert repr(Request("X", "sip:a")) == "<Request X sip:a>"
    assert repr(Response(200)) == "<Response 200 OK>"


def test_a_message_that_breaks_a_rule_says_what_to_answer() -> None:
    request = invite()
    bad = BadMessage(505, "Version Not Supported", request)
    assert (bad.status, bad.reason, bad.request) == (505, "Version Not Supported", request)
    # §18.3 and §8.1.3.1: without a Via that can be read, nobody can be answered.
    assert BadMessage(400, "Malformed Via").request is None
