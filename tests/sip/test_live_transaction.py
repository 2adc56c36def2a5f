"""appliance/sip/live_transaction.py: machines with their timers, bytes and users.

RFC 3261 §17.1, §9.1, §18.2.2, §17.1.4; RFC 6026.
"""

from __future__ import annotations

import logging

import pytest

from appliance.errors import LocalError
from appliance.sip.endpoint import ClientEvent, ClientTransaction, Failed, ServerTransaction
from appliance.sip.message import Headers, Request, Response
from appliance.sip.transport.flow import Flow
from tests.sip.wire import PEER, TCP, UDP, Wire, text_of


@pytest.fixture
def wire() -> Wire:
    return Wire()


class Caller:
    def __init__(self, wire: Wire, method: str = "INVITE", flow: Flow = UDP) -> None:
        self.wire = wire
        self.events: list[ClientEvent] = []
        headers = Headers([
            ("From", "<sip:100@192.0.2.1>;tag=ours"), ("To", "<sip:101@192.0.2.10>"),
            ("Call-ID", "c1"), ("CSeq", f"7 {method}"), ("Max-Forwards", "70"),
        ])  # fmt: skip
        request = Request(method, "sip:101@192.0.2.10:5062", headers)
        self.client: ClientTransaction = wire.endpoint.send_request(request, flow, self.events.append)

    def answer(self, status: int, tag: str = "theirs", flow: Flow = UDP) -> None:
        self.wire.receive(self.client.request.respond(status, to_tag=tag), flow)

    @property
    def seen(self) -> list[int | str]:
        return [event.cause if isinstance(event, Failed) else event.status for event in self.events]


def test_a_request_has_a_via_of_its_own(wire: Wire) -> None:
    Caller(wire, "OPTIONS")
    Caller(wire, "OPTIONS", TCP)
    over_udp, over_tcp = wire.take()
    assert (over_udp.via.transport, over_udp.via.host, over_udp.via.port) == ("UDP", "192.0.2.1", 5060)
    assert over_udp.via.wants_rport
    assert over_tcp.via.transport == "TCP"
    assert str(over_udp.via.branch).startswith("z9hG4bK")
    assert over_udp.via.branch != over_tcp.via.branch


def test_an_invite_is_repeated_and_given_up(wire: Wire) -> None:
    caller = Caller(wire)
    first = wire.out[0][1]
    for moment, copies in ((0.5, 2), (1.5, 3), (3.5, 4), (7.5, 5), (15.5, 6), (31.5, 7)):
        wire.timers.wait(moment + 1000 - wire.timers.now())
        assert len(wire.out) == copies
    assert {data for _, data in wire.out} == {first}
    wire.timers.wait(1)
    assert caller.seen == ["timeout"]
    assert wire.endpoint.transactions == 0
    assert len(wire.timers.heap) == 0


def test_a_refused_invite_is_acknowledged(wire: Wire) -> None:
    caller = Caller(wire)
    invite = wire.request()
    caller.answer(180)
    caller.answer(486)
    caller.answer(486)
    first, again = wire.take()
    assert isinstance(first, Request)
    assert first.method == "ACK"
    assert first.encode() == again.encode()
    assert first.via == invite.via
    assert caller.seen == [180, 486]
    wire.timers.wait(32)
    assert wire.endpoint.transactions == 0


def test_every_2xx_goes_up_and_the_user_acknowledges(wire: Wire) -> None:
    caller = Caller(wire)
    wire.take()
    caller.answer(200)
    caller.answer(200, tag="fork")
    caller.answer(200)
    assert caller.seen == [200, 200, 200]
    assert wire.out == []
    ack = Request("ACK", "sip:101@192.0.2.10", Headers([("Call-ID", "c1"), ("CSeq", "7 ACK"),
        ("From", "<sip:100@192.0.2.1>;tag=ours"), ("To", "<sip:101@192.0.2.10>;tag=theirs")]))  # fmt: skip
    wire.endpoint.send_ack(ack, UDP)
    wire.endpoint.send_ack(ack, UDP)
    first, again = wire.take()
    # §13.2.2.4: a transaction of its own, the same for each repetition.
    assert first.encode() == again.encode()
    assert first.via.branch != caller.client.request.via.branch
    wire.broken.add(UDP)
    wire.endpoint.send_ack(ack, UDP)
    assert wire.out == []


def test_a_cancel_waits_for_a_provisional_response(wire: Wire) -> None:
    caller = Caller(wire)
    invite = wire.request()
    caller.client.cancel([("Reason", "SIP;cause=200")])
    caller.client.cancel()
    assert wire.out == []
    caller.answer(100)
    cancel = wire.request()
    assert (cancel.method, cancel.via.branch) == ("CANCEL", invite.via.branch)
    assert cancel.headers.get("Reason") == "SIP;cause=200"
    caller.answer(180)
    assert wire.out == []
    wire.receive(cancel.respond(200, to_tag="theirs"))
    caller.answer(487)
    assert caller.seen == [100, 180, 487]
    caller.client.cancel()
    wire.timers.wait(40)
    assert wire.endpoint.transactions == 0


def test_a_cancel_that_nobody_heeds_ends_the_invite(wire: Wire) -> None:
    caller = Caller(wire)
    caller.answer(180)
    caller.client.cancel()
    wire.timers.wait(31.9)
    assert caller.seen == [180]
    # §9.1: 64*T1 after the CANCEL.
    wire.timers.wait(0.2)
    assert caller.seen == [180, "timeout"]
    assert wire.endpoint.transactions == 0


