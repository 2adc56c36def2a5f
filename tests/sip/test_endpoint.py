"""appliance/sip/endpoint.py: who gets what, what is answered without a user, and where answers go.

RFC 3261 §8.2, §9.2, §12.2.2, §17, §18.2; RFC 3581; RFC 4320; RFC 4475 §3.1.2.19 (the bare branch).
"""

from __future__ import annotations

import logging
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import appliance.sip.endpoint as endpoint_module
from appliance.errors import LocalError, PeerError
from appliance.sip.endpoint import ServerTransaction
from appliance.sip.message import Request, Response
from appliance.sip.transport.flow import Flow
from tests.sip.wire import PEER, TCP, UDP, Wire, text_of


class User:
    """Collects what it is given, as a handler and as a dialog's user."""

    def __init__(self) -> None:
        self.got: list[ServerTransaction] = []
        self.acks: list[Request] = []

    def receive(self, transaction: ServerTransaction) -> None:
        self.got.append(transaction)

    def receive_ack(self, ack: Request) -> None:
        self.acks.append(ack)


class Refuser(User):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def receive(self, transaction: ServerTransaction) -> None:
        raise self.error


@pytest.fixture
def wire() -> Wire:
    return Wire()


# OPTIONS, §11.


def test_options_names_what_one_may_subscribe_to(wire: Wire) -> None:
    """RFC 6665 §4.4.4."""
    wire.endpoint.events |= {"presence", "dialog"}
    wire.receive(text_of())
    assert wire.response().headers.get("Allow-Events") == "dialog, presence"


def test_options_is_answered_with_what_we_can_do(wire: Wire) -> None:
    wire.endpoint.serve("INVITE", User().receive)
    wire.endpoint.allowed.add("UPDATE")
    wire.endpoint.supported |= {"timer", "100rel"}
    wire.receive(text_of())
    answer = wire.response()
    assert answer.status == 200
    assert answer.headers.get("Allow") == "ACK, BYE, CANCEL, INVITE, OPTIONS, UPDATE"
    assert answer.headers.get("Supported") == "100rel, timer"
    accepts = [answer.headers.get(f"Accept{what}") for what in ("", "-Encoding", "-Language")]
    assert accepts == ["application/sdp", "identity", "en"]
    assert answer.to.tag
    assert "Allow-Events" not in answer.headers
    # Nothing tells an attacker which version this is.
    assert "Server" not in answer.headers


def test_a_repeated_request_gets_the_same_octets_from_store(wire: Wire) -> None:
    wire.receive(text_of())
    wire.receive(text_of())
    (_, first), (_, second) = wire.out
    assert first == second
    assert wire.endpoint.transactions == 1
    wire.timers.wait(32)
    assert wire.endpoint.transactions == 0


def test_max_forwards_counts_for_what_would_travel_on(wire: Wire) -> None:
    wire.endpoint.serve("INVITE", User().receive)
    wire.receive(text_of(Max_Forwards="0"))
    assert wire.response().status == 200
    wire.receive(text_of("INVITE", Max_Forwards="0"))
    assert wire.response().status == 483


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("flow", [UDP, TCP])
def test_nothing_is_kept_of_who_has_proved_nothing(wire: Wire, status: int, flow: Flow) -> None:
    wire.endpoint.serve("INVITE", Refuser(PeerError(status, "Who", (("X-Challenge", "1"),))).receive)
    wire.receive(text_of("INVITE"), flow)
    wire.receive(text_of("INVITE"), flow)
    first, again = wire.take()
    assert isinstance(first, Response)
    assert isinstance(again, Response)
    assert (first.status, first.headers.get("X-Challenge")) == (status, "1")
    assert first.to.tag, "§8.2.7: the same for the same request, without keeping it"
    assert first.to.tag == again.to.tag
    assert (wire.endpoint.transactions, len(wire.timers.heap)) == (0, 0)
    wire.receive(text_of("ACK"), flow)
    assert wire.out == []
    wire.receive(
        text_of("INVITE", Via="SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKother", Call_ID="other"), flow
    )
    other = wire.response()
    assert other.to.tag != first.to.tag


# Where answers go: §18.2.1, §18.2.2, RFC 3581.


