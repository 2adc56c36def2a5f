"""One datagram into a message. RFC 3261 §7, §8.1.1, §18.3; classes of bad input as in RFC 4475."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import BadMessage, Message, Request, Response, parse_message
from appliance.sip.message.limits import MAX_HEADER_LINES
from tests.sip.message.samples import INVITE, OK, edit, wire


def request_of(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def refusal_of(data: bytes) -> BadMessage:
    with pytest.raises(BadMessage) as refusal:
        parse_message(data)
    return refusal.value


def test_a_request() -> None:
    request = request_of(wire(INVITE))
    assert (request.method, request.uri, request.body) == ("INVITE", "sip:102@192.0.2.10", b"v=0\r\n")


def test_a_response() -> None:
    response = parse_message(wire(OK))
    assert isinstance(response, Response)
    assert (response.status, response.reason, response.to.tag) == (200, "OK", "b1")


@pytest.mark.parametrize(
    ("line", "reason"),
    [("SIP/2.0 200 ", ""), ("SIP/2.0 200", ""), ("sip/2.0 200 = 2**3 * 5**2 но сто", "= 2**3 * 5**2 но сто")],
)
def test_reason_phrases(line: str, reason: str) -> None:
    response = parse_message(edit(OK, "SIP/2.0 200 OK", line))
    assert isinstance(response, Response)
    assert (response.status, response.reason) == (200, reason)


def test_folded_lines_compact_names_any_case_and_spaces() -> None:
    request = request_of(
        wire(
            """\
OPTIONS sip:a@b SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
f   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
  ;
\ttag = 98asjd8
MaX-fOrWaRdS: 0068
i: x
cseq: 0009
  OPTIONS
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239

