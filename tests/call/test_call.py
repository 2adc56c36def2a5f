"""Calls as ladders: the flows of RFC 3665 §3 that a PBX has.

Not tested here: trunks (3665-3.2 to 3.4), loss of datagrams (tests/simulation), real sound (tests/interop).
"""

from __future__ import annotations

from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, talk


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