@pytest.mark.parametrize(
    ("via", "sent_to", "top"),
    [
        ("192.0.2.10:5062;branch=z9hG4bK1", ("192.0.2.10", 5062), None),
        ("192.0.2.10;branch=z9hG4bK1", ("192.0.2.10", 5060), None),
        ("10.0.0.7:5070;branch=z9hG4bK1", ("192.0.2.10", 5070), ";received=192.0.2.10"),
        ("10.0.0.7;rport;branch=z9hG4bK1", PEER, ";rport=5062;branch=z9hG4bK1;received=192.0.2.10"),
        ("10.0.0.7:9;branch=z9hG4bK1;RPORT", PEER, ";RPORT=5062;received=192.0.2.10"),
        # A sender that fills them in itself.
        (
            "h;rport=1;received=1.2.3.4;branch=z9hG4bK1",
            PEER,
            ";rport=5062;branch=z9hG4bK1;received=192.0.2.10",
        ),
        ("h;branch=z9hG4bK1;maddr=192.0.2.77", ("192.0.2.77", 5060), ";received=192.0.2.10"),
    ],
)
def test_the_answer_goes_where_the_via_says(
    wire: Wire, via: str, sent_to: tuple[str, int], top: str | None
) -> None:
    wire.receive(text_of(Via=f"SIP/2.0/UDP {via}"))
    flow, data = wire.out[0]
    assert flow.remote == sent_to
    line = data.split(b"\r\n")[1].decode()
    assert line.endswith(top) if top else line == f"Via: SIP/2.0/UDP {via}"


@pytest.mark.parametrize(
    "maddr", ["224.0.1.75", "255.255.255.255", "0.0.0.0", "[ff02::1]", "name.example"]
)  # nothing is bound
def test_no_answer_goes_to_many_or_to_nobody(wire: Wire, maddr: str) -> None:
    wire.receive(text_of(Via=f"SIP/2.0/UDP h;branch=z9hG4bK1;maddr={maddr}"))
    assert wire.out == []
    assert wire.endpoint.transactions == 0


def test_other_vias_go_back_byte_for_byte(wire: Wire) -> None:
    vias = 'SIP/2.0/UDP h;rport;branch=z9hG4bK1 , SIP / 2.0 / TCP  second;X="a,b";branch=z9hG4bK2'
    wire.receive(text_of(Via=vias))
    line = wire.response().headers.get("Via") or ""
    assert line.startswith("SIP/2.0/UDP h;rport=5062;branch=z9hG4bK1;received=192.0.2.10, ")
    assert line.endswith('SIP / 2.0 / TCP  second;X="a,b";branch=z9hG4bK2')


def test_over_a_connection_the_answer_goes_back_over_it(wire: Wire) -> None:
    wire.receive(text_of(Via="SIP/2.0/TCP 10.0.0.7:5070;branch=z9hG4bK1"), TCP)
    assert wire.out[0][0] == TCP
    # Nothing is repeated or absorbed.
    assert wire.endpoint.transactions == 0


# §8.2: what is refused before a user sees it.


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (text_of("REFER"), 405),
        (text_of("NEWMETHOD"), 501),
        (text_of("BYE"), 481),
        (text_of("OPTIONS", uri="nobodyknows:stuff"), 416),
        (text_of("OPTIONS", To="<sip:100@192.0.2.1>;tag=unknown"), 481),
        (text_of("OPTIONS", Require="timer, nothingSupportsThis, norThis"), 420),
        (text_of("OPTIONS", CSeq="1 INVITE"), 400),
        (text_of("CANCEL"), 481),
    ],
)
def test_refusals(wire: Wire, request_text: bytes, status: int) -> None:
    wire.endpoint.supported.add("timer")
    wire.receive(request_text)
    answer = wire.response()
    assert answer.status == status
    assert answer.to.tag
    if status in (405, 501):
        assert answer.headers.get("Allow") == "ACK, BYE, CANCEL, OPTIONS"
    if status == 420:
        assert answer.headers.get("Unsupported") == "nothingSupportsThis, norThis"