"""
        )
    )
    assert (request.max_forwards, request.cseq.number, request.to.tag, request.from_.tag) == (
        68,
        9,
        "1918181833n",
        "98asjd8",
    )
    assert [via.branch for via in request.vias] == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]
    assert request.headers.get("subject") == ""
    assert request.headers.get("newfangledheader") == "newfangled value continued newfangled value"
    assert ("NewFangledHeader", "newfangled value continued newfangled value") in list(
        request.headers.items()
    )


def test_octets_that_are_no_utf8_come_back_as_they_were() -> None:
    data = wire(INVITE).replace(b"Alice", b"Al\xff\xc3\x28ce")
    assert request_of(data).respond(200).encode().count(b"Al\xff\xc3\x28ce") == 1


def test_controls_in_quoted_pairs_are_echoed() -> None:
    data = wire(INVITE).replace(b"Alice", b"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f")
    assert b"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" in request_of(data).respond(200).encode()


def test_empty_lines_may_come_first() -> None:
    assert request_of(b"\r\n\r\n" + wire(INVITE)).method == "INVITE"


def test_what_follows_the_body_is_dropped() -> None:
    assert request_of(wire(INVITE) + b"INVITE sip:other SIP/2.0\r\n").body == b"v=0\r\n"


def test_without_content_length_the_body_is_the_rest() -> None:
    request = request_of(edit(INVITE, "Content-Length: 5\n", "") + b"a=b\r\n")
    assert request.body == b"v=0\r\na=b\r\n"


def test_what_rfc_2543_left_out_may_be_missing() -> None:
    request = request_of(
        edit(INVITE.replace("Max-Forwards: 70\n", "").replace(";branch=z9hG4bK1", ""), ";tag=a1", "")
    )
    assert (request.max_forwards, request.via.branch, request.from_.tag) == (None, None, None)


@pytest.mark.parametrize(
    "uri",
    [
        "tel:+1-212",
        "nobodyKnowsThisScheme:totallyopaque",
        "sip:a@[2001:db8:::192.0.2.1]",
        "sip:%2a:x@h;x;y=z",
    ],
)
def test_request_uris(uri: str) -> None:
    assert request_of(edit(INVITE, "sip:102@192.0.2.10", uri)).uri == uri


CALL_ID = "Call-ID: 1-abc@192.0.2.21\n"
VIA = "Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bK1;rport"


@pytest.mark.parametrize(
    ("old", "new", "status", "reason"),
    [
        ("SIP/2.0\nVia", "SIP/7.0\nVia", 505, "Version Not Supported"),
        ("sip:102@192.0.2.10 ", "<sip:102@192.0.2.10> ", 400, "Malformed URI"),
        ("sip:102@192.0.2.10 ", "sip:102@192.0.2.10; lr ", 400, "Malformed URI"),
        ("sip:102@192.0.2.10 ", " sip:102@192.0.2.10 ", 400, "Malformed URI"),
        ("sip:102@192.0.2.10 ", "sip:2001:db8::10 ", 400, "Malformed URI"),
        ("sip:102@192.0.2.10 ", "sip:102@h?Route=%3Csip:x%3E ", 400, "Headers in the Request-URI"),
        ("SIP/2.0\nVia", "SIP/2.0  \nVia", 400, "Malformed Request-Line"),
        ("INVITE sip", "INV<TE sip", 400, "Malformed Request-Line"),
        ("Content-Length: 5", "Content-Length: 9999", 400, "Content-Length Exceeds the Datagram"),
        ("Content-Length: 5", "Content-Length: -5", 400, "Malformed Content-Length"),
        ("Content-Length: 5", "Content-Length: five", 400, "Malformed Content-Length"),
        ("Content-Length: 5", "Content-Length: +5", 400, "Malformed Content-Length"),
        ("Content-Length: 5", "Content-Length: ٥", 400, "Malformed Content-Length"),
        ("Content-Length: 5", "Content-Length: 18446744073709551617", 400, "Malformed Content-Length"),
        ("Content-Length: 5", "Content-Length: 5\nl: 5", 400, "Content-Length Given Twice"),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", 400, "CSeq Names Another Method"),
        ("CSeq: 1 INVITE", "CSeq: 36893488147419103232 INVITE", 400, "Malformed CSeq"),
        ("CSeq: 1 INVITE\n", "", 400, "Missing CSeq"),
        ("CSeq: 1 INVITE", "CSeq: 1 INVITE\nCSeq: 2 INVITE", 400, "CSeq Given Twice"),
        (CALL_ID, "", 400, "Missing Call-ID"),
        (CALL_ID, "Call-ID:\n", 400, "Malformed Call-ID"),
        (CALL_ID, CALL_ID + "i: other\n", 400, "Call-ID Given Twice"),
        ("Max-Forwards: 70", "Max-Forwards: 300", 400, "Malformed Max-Forwards"),
        ("Max-Forwards: 70", "Max-Forwards: 7\nMax-Forwards: 9", 400, "Max-Forwards Given Twice"),
        ("To: <", 'To: "open <', 400, "Malformed URI"),
        ("To: <sip:102@192.0.2.10>", "To: <sip:102@192.0.2.10>;;", 400, "Malformed To"),
        ("Max-Forwards", "a header\nMax-Forwards", 400, "Malformed Header Name"),
        ("Max-Forwards", "Via\nMax-Forwards", 400, "Malformed Header Name"),
        ("Max-Forwards", ": x\nMax-Forwards", 400, "Malformed Header Name"),
        (VIA, VIA.replace(";rport", ";;,;,,"), 400, "Malformed Via"),
        (VIA, VIA + ";branch=again", 400, "Malformed Via"),
    ],
)
def test_bad_requests_can_be_answered(old: str, new: str, status: int, reason: str) -> None:
    bad = refusal_of(edit(INVITE, old, new))
    assert (bad.status, bad.reason) == (status, reason)
    assert bad.request is not None
    assert bad.request.via.address == "192.0.2.21"
    answer = bad.request.respond(bad.status, bad.reason, to_tag="t").encode()
    assert answer.startswith(f"SIP/2.0 {status} {reason}\r\n".encode())


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\r\n", b"\x00" * 40, b"hello", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n\r\n\r\n",
        edit(INVITE, VIA + "\n", ""), edit(INVITE, VIA, "Via: nonsense"), edit(INVITE, VIA, "Via:"),
        edit(INVITE.replace("CSeq: 1 INVITE", "CSeq: x ACK"), "INVITE sip", "ACK sip"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered(data: bytes) -> None:
    assert refusal_of(data).request is None


def test_a_version_unknown_in_the_via_too_can_be_answered() -> None:
    bad = refusal_of(wire(INVITE.replace("SIP/2.0", "SIP/7.0")))
    assert bad.status == 505
    assert bad.request is not None
    assert bad.request.via.port == 5060


@pytest.mark.parametrize("status", ["4294967301", "99", "700", "1x0", "", "٢٠٠"])
def test_bad_responses_are_never_answered(status: str) -> None:
    bad = refusal_of(edit(OK, "200 OK", f"{status} OK"))
    assert (bad.request, bad.reason) == (None, "Malformed Status-Line")


@pytest.mark.parametrize("line", ["SIP/3.0 200 OK", "SIP/2.0", "SIP/2.0\t200 OK"])
def test_what_looks_like_a_response_is_never_answered(line: str) -> None:
    assert refusal_of(edit(OK, "SIP/2.0 200 OK", line)).request is None


def test_a_response_with_a_bad_header_is_refused() -> None:
    assert refusal_of(edit(OK, "CSeq: 1 ", "CSeq: 99999999999 ")).request is None
    assert refusal_of(edit(OK, "Content-Length: 0", "Content-Length: x")).reason == "Malformed Content-Length"


@pytest.mark.parametrize("stray", [b"\r", b"\n"])
def test_a_stray_line_end_is_refused(stray: bytes) -> None:
    data = wire(INVITE).replace(b"Alice", b"Alice" + stray + b"Route: <sip:x>")
    assert refusal_of(data).reason == "Stray CR or LF"


def test_cut_off_before_the_empty_line() -> None:
    head = wire(INVITE).partition(b"\r\n\r\n")[0]
    for data in (head, head + b"\r\n"):
        bad = refusal_of(data)
        assert bad.reason == "Missing Empty Line"
        assert bad.request is not None


def test_too_many_headers() -> None:
    many = "X: y\n" * MAX_HEADER_LINES
    bad = refusal_of(edit(INVITE, "Max-Forwards", many + "Max-Forwards"))
    assert bad.reason == "Too Many Headers"
    assert bad.request is not None


def assert_whole(message: Message) -> None:
    again = parse_message(message.encode())
    assert again.headers == message.headers
    assert again.body == message.body


PIECES = [line.encode() + b"\r\n" for line in (INVITE + OK).splitlines()]


@given(st.binary() | st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=20).map(b"".join))
@example(b"\r\n")
@example(b"SIP/2.0 \r\n\r\n")
@example(b" SIP/2.0\r\n\r\n")
@example(b"A  SIP/2.0\r\nVia:\r\n\r\n")
def test_any_bytes_are_a_message_or_a_peer_error(data: bytes) -> None:
    try:
        message = parse_message(data)
    except BadMessage as bad:
        assert isinstance(bad, PeerError)
        assert 400 <= bad.status < 700
        if bad.request is not None:
            _ = bad.request.via
            bad.request.respond(bad.status, bad.reason, to_tag="t").encode()
    else:
        assert_whole(message)


@given(st.integers(0, len(wire(INVITE)) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_any_damage_gives_a_message_or_a_peer_error(at: int, new: bytes, removed: int) -> None:
    data = wire(INVITE)
    try:
        message = parse_message(data[:at] + new + data[at + removed :])
    except BadMessage as bad:
        assert 400 <= bad.status < 700
    else:
        assert_whole(message)
