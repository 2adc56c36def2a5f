"""Who is let in, what people see of the calls, and the end of them all."""

from __future__ import annotations

import msgspec
import pytest

from appliance.call.sip_leg import SipLeg
from appliance.call.sip_leg_outbound import OutboundLeg
from appliance.sip.transport.flow import Flow
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, talk


@pytest.mark.parametrize(
    ("number", "status", "reason", "cause"),
    [
        ("999", 404, "Not Found", "not_found"),
        ("103", 480, "Q.850;cause=20", "not_registered"),
        ("101", 486, "Busy Here", "busy"),  # a call to oneself
    ],
)
def test_refused_at_once(
    book: Playbook, alice: Phone, number: str, status: int, reason: str, cause: str
) -> None:
    book.phone("103")
    book.bindings.clear()
    (book >> alice.invite(number, OFFER) << alice.gets(status, reason) >> alice.ack_refusal()).ends(cause)
    assert (book.records[0].to_number, book.records[0].status) == (number, status)


def test_disabled_extension_is_not_found(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.extensions["102"] = msgspec.structs.replace(book.extensions["102"], enabled=False)
    (book >> alice.invite("102", OFFER) << alice.gets(404) >> alice.ack_refusal()).ends("not_found")


def test_somebody_elses_from(book: Playbook, alice: Phone, bob: Phone) -> None:
    invite = alice.invite("102", OFFER, Authorization="102")
    (book >> invite << alice.gets(403) >> alice.ack_refusal()).ends("forbidden")


def test_challenge_makes_no_record(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book >> alice.invite("102", OFFER, Authorization="none") << alice.gets(401) >> alice.ack_refusal()
    ).ends()


def test_unknown_extension_is_420(book: Playbook, alice: Phone, bob: Phone) -> None:
    invite = alice.invite("102", OFFER, Require="100rel, precondition")
    (book >> invite << alice.gets(420, "Unsupported: precondition") >> alice.ack_refusal()).ends()


def test_x_23_too_many_hops(book: Playbook, alice: Phone, bob: Phone) -> None:
    invite = alice.invite("102", OFFER)
    invite.message.headers.set("Max-Forwards", "0")
    (book >> invite << alice.gets(483) >> alice.ack_refusal()).ends()


def test_x_22_options_ping(book: Playbook, alice: Phone) -> None:
    alice.invite("102")
    (book >> alice.ask("OPTIONS") << alice.gets(200, "Allow", "UPDATE", "Accept", lacks=("Server:",))).ends()


def test_full_exchange(alice: Phone) -> None:
    book = Playbook(max_calls=1)
    alice, bob, carol = (book.phone(number) for number in ("101", "102", "103"))
    talk(book, alice, bob)
    (book >> carol.invite("102", OFFER) << carol.gets(503, "Retry-After") >> carol.ack_refusal()).quiet()
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("overload", "normal")


def test_no_port_left() -> None:
    book = Playbook(ports=(30_000, 30_001))
    alice, bob = book.phone("101"), book.phone("102")
    (book >> alice.invite("102", OFFER) << alice.gets(503) >> alice.ack_refusal()).ends("overload")
    assert bob.invited is None


def test_what_cannot_be_read_takes_no_port(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported='",x') << alice.gets(400) >> alice.ack_refusal()
    assert book.relay.open_ports == 0
    book.ends("bad_request")


def test_hang_up_from_outside(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    call = book.exchange.calls()[0]
    assert book.exchange.hang_up(call.id)
    assert not book.exchange.hang_up("no such call")
    (
        book
        << alice.gets("BYE", "Reason: Q.850;cause=31")
        << bob.gets("BYE", "Reason: Q.850;cause=31")
        >> alice.ok()
        >> bob.ok()
    ).ends("administrator")


def test_shut_down_tells_everybody(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    carol = book.phone("103")
    (
        book
        >> carol.invite("102", OFFER)
        << bob.gets("INVITE")
        << carol.gets(100)
        >> bob.says(180)
        << carol.gets(180)
    ).quiet()
    book.exchange.shut_down()
    (
        book
        << alice.gets("BYE", "Reason: Q.850;cause=41")
        << bob.gets("BYE")
        << carol.gets(503)
        << bob.gets("CANCEL")
        >> carol.invite("102", OFFER)
        << carol.gets(503, "Retry-After")
    ).quiet()
    assert [record.cause for record in book.records] == ["shutdown"] * 3


def test_lamps_and_list(book: Playbook, alice: Phone, bob: Phone) -> None:
    state = book.exchange.busy_state
    assert (state("101"), state("102")) == ("idle", "idle")
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    assert book.exchange.calls()[0].state == "dialling"
    assert (state("101"), state("102")) == ("busy", "ringing")
    book >> bob.says(180) << alice.gets(180)
    ringing = book.exchange.calls()[0]
    assert (ringing.state, ringing.answered_at, len(ringing.legs)) == ("ringing", None, 2)
    assert (ringing.legs[1].number, ringing.legs[1].address) == ("102", f"198.51.100.7:{bob.address[1]}")
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    assert (state("101"), state("102")) == ("busy", "busy")
    assert book.changes >= 3
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")
    assert (state("101"), state("102")) == ("idle", "idle")


def test_a_defect_ends_its_call_and_no_other(
    book: Playbook, alice: Phone, bob: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk(book, alice, bob)
    carol, dave = book.phone("103"), book.phone("104")
    ports = book.relay.open_ports
    monkeypatch.setattr(OutboundLeg, "dial", broken)
    (book >> carol.invite("104", OFFER) << carol.gets(500) >> carol.ack_refusal()).quiet()
    assert ([record.cause for record in book.records], book.relay.open_ports) == (["failed"], ports)
    assert dave.invited is None
    monkeypatch.setattr(SipLeg, "ask", broken)
    (
        book
        >> alice.ask("INFO", b"x", Content_Type="text/plain")
        << alice.gets("BYE")
        << bob.gets("BYE")
        >> alice.ok()
        >> bob.ok()
    ).quiet()
    assert ([record.cause for record in book.records], book.relay.open_ports) == (["failed"] * 2, 0)


def broken(*_: object) -> None:
    raise RuntimeError("a defect")


def test_listeners_that_fail_harm_no_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.exchange.on_change = broken
    book.exchange.on_record = broken
    talk(book, alice, bob)
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends()


def test_addresses_of_ipv6_legs(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (call,) = book.exchange._calls.values()
    call.caller.sip.flow = Flow("tcp", ("2001:db8::1", 5060), ("2001:db8::7", 5071), 3)
    leg = book.exchange.calls()[0].legs[0]
    assert (leg.side, leg.address, leg.transport) == ("caller", "[2001:db8::7]:5071", "tcp")