def test_a_malformed_request_is_answered_with_what_it_said(wire: Wire) -> None:
    wire.receive(text_of("OPTIONS", CSeq="36893488147419103232 OPTIONS"))
    flow, data = wire.out[0]
    assert flow.remote == PEER
    assert data.startswith(b"SIP/2.0 400 Malformed CSeq\r\n")
    assert b"\r\nCSeq: 36893488147419103232 OPTIONS\r\n" in data
    assert wire.endpoint.transactions == 0


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"\0" * 20,
        b"hello, is it you?\r\n\r\n",
        text_of("OPTIONS", Via=None),
        text_of("ACK"),
        text_of("ACK", CSeq="x ACK"),
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK" + text_of()[text_of().index(b"\r\n") :],
    ],
)
def test_what_cannot_be_answered_is_not(wire: Wire, noise: bytes) -> None:
    wire.receive(noise)
    assert wire.out == []
    assert wire.endpoint.transactions == 0


def test_a_request_come_by_two_ways_is_refused_the_second_time(wire: Wire) -> None:
    user = User()
    wire.endpoint.serve("MESSAGE", user.receive)
    wire.receive(text_of("MESSAGE"))
    wire.receive(text_of("MESSAGE", Via="SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK2"))
    assert wire.response().status == 482
    assert len(user.got) == 1
    # Once the first is forgotten, it is a request again.
    wire.timers.wait(100)
    assert wire.endpoint.transactions == 0
    wire.receive(text_of("MESSAGE", Via="SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK3"))
    assert len(user.got) == 2


def test_too_many_transactions_are_refused_without_making_one(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "MAX_TRANSACTIONS", 1)
    wire.receive(text_of())
    wire.receive(text_of(Via="SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK2", Call_ID="c2"))
    _, busy = wire.take()
    assert isinstance(busy, Response)
    assert (busy.status, busy.headers.get("Retry-After")) == (503, "10")
    assert wire.endpoint.transactions == 1


# Users.


def test_an_invite_that_is_not_answered_at_once_gets_100(wire: Wire) -> None:
    user = User()
    wire.endpoint.serve("INVITE", user.receive)
    wire.receive(text_of("INVITE"))
    trying = wire.response()
    assert trying.status == 100
    assert trying.to.tag is None
    wire.receive(text_of("INVITE"))
    assert wire.response().status == 100
    user.got[0].reply(180)
    first = wire.response()
    ok = user.got[0].reply(200)
    assert first.to.tag == wire.response().to.tag
    # RFC 6026: the user repeats the 2xx; a repeated INVITE is absorbed.
    wire.receive(text_of("INVITE"))
    assert wire.out == []
    user.got[0].respond(ok)
    assert wire.response().status == 200
    wire.timers.wait(32)
    user.got[0].respond(ok)
    assert wire.out == []
    assert wire.endpoint.transactions == 0


