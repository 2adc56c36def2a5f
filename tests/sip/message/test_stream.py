"""Messages out of a stream. RFC 3261 §18.3, RFC 5626 §3.5.1, §4.4.1."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sip.message import BadMessage, Keepalive, Message, Request, Response, StreamFramer
from appliance.sip.message.limits import MAX_BODY, MAX_HEAD
from tests.sip.message.samples import INVITE, OK, edit, messages, wire

PONG = Keepalive(b"")
PING = Keepalive(b"\r\n")


def describe(items: list[Request | Response | Keepalive | BadMessage]) -> list[object]:
    told: list[object] = []
    for item in items:
        match item:
            case Request() | Response():
                told.append(item.encode())
            case BadMessage():
                told.append((item.status, item.reason, item.request is not None))
            case Keepalive():
                told.append(item)
    return told


def frame(*pieces: bytes) -> tuple[list[object], bool]:
    framer = StreamFramer()
    found = [item for piece in pieces for item in describe(framer.feed(piece))]
    return found, framer.lost


def test_messages_and_keepalives() -> None:
    found, lost = frame(wire(INVITE) + wire(OK) + b"\r\n\r\n" + wire(OK) + b"\r\n")
    assert found == [wire(INVITE), wire(OK), PONG, PING, wire(OK), PONG]
    assert not lost


def test_pings_are_counted_afresh_behind_a_message() -> None:
    assert frame(b"\r\n" + wire(OK) + b"\r\n\r\n\r\n\r\n")[0] == [PONG, wire(OK), PONG, PING, PONG, PING]


def test_a_pong_of_ours_is_no_half_of_a_ping() -> None:
    framer = StreamFramer()
    framer.pinged()
    framer.pinged()
    answer = Keepalive(b"", pong=True)
    assert framer.feed(b"\r\n") == [answer]
    # The peer may ping us at the same time; and what it sends when nothing is awaited is its own ping.
    assert framer.feed(b"\r") == []
    assert framer.feed(b"\n\r\n\r\n") == [answer, PONG, PING]


STREAM = (
    b"\r\n"
    + wire(INVITE)
    + b"\r\n\r\n"
    + edit(INVITE, "CSeq: 1 INVITE", "CSeq: 1 BYE")
    + wire(OK)
    + b"\r\n\r\n"
)


@given(
    st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted),
    st.sampled_from([b"", b"garbage\r\n\r\n" + wire(OK), b"\rx"]),
)
def test_any_split_gives_the_same(cuts: list[int], tail: bytes) -> None:
    stream = STREAM + tail
    edges = [0, *cuts, len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges)]
    assert frame(*pieces) == frame(stream)


@given(st.lists(messages(), min_size=1, max_size=4), st.data())
def test_messages_come_as_they_were_sent_however_they_are_cut(
    sent: list[Message], data: st.DataObject
) -> None:
    stream = b"".join(message.encode() for message in sent)
    edges = [0, *sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12))), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges)]
    assert frame(*pieces) == ([message.encode() for message in sent], False)


def test_octet_by_octet() -> None:
    assert frame(*[bytes([octet]) for octet in STREAM]) == frame(STREAM)


def test_one_bad_message_harms_no_other() -> None:
    bad = edit(INVITE, "CSeq: 1 INVITE", "CSeq: 1 BYE")
    found, lost = frame(bad + wire(OK))
    assert found == [(400, "CSeq Names Another Method", True), wire(OK)]
    assert not lost


@pytest.mark.parametrize(
    ("old", "new", "status", "reason"),
    [
        ("Content-Length: 5", "Content-Length: -999", 400, "Malformed Content-Length"),
        ("Content-Length: 5", "Content-Length: 5\nContent-Length: 4", 400, "Content-Length Given Twice"),
        ("Content-Length: 5", f"Content-Length: {MAX_BODY + 1}", 513, "Message Too Large"),
    ],
)
def test_where_the_body_ends_nobody_knows(old: str, new: str, status: int, reason: str) -> None:
    found, lost = frame(edit(INVITE, old, new) + wire(OK))
    assert found == [(status, reason, True)]
    assert lost


def test_a_message_without_a_length_is_taken_and_what_follows_it_must_be_a_message() -> None:
    found, lost = frame(edit(INVITE, "Content-Length: 5\n", "") + wire(OK))
    assert isinstance(found[0], bytes)
    assert found[0].startswith(b"INVITE ")
    assert found[1:] == [(400, "Malformed Request-Line", True)]
    assert lost
    bare = edit(OK, "Content-Length: 0\n", "")
    assert b"Content-Length" not in bare
    found, lost = frame(bare + wire(OK))
    assert len(found) == 2
    assert not lost


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"\r\r\r\n",
        b"\n\r\n\r\n",
    ],
)
def test_another_protocol_loses_the_stream(garbage: bytes) -> None:
    found, lost = frame(garbage + wire(OK))
    assert len(found) == 1
    assert lost


def test_a_malformed_line_of_sip_does_not() -> None:
    found, lost = frame(edit(OK, "200", "2000") + edit(INVITE, "INVITE sip", "INV<TE sip") + wire(OK))
    assert found == [(400, "Malformed Status-Line", False), (400, "Malformed Request-Line", True), wire(OK)]
    assert not lost


@pytest.mark.parametrize("piece", [b"A" * (MAX_HEAD + 5), b"A" * (MAX_HEAD + 1) + b"\r\n\r\n"])
def test_a_head_without_end_is_given_up(piece: bytes) -> None:
    found, lost = frame(piece)
    assert found == [(513, "Message Too Large", False)]
    assert lost


def test_nothing_comes_out_of_a_lost_stream() -> None:
    framer = StreamFramer()
    framer.feed(b"nonsense\r\n\r\n")
    assert framer.lost
    assert framer.feed(wire(OK)) == []


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b"\r\n", b"\r\n\r\n", wire(OK)]), max_size=8))
def test_any_octets_give_items_and_nothing_else(pieces: list[bytes]) -> None:
    framer = StreamFramer()
    for piece in pieces:
        for item in framer.feed(piece):
            assert isinstance(item, Request | Response | Keepalive | BadMessage)
    assert frame(b"".join(pieces)) == frame(*pieces)


def test_pending_tells_a_message_that_has_begun() -> None:
    framer = StreamFramer()
    whole = wire(INVITE)
    for piece, pending in [
        (whole[:10], True),
        (whole[10:-2], True),
        (whole[-2:], False),
        (b"\r\n", False),
        (b"\r", True),
    ]:
        framer.feed(piece)
        assert framer.pending is pending
