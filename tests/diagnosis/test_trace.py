"""appliance/diagnosis/trace.py: a call's messages come back in order, without what would give a password away."""

from __future__ import annotations

from appliance.diagnosis.trace import MAX_CALLS, MAX_MESSAGES, MAX_OCTETS, Trace
from appliance.sip.transport.flow import Flow

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.7", 5062))
INVITE = (
    b"INVITE sip:102@192.0.2.1 SIP/2.0\r\nCall-ID: one@phone\r\n"
    b'Authorization: Digest username="101",\r\n response="6629fae49393a05397450978507c4ef1"\r\n'
    b"proxy-authorization : Digest secret\r\nMax-Forwards: 70\r\n\r\n"
)


def test_a_call_is_found_by_the_call_ids_of_its_legs_in_the_order_of_its_messages() -> None:
    moments = iter([1.0, 2.0, 3.0])
    trace = Trace(lambda: next(moments))
    trace.note("in", FLOW, INVITE)
    trace.note("in", FLOW, b"OPTIONS sip:a SIP/2.0\r\nCall-ID: other\r\n\r\n")
    trace.note("out", FLOW, b"INVITE sip:102@192.0.2.8 SIP/2.0\r\nCall-ID: c0ffee.leg\r\n\r\n")
    trace.dialled("c0ffee", "one@phone")
    found = trace.of("c0ffee")
    assert [(each.at, each.direction, each.peer) for each in found] == [
        (1.0, "in", "192.0.2.7:5062"),
        (3.0, "out", "192.0.2.7:5062"),
    ]


def test_credentials_are_hidden_folded_lines_included() -> None:
    trace = Trace(lambda: 0.0)
    trace.dialled("c0ffee", "one@phone")
    trace.note("in", FLOW, INVITE)
    text = trace.of("c0ffee")[0].text
    assert "6629fae4" not in text
    assert "secret" not in text
    assert "Authorization: (hidden)\r\nproxy-authorization: (hidden)\r\nMax-Forwards: 70" in text


def test_old_messages_make_room_for_new_ones() -> None:
    trace = Trace(lambda: 0.0)
    trace.dialled("c0ffee", "one@phone")
    trace.note("in", FLOW, INVITE)
    assert len(trace.of("c0ffee")) == 1
    for _ in range(MAX_MESSAGES):
        trace.note("in", FLOW, b"Call-ID: other")
    assert trace.of("c0ffee") == []


def test_large_messages_make_room_sooner() -> None:
    trace = Trace(lambda: 0.0)
    trace.dialled("c0ffee", "one@phone")
    trace.note("in", FLOW, INVITE)
    large = b"Call-ID: other\r\n\r\n" + bytes(65_000)
    for _ in range(MAX_OCTETS // len(large) + 1):
        trace.note("in", FLOW, large)
    assert len(trace.of("c0ffee")) == 0
    trace.note("in", FLOW, INVITE)
    assert len(trace.of("c0ffee")) == 1


def test_a_short_call_id_finds_its_own_messages_alone() -> None:
    trace = Trace(lambda: 0.0)
    trace.dialled("c0ffee", "1")
    for call_id in (b"Call-ID: 1", b"i:1", b"call-id :\r\n 1 ", b"Call-ID: 11", b"Call-ID: 1@b", b"To: 1"):
        trace.note("in", FLOW, b"BYE sip:101@192.0.2.1 SIP/2.0\r\n" + call_id + b"\r\n\r\n")
    found = [each.text.partition("SIP/2.0\r\n")[2] for each in trace.of("c0ffee")]
    assert found == ["Call-ID: 1\r\n\r\n", "i:1\r\n\r\n", "call-id :\r\n 1 \r\n\r\n"]


def test_the_keys_of_encrypted_sound_are_hidden() -> None:
    trace = Trace(lambda: 0.0)
    trace.dialled("c0ffee", "one@phone")
    trace.note(
        "in", FLOW, INVITE + b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^20\r\na=sendrecv\r\n"
    )
    text = trace.of("c0ffee")[0].text
    assert text.endswith("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(hidden)\r\na=sendrecv\r\n")


def test_an_unknown_call_has_no_messages() -> None:
    trace = Trace(lambda: 0.0)
    trace.note("in", FLOW, INVITE)
    assert trace.of("one") == []
    for number in range(MAX_CALLS + 1):
        trace.dialled(f"call {number}", "one@phone")
    assert trace.of("call 0") == []
    assert len(trace.of("call 1")) == 1