def test_what_a_handler_raises_becomes_the_answer(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    refusal = PeerError(401, "Unauthorized", (("WWW-Authenticate", 'Digest realm="x"'),))
    wire.endpoint.serve("REGISTER", Refuser(refusal).receive)
    wire.endpoint.serve("MESSAGE", Refuser(KeyError("a defect")).receive)
    wire.receive(text_of("REGISTER", To="<sip:100@192.0.2.1>;tag=kept"))
    answer = wire.response()
    assert (answer.status, answer.headers.get("WWW-Authenticate")) == (401, 'Digest realm="x"')
    wire.receive(text_of("MESSAGE"))
    answer = wire.response()
    assert (answer.status, answer.reason) == (500, "Server Internal Error")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_handler_that_fails_after_its_answer_changes_nothing(wire: Wire) -> None:
    def answer_and_fail(transaction: ServerTransaction) -> None:
        transaction.reply(202)
        raise PeerError(500, "Too Late")

    wire.endpoint.serve("MESSAGE", answer_and_fail)
    wire.receive(text_of("MESSAGE"))
    assert wire.response().status == 202


def test_rfc_4320_for_non_invite_requests(wire: Wire) -> None:
    user = User()
    wire.endpoint.serve("MESSAGE", user.receive)
    wire.receive(text_of("MESSAGE"))
    # No 100 at once, no provisional response but 100, no 408.
    assert wire.out == []
    wire.receive(text_of("MESSAGE"))
    wire.timers.wait(3.4)
    assert wire.out == []
    with pytest.raises(LocalError, match="183 to MESSAGE"):
        user.got[0].reply(183)
    user.got[0].reply(408)
    assert wire.out == []
    # §4.1: from 3.5 s on the client repeats itself every 4 s alone, and MUST be told that it was heard.
    wire.timers.wait(0.1)
    trying = wire.response()
    assert (trying.status, trying.to.tag) == (100, None)
    wire.receive(text_of("MESSAGE"))
    assert wire.response().status == 100
    wire.timers.wait(28)
    assert wire.endpoint.transactions == 1
    wire.timers.wait(10)
    assert wire.endpoint.transactions == 0
    # A late answer goes nowhere.
    user.got[0].reply(200)
    assert wire.out == []


# Dialogs.


def test_requests_with_a_tag_go_to_their_dialog(wire: Wire) -> None:
    user = User()
    wire.endpoint.add_dialog(("c1@192.0.2.10", "ours", "f1"), user)
    in_dialog = "<sip:100@192.0.2.1>;tag=ours"
    wire.receive(text_of("BYE", To=in_dialog))
    assert [transaction.request.method for transaction in user.got] == ["BYE"]
    assert user.got[0].tag == "ours"
    wire.receive(text_of("ACK", To=in_dialog, Via="SIP/2.0/UDP h;branch=z9hG4bKack"))
    wire.receive(text_of("ACK", To=in_dialog, Via="SIP/2.0/UDP h;branch=z9hG4bKack"))
    assert len(user.acks) == 2
    user.got[0].reply(200)
    assert wire.response().status == 200
    wire.endpoint.remove_dialog(("c1@192.0.2.10", "ours", "f1"))
    wire.endpoint.remove_dialog(("c1@192.0.2.10", "ours", "f1"))
    wire.receive(text_of("INFO", To=in_dialog))
    assert wire.response().status == 481


def test_an_ack_of_an_old_peer_reaches_its_dialog_through_the_transaction(wire: Wire) -> None:
    user = User()
    wire.endpoint.serve("INVITE", user.receive)
    wire.receive(text_of("INVITE", Via="SIP/2.0/UDP 192.0.2.10:5062"))
    user.got[0].tag = "ours"
    user.got[0].reply(200)
    wire.endpoint.add_dialog(("c1@192.0.2.10", "ours", "f1"), user)
    wire.receive(text_of("ACK", Via="SIP/2.0/UDP 192.0.2.10:5062", To="<sip:100@192.0.2.1>;tag=ours"))
    assert len(user.acks) == 1


def test_an_ack_of_a_refusal_ends_its_repetition(wire: Wire) -> None:
    user = User()
    wire.endpoint.serve("INVITE", user.receive)
    wire.receive(text_of("INVITE"))
    user.got[0].reply(486)
    wire.timers.wait(4)
    assert [message.encode()[:11] for message in wire.take()[1:]] == [b"SIP/2.0 486"] * 4
    wire.receive(text_of("ACK"))
    wire.timers.wait(20)
    assert wire.out == []
    assert wire.endpoint.transactions == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 401),
        ({"Max_Forwards": "0"}, 483),
        ({"Require": "nothingSupportsThis"}, 420),
        ({"To": "<sip:100@192.0.2.1>;tag=unknown"}, 481),
    ],
)
def test_what_a_stranger_is_refused_with_is_said_once_and_when_asked_again(
    wire: Wire, changes: dict[str, str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """§26.3.2.4: else one forged datagram would have eleven of ours fall upon whom it names."""
    caplog.set_level(logging.INFO)
    wire.endpoint.serve("INVITE", Refuser(PeerError(401, "Unauthorized")).receive)
    request = text_of("INVITE", **changes)
    wire.receive(request)
    assert wire.response().status == status
    wire.timers.wait(20)
    assert wire.out == []
    wire.receive(request)
    assert wire.response().status == status
    wire.timers.wait(20)
    assert (wire.out, wire.endpoint.transactions) == ([], 0)
    assert caplog.text == "", "nor do strangers fill the log"


def test_what_a_user_refuses_is_repeated_until_its_ack(wire: Wire) -> None:
    wire.endpoint.serve("INVITE", Refuser(PeerError(404, "Not Found")).receive)
    wire.receive(text_of("INVITE"))
    wire.timers.wait(40)
    assert [answer.encode()[:11] for answer in wire.take()] == [b"SIP/2.0 404"] * 11


# CANCEL, §9.2.


def test_a_cancel_is_answered_and_told(wire: Wire) -> None:
    user = User()
    cancels: list[Request] = []
    wire.endpoint.serve("INVITE", user.receive)
    wire.receive(text_of("INVITE"))
    user.got[0].on_cancel = cancels.append
    wire.receive(text_of("CANCEL", Reason="SIP;cause=200"))
    _, answer = wire.take()
    # The To tags of both answers SHOULD be the same.
    assert (answer.cseq.method, answer.to.tag) == ("CANCEL", user.got[0].tag)
    assert cancels[0].headers.get("Reason") == "SIP;cause=200"
    user.got[0].reply(487)
    assert wire.response().status == 487
    # A CANCEL after the final response changes nothing.
    wire.receive(text_of("CANCEL", Via="SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK1;rport", CSeq="1 CANCEL"))
    assert len(cancels) == 1


def test_without_a_word_from_the_user_a_cancelled_invite_gets_487(wire: Wire) -> None:
    wire.endpoint.serve("INVITE", User().receive)
    wire.receive(text_of("INVITE"))
    wire.receive(text_of("CANCEL"))
    statuses = [message.status for message in wire.take() if not isinstance(message, Request)]
    assert statuses == [100, 200, 487]


def test_a_cancel_after_the_answer_is_only_answered(wire: Wire) -> None:
    user = User()
    wire.endpoint.serve("INVITE", user.receive)
    wire.receive(text_of("INVITE"))
    user.got[0].reply(200)
    wire.take()
    wire.receive(text_of("CANCEL"))
    assert wire.response().status == 200


@given(st.one_of(st.binary(max_size=300), st.data()))
def test_any_octets_are_answered_or_dropped_and_nothing_fails(source: Any) -> None:
    """Whole noise, or a request with a few octets changed: no exception, no log entry, nothing left."""
    if not isinstance(source, bytes):
        octets = bytearray(text_of(source.draw(st.sampled_from(["INVITE", "OPTIONS", "CANCEL", "ACK"]))))
        for _ in range(source.draw(st.integers(1, 5))):
            at = source.draw(st.integers(0, len(octets)))
            octets[at : at + source.draw(st.integers(0, 3))] = source.draw(st.binary(max_size=3))
        source = bytes(octets)
    wire = Wire()
    wire.endpoint.serve("INVITE", Refuser(PeerError(486, "Busy Here")).receive)
    with mock.patch.object(endpoint_module.logger, "exception") as complaint:
        wire.receive(source)
    assert not complaint.called
    wire.timers.wait(100)
    assert wire.endpoint.transactions == 0
    assert all(flow.remote[0] == PEER[0] for flow, _ in wire.out)


# What we say about ourselves, the trace, and defects.


def test_contacts_name_the_address_the_peer_sees(wire: Wire) -> None:
    contact = wire.endpoint.contact
    assert contact(UDP, "100") == "<sip:100@192.0.2.1:5060>"
    assert contact(TCP, "100") == "<sip:100@192.0.2.1:5060;transport=tcp>"
    v6 = Flow("tls", ("2001:db8::1", 5061), ("2001:db8::2", 5061), 3)
    assert contact(v6, "a b@c") == "<sip:a%20b%40c@[2001:db8::1]:5061;transport=tls>"


def test_the_trace_sees_both_ways_and_its_failure_costs_nothing(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[str, Flow, bytes]] = []
    wire.endpoint.tap = lambda *args: seen.append(args)
    wire.receive(text_of())
    wire.receive(b"garbage in abundance\r\n\r\n")
    wire.receive(text_of("MESSAGE", Via="SIP/2.0/TCP h;branch=z9hG4bK5"), TCP)
    assert [direction for direction, _, _ in seen] == ["in", "out", "in", "in", "out"]
    assert seen[2][2] == b"garbage in abundance\r\n\r\n"

    def fail(*_: object) -> None:
        msg = "a defect"
        raise ValueError(msg)

    wire.take()
    wire.endpoint.tap = fail
    wire.receive(text_of(Via="SIP/2.0/UDP h;branch=z9hG4bK9;rport", Call_ID="other"))
    assert wire.response().status == 200
    assert wire.endpoint.tap is None
    assert len(caplog.records) == 1


def test_defects_are_logged_and_stop_nothing(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(User):
        def receive_ack(self, ack: Request) -> None:
            msg = "a defect"
            raise ValueError(msg)

    wire.endpoint.add_dialog(("c1@192.0.2.10", "ours", "f1"), Broken())
    wire.receive(text_of("ACK", To="<sip:100@192.0.2.1>;tag=ours"))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    wire.receive(text_of())
    assert wire.response().status == 200
