"""Calls as ladders: the flows of RFC 3665 §3 that a PBX has, and its own.

Not tested here: trunks (3665-3.2 to 3.4), loss of datagrams (tests/simulation), real sound (tests/interop).
"""

from __future__ import annotations

import msgspec
import pytest

from tests.call.playbook import Phone, Playbook, sdp

OFFER = sdp("10.1.1.1", 4000)
ANSWER = sdp("10.2.2.2", 5000)


@pytest.fixture
def book() -> Playbook:
    return Playbook()


@pytest.fixture
def alice(book: Playbook) -> Phone:
    return book.phone("101", "Alice A.")


@pytest.fixture
def bob(book: Playbook) -> Phone:
    return book.phone("102", "Bob", ring_seconds=30)


def talk(book: Playbook, alice: Phone, bob: Phone) -> None:
    """Bring two phones into a call."""
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.ack()
    ).quiet()


def test_3665_3_1_successful_session(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER, Authorization="none")
        << alice.gets(401, "WWW-Authenticate")
        >> alice.ack_refusal()
        >> alice.again(OFFER)
        << bob.gets("INVITE", 'From: "Alice A." <sip:101@192.0.2.1>;tag=', "c=IN IP4 192.0.2.1", "m=audio 30")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180, "Contact: <sip:102@192.0.2.1:5060>")
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200, "c=IN IP4 192.0.2.1", lacks=("10.2.2.2",))
        >> alice.ack()
    ).quiet()
    assert [call.state for call in book.exchange.calls()] == ["talking"]
    assert book.relay.open_ports == 4
    book.waits(65)
    (book >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("normal")
    record = book.records[0]
    assert (record.status, record.duration, record.answered_by, record.ended_by) == (
        200,
        65.0,
        "102",
        "callee",
    )
    assert (record.from_number, record.from_name, record.to_number) == ("101", "Alice A.", "102")


def test_3665_3_1_caller_hangs_up(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")
    assert book.records[0].ended_by == "caller"


def test_3665_3_5_private_address_behind_nat(book: Playbook, alice: Phone, bob: Phone) -> None:
    """Via and Contact name another address than the source: what goes back goes to the source."""
    invite = alice.invite("102", OFFER)
    invite.message.headers.set("Via", "SIP/2.0/UDP 10.1.1.1:5060;rport;branch=z9hG4bKnat")
    invite.message.headers.set("Contact", "<sip:101@10.1.1.1:5060>")
    (
        book
        >> invite
        << bob.gets("INVITE", lacks=("10.1.1.1",))
        << alice.gets(100, "received=198.51.100.7", "rport=5060")
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.ack()
        >> bob.bye()
        << bob.gets(200)
        << alice.gets("BYE", "BYE sip:101@10.1.1.1:5060")
        >> alice.ok()
    ).ends("normal")


def test_3665_3_6_sdp_in_ack(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102")
        << bob.gets("INVITE", lacks=("Content-Type",))
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << alice.gets(200, "c=IN IP4 192.0.2.1")
        >> alice.ack(OFFER)
        << bob.gets("ACK", "c=IN IP4 192.0.2.1", "m=audio 30", lacks=("10.1.1.1",))
        >> bob.says(200, ANSWER)
        << bob.gets("ACK", "c=IN IP4 192.0.2.1")
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_an_ack_without_the_answer_ends_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102")
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << alice.gets(200)
        >> alice.ack()
        << alice.gets("BYE", "Reason: Q.850;cause=88")
        << bob.gets("ACK")
        << bob.gets("BYE")
        >> alice.ok()
        >> bob.ok()
    ).ends("media")


def test_3665_3_6_a_phone_may_not_send_the_caller_elsewhere(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(302)
        << bob.gets("ACK")
        << alice.gets(480, lacks=("Contact: <sip:102@198",))
        >> alice.ack_refusal()
    ).ends("unavailable")


def test_3665_3_7_reinvite(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    moved = sdp("10.1.1.9", 4444)
    (
        book
        >> alice.again(moved, X_Tone="7")
        << bob.gets("INVITE", "X-Tone: 7", "c=IN IP4 192.0.2.1", lacks=("10.1.1.9",))
        << alice.gets(100)
        >> bob.says(200, sdp("10.2.2.2", 5002))
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.ack()
    ).quiet()
    assert book.exchange.calls()[0].state == "talking"
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")


def test_3665_3_7_refused_reinvite_leaves_the_session(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> bob.again(ANSWER)
        << alice.gets("INVITE")
        << bob.gets(100)
        >> alice.says(488, Warning='304 - "no codec"')
        << alice.gets("ACK")
        << bob.gets(488, 'Warning: 304 - "no codec"')
        >> bob.ack_refusal()
    ).quiet()
    assert book.exchange.calls()[0].state == "talking"
    (book >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("normal")


def test_5359_2_1_hold_and_resume(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> alice.again(sdp("10.1.1.1", 4000, "a=sendonly"))
        << bob.gets("INVITE", "a=sendonly")
        << alice.gets(100)
        >> bob.says(200, sdp("10.2.2.2", 5000, "a=recvonly"))
        << bob.gets("ACK")
        << alice.gets(200, "a=recvonly")
        >> alice.ack()
    ).quiet()
    assert book.exchange.calls()[0].state == "held"
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.ack()
    ).quiet()
    assert book.exchange.calls()[0].state == "talking"
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")


def test_reinvite_without_offer(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> bob.again()
        << alice.gets("INVITE", lacks=("Content-Type",))
        << bob.gets(100)
        >> alice.says(200, OFFER)
        << bob.gets(200, "192.0.2.1", lacks=("10.1.1.1",))
        >> bob.ack(ANSWER)
        << alice.gets("ACK", "192.0.2.1", lacks=("10.2.2.2",))
        >> bob.bye()
        << bob.gets(200)
        << alice.gets("BYE")
        >> alice.ok()
    ).ends("normal")


def test_x_09_reinvite_glare(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.again(ANSWER)
        << bob.gets(491)
        >> bob.ack_refusal()
        >> bob.says(491)
        << bob.gets("ACK")
        << alice.gets(491)
        >> alice.ack_refusal()
    ).quiet()
    # The later one to try again gets through.
    (
        book
        >> bob.again(ANSWER)
        << alice.gets("INVITE")
        << bob.gets(100)
        >> alice.says(200, OFFER)
        << alice.gets("ACK")
        << bob.gets(200)
        >> bob.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_a_second_reinvite_before_the_first_is_answered(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    first = alice.again(OFFER)
    book >> first << bob.gets("INVITE") << alice.gets(100)
    (book >> alice.again(OFFER) << alice.gets(500, "Retry-After") >> alice.ack_refusal()).quiet()
    (book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()).quiet()


def test_cancelled_reinvite(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(100)
        >> alice.cancel()
        << alice.gets(200)
        << bob.gets("CANCEL")
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
        << alice.gets(487)
        >> alice.ack_refusal()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_bye_while_a_reinvite_is_open(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    reinvite = alice.again(OFFER)
    (
        book
        >> reinvite
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.bye()
        << bob.gets(200)
        << alice.gets(487)
        << alice.gets("BYE")
        >> alice.ack_refusal()
        >> alice.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).ends("normal")


def test_3665_3_8_cancel(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> alice.cancel(Reason='SIP;cause=487;text="changed my mind"')
        << alice.gets(200)
        << alice.gets(487)
        << bob.gets("CANCEL", "changed my mind")
        >> alice.ack_refusal()
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).ends("cancelled")
    assert (book.records[0].status, book.records[0].ended_by) == (487, "caller")


def test_3665_3_8_late_200_crosses_the_cancel(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> alice.cancel()
        << alice.gets(200)
        << alice.gets(487)
        << bob.gets("CANCEL")
        >> alice.ack_refusal()
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << bob.gets("BYE")
        >> bob.ok()
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
    ).ends("cancelled")


def test_3665_3_9_busy(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(486)
        << bob.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")
    assert (book.records[0].status, book.records[0].ended_by) == (486, "callee")


def test_3665_3_10_silent_phone(book: Playbook, alice: Phone) -> None:
    bob = book.phone("102", ring_seconds=60)
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    for wait in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        book.waits(wait) << bob.gets("INVITE")
    (book.waits(0.5) << alice.gets(408) >> alice.ack_refusal()).ends("unreachable")


def test_3665_3_10_ring_time_is_shorter(book: Playbook, alice: Phone) -> None:
    bob = book.phone("102", ring_seconds=10)
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
    ).waits(10)
    (
        book
        << bob.gets("CANCEL", "Reason: Q.850;cause=19")
        << alice.gets(480, "Reason: Q.850;cause=19")
        >> alice.ack_refusal()
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).ends("no_answer")


def test_3665_3_11_temporarily_unavailable(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> bob.says(480)
        << bob.gets("ACK")
        << alice.gets(480)
        >> alice.ack_refusal()
    ).ends("unavailable")


def test_transport_failure_is_told_at_once(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.wiretap.dead.add(bob.address)
    (book >> alice.invite("102", OFFER) << alice.gets(100)).waits(0)
    (book << alice.gets(408) >> alice.ack_refusal()).ends("unreachable")


def test_x_01_two_phones_one_answers(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> second.says(180)  # the caller knows already
        >> second.says(200, ANSWER)
        << second.gets("ACK")
        << bob.gets("CANCEL", 'Reason: SIP;cause=200;text="Call completed elsewhere"')
        << alice.gets(200)
        >> alice.ack()
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).quiet()
    assert book.relay.open_ports == 4
    (book >> alice.bye() << alice.gets(200) << second.gets("BYE") >> second.ok()).ends("normal")


def test_x_01_both_answer_at_once(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> second.says(200, ANSWER)
        << second.gets("ACK")
        << second.gets("BYE")
        >> second.ok()
        >> alice.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_best_of_two_failures(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> bob.says(486)
        << bob.gets("ACK")
        >> second.says(500)
        << second.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")


def test_6xx_speaks_for_all(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> second.says(180)
        << alice.gets(180)
        >> bob.says(603)
        << bob.gets("ACK")
        << second.gets("CANCEL")
        << alice.gets(603)
        >> alice.ack_refusal()
        >> second.ok()
        >> second.says(487)
        << second.gets("ACK")
    ).ends("refused")


def test_x_02_cancel_before_anything(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> alice.cancel()
        << alice.gets(200)
        << alice.gets(487)
        >> alice.ack_refusal()
        >> bob.says(180)
        << bob.gets("CANCEL")
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).ends("cancelled")


def test_x_03_retransmitted_invite_is_one_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    invite = alice.invite("102", OFFER)
    book >> invite << bob.gets("INVITE") << alice.gets(100)
    for _ in range(4):
        book >> invite << alice.gets(100)
    (book >> bob.says(180) << alice.gets(180)).quiet()
    tag = alice.remote
    book >> invite << alice.gets(180)
    assert alice.remote == tag
    (book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()).ends("busy")


def test_x_04_lost_ack(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
    ).quiet()
    for wait in (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0):
        (book.waits(wait) << alice.gets(200)).quiet()
    (
        book.waits(0.5)
        << alice.gets("BYE")
        << bob.gets("BYE", "Reason: Q.850;cause=27")
        >> alice.ok()
        >> bob.ok()
    ).ends("lost")


def test_callee_hangs_up_before_the_ack(book: Playbook, alice: Phone, bob: Phone) -> None:
    """§15: no BYE to the caller before its ACK is there."""
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> bob.bye()
        << bob.gets(200)
    ).quiet()
    assert book.relay.open_ports == 0
    (book >> alice.ack() << alice.gets("BYE") >> alice.ok()).ends("normal")


def test_callee_hangs_up_and_the_ack_never_comes(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> bob.bye()
        << bob.gets(200)
    ).waits(31.9)
    book.wiretap.sent.clear()
    (book.waits(0.1) << alice.gets("BYE") >> alice.ok()).ends("normal")


def test_x_05_lost_bye_answer(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE")
    assert (len(book.exchange), book.relay.open_ports) == (0, 0)
    (book.waits(0.5) << bob.gets("BYE")).ends("normal")


def test_crossing_byes(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.bye() << bob.gets(200) >> bob.ok()
    ).ends("normal")


def test_early_media(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(183, ANSWER, P_Early_Media="sendrecv")
        << alice.gets(183, "c=IN IP4 192.0.2.1", "P-Early-Media: sendrecv")
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.ack()
        >> bob.bye()
        << bob.gets(200)
        << alice.gets("BYE")
        >> alice.ok()
    ).ends("normal")


def test_forked_behind_one_binding(book: Playbook, alice: Phone, bob: Phone) -> None:
    """Several early dialogs from one INVITE; the second 2xx is acknowledged and ended."""
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180, tag="one")
        << alice.gets(180)
        >> bob.says(183, ANSWER, tag="two")
        << alice.gets(183)
        >> bob.says(200, ANSWER, tag="two")
        << bob.gets("ACK", "tag=two")
        << alice.gets(200)
        >> bob.says(200, ANSWER, tag="one")
        << bob.gets("ACK", "tag=one")
        << bob.gets("BYE", "tag=one")
        >> bob.ok()
        >> alice.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE", "tag=two")
        >> bob.ok()
    ).ends("normal")


def test_info_and_message_pass(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> alice.ask("INFO", b"Signal=5\r\n", Content_Type="application/dtmf-relay")
        << bob.gets("INFO", "Signal=5", "application/dtmf-relay")
        >> bob.ok()
        << alice.gets(200)
        >> bob.ask("MESSAGE", b"hello", Content_Type="text/plain")
        << alice.gets("MESSAGE", "hello")
        >> alice.ok(415)
        << bob.gets(415)
        >> alice.ask("OPTIONS")
        << alice.gets(200, "Allow: INVITE, ACK")
        >> alice.ask("REFER", Refer_To="<sip:0190@example.org>")
        << alice.gets(405, "Allow")
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_info_before_the_answer_goes_to_the_phone_that_rings(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(183, ANSWER)
        << alice.gets(183)
        >> alice.ask("INFO", b"Signal=5", Content_Type="application/dtmf-relay")
        << bob.gets("INFO", "Signal=5")
        >> bob.ok()
        << alice.gets(200)
        >> bob.says(603)
        << bob.gets("ACK")
        << alice.gets(603)
    ).quiet()


def test_info_that_the_peer_does_not_know_ends_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    """§12.2.1.2: 481 within a dialog ends it."""
    talk(book, alice, bob)
    (
        book
        >> alice.ask("INFO", b"x", Content_Type="text/plain")
        << bob.gets("INFO")
        >> bob.ok(481)
        << alice.gets(481)
        << bob.gets("BYE")
        << alice.gets("BYE")
        >> bob.ok(481)
        >> alice.ok()
    ).ends("lost")


def test_update_with_offer(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> bob.ask("UPDATE", sdp("10.2.2.2", 5000, "a=sendonly"))
        << alice.gets("UPDATE", "a=sendonly", lacks=("10.2.2.2",))
        >> alice.ok(200, sdp("10.1.1.1", 4000, "a=recvonly"))
        << bob.gets(200, "a=recvonly", "Contact", lacks=("10.1.1.1",))
    ).quiet()
    assert book.exchange.calls()[0].state == "held"
    (
        book
        >> bob.ask("UPDATE", ANSWER)
        << alice.gets("UPDATE")
        >> alice.ask("UPDATE", OFFER)
        << alice.gets(491)
        >> alice.ok(504)
        << bob.gets(504)
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_dead_peer_on_reinvite_ends_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> alice.again(OFFER) << bob.gets("INVITE") << alice.gets(100)
    book.waits(31.9)
    book.wiretap.sent.clear()
    (book.waits(0.1) << alice.gets(408) << bob.gets("BYE") << alice.gets("BYE") >> alice.ok()).ends("lost")


def test_headers_that_pass_and_those_that_do_not(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite(
            "102", OFFER, X_Any="1", Subject="tea", User_Agent="Phone/1", Supported="100rel", Route="<sip:192.0.2.1;lr>",
            P_Asserted_Identity="<sip:1@x>", Record_Route="<sip:proxy.inside;lr>", Session_Expires="90",
        )
        << bob.gets(
            "INVITE", "X-Any: 1", "Subject: tea", "Max-Forwards: 69",
            lacks=("Phone/1", "100rel", "Route:", "Asserted", "198.51.100.7:5060;", "Session-Expires", alice.call_id),
        )
        << alice.gets(100)
        >> bob.says(486, Server="Other/2", X_Back="2")
        << bob.gets("ACK")
        << alice.gets(486, "X-Back: 2", lacks=("Other/2",))
        >> alice.ack_refusal()
    ).ends("busy")  # fmt: skip


def test_what_the_caller_may_not_see(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(401, WWW_Authenticate='Digest realm="phone"')
        << bob.gets("ACK")
        << alice.gets(403, lacks=("realm",))
        >> alice.ack_refusal()
    ).ends("forbidden")


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
    invite = alice.invite("102", OFFER, Require="100rel")
    (book >> invite << alice.gets(420, "Unsupported: 100rel") >> alice.ack_refusal()).ends()


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


def test_sdp_that_cannot_be_read(book: Playbook, alice: Phone, bob: Phone) -> None:
    (book >> alice.invite("102", b"rubbish") << alice.gets(400) >> alice.ack_refusal()).ends("bad_request")


def test_callee_answers_with_rubbish(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, b"rubbish")
        << bob.gets("ACK")
        << alice.gets(488)
        << bob.gets("BYE")
        >> alice.ack_refusal()
        >> bob.ok()
    ).ends("media")


def test_x_11_no_common_codec_passes(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(488, Warning='305 phone "Incompatible media format"')
        << bob.gets("ACK")
        << alice.gets(488, "Warning: 305")
        >> alice.ack_refusal()
    ).ends("media")


def test_body_that_is_no_session_passes(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", b"<x/>", Content_Type="application/xml")
        << bob.gets("INVITE", "Content-Type: application/xml", "<x/>")
        << alice.gets(100)
        >> bob.says(486)
        << bob.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")


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