def test_a_cancel_is_for_invites(wire: Wire) -> None:
    with pytest.raises(LocalError, match="CANCEL of OPTIONS"):
        Caller(wire, "OPTIONS").client.cancel()


def test_a_non_invite_request_ends_with_its_response(wire: Wire) -> None:
    caller = Caller(wire, "MESSAGE")
    wire.timers.wait(1)
    assert len(wire.out) == 2
    caller.answer(100)
    caller.answer(202)
    caller.answer(202)
    assert caller.seen == [100, 202]
    wire.timers.wait(5)
    assert wire.endpoint.transactions == 0


@pytest.mark.parametrize("below", ["SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKinner", "nonsense", '"'])
def test_responses_for_nobody_are_dropped(wire: Wire, caplog: pytest.LogCaptureFixture, below: str) -> None:
    caller = Caller(wire, "MESSAGE")
    stray = caller.client.request.respond(200)
    stray.headers.set("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother")
    wire.receive(stray)
    behind = caller.client.request.respond(200)
    behind.headers.add("Via", below)
    wire.receive(behind)
    assert caller.seen == []
    assert caplog.records == []


def test_a_flow_that_cannot_be_used_fails_after_the_call_has_returned(wire: Wire) -> None:
    wire.broken.add(TCP)
    caller = Caller(wire, "MESSAGE", TCP)
    assert caller.seen == []
    wire.timers.wait(0)
    assert caller.seen == ["transport"]
    assert wire.endpoint.transactions == 0


def test_a_flow_that_fails_is_told_to_all_that_wait_on_it(wire: Wire) -> None:
    on_it, beside_it, accepted = Caller(wire, "MESSAGE", TCP), Caller(wire, "MESSAGE"), Caller(wire, flow=TCP)
    accepted.answer(200, flow=TCP)
    wire.endpoint.flow_failed(TCP)
    assert on_it.seen == ["transport"]
    assert beside_it.seen == []
    assert accepted.seen == [200]
    # An error that comes after the end is nobody's.
    on_it.client.transport_failed()
    assert on_it.seen == ["transport"]


def test_a_users_defect_ends_neither_transaction_nor_reader(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: ClientEvent) -> None:
        msg = "a defect"
        raise ValueError(msg)

    headers = Headers(
        [("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>"), ("Call-ID", "c"), ("CSeq", "1 INFO")]
    )
    client = wire.endpoint.send_request(Request("INFO", "sip:c@d", headers), UDP, fail)
    wire.receive(client.request.respond(200, to_tag="t"))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    wire.timers.wait(5)
    assert wire.endpoint.transactions == 0


# Servers whose answers do not get through.


def serve(
    wire: Wire, flow: Flow, method: str = "INVITE", **changes: str
) -> tuple[ServerTransaction, list[str]]:
    got: list[ServerTransaction] = []
    failures: list[str] = []
    wire.endpoint.serve(method, got.append)
    wire.receive(text_of(method, **changes), flow)
    got[0].on_failed = lambda: failures.append("failed")
    wire.take()
    return got[0], failures


def test_no_ack_comes_for_a_refusal(wire: Wire) -> None:
    transaction, failures = serve(wire, UDP)
    transaction.reply(486)
    wire.timers.wait(33)
    assert failures == ["failed"]
    assert wire.endpoint.transactions == 0


def test_a_peer_that_is_gone_is_told_to_the_user(wire: Wire) -> None:
    transaction, failures = serve(wire, UDP)
    wire.endpoint.flow_failed(UDP)
    assert failures == ["failed"]
    transaction.reply(487)
    transaction.on_failed = None
    wire.timers.wait(33)
    assert wire.endpoint.transactions == 0


def test_an_answer_that_cannot_be_sent_is_told_to_the_user(wire: Wire) -> None:
    transaction, failures = serve(wire, UDP)
    wire.broken.add(UDP)
    transaction.reply(180)
    assert failures == []
    wire.timers.wait(0)
    assert failures == ["failed"]


def test_a_connection_that_is_gone_is_replaced_for_the_answer(wire: Wire) -> None:
    # §18.2.2: to the source address, at the port in sent-by.
    transaction, failures = serve(wire, TCP, Via="SIP/2.0/TCP 10.0.0.7:5070;branch=z9hG4bK1")
    wire.endpoint.flow_failed(TCP)
    assert failures == []
    wire.broken.add(TCP)
    transaction.reply(180)
    transaction.reply(200)
    assert [flow.remote for flow, _ in wire.out] == [(PEER[0], 5070)] * 2
    assert isinstance(wire.take()[1], Response)
    assert failures == []


def test_a_new_connection_that_fails_too_is_told_to_the_user(wire: Wire) -> None:
    transaction, failures = serve(wire, TCP, Via="SIP/2.0/TCP 10.0.0.7:9;branch=z9hG4bK1")
    wire.broken.add(TCP)
    transaction.reply(180)
    wire.timers.wait(0)
    assert failures == ["failed"]


def test_a_repeated_request_before_any_answer_is_absorbed(wire: Wire) -> None:
    def think(transaction: ServerTransaction) -> None:
        wire.receive(text_of("INVITE"))
        transaction.reply(603)

    wire.endpoint.serve("INVITE", think)
    wire.receive(text_of("INVITE"))
    assert wire.response().status == 603
