"""Legs at their edges: early dialogs, answers nobody can read, peers that vanish, ends that cross.

RFC 3261 §12.2, §14, §15; RFC 3311 §5; RFC 5407.
"""

from __future__ import annotations

from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, talk


def test_caller_ends_an_early_dialog_by_bye(book: Playbook, alice: Phone, bob: Phone) -> None:
    """§15 allows it, though a CANCEL is what everybody sends."""
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> alice.bye()
        << alice.gets(200)
        << alice.gets(487)
        << bob.gets("CANCEL")
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).quiet()
    assert [record.cause for record in book.records] == ["cancelled"]


def test_callee_ends_an_early_dialog_by_bye(book: Playbook, alice: Phone, bob: Phone) -> None:
    """§15 forbids it; the INVITE must not stay open for that."""
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> bob.bye()
        << bob.gets(200)
        << alice.gets(487)
        << bob.gets("CANCEL")
        >> alice.ack_refusal()
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).ends("normal")


def test_update_in_an_early_dialog(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(183, ANSWER)
        << alice.gets(183)
        >> bob.ask("UPDATE")  # without an offer: a new Contact, say, which is nobody else's business
        << bob.gets(200, "Contact: ", lacks=("Session-Expires",))
        >> bob.ask("INFO", b"x", Content_Type="text/plain")
        << alice.gets("INFO")
        >> alice.ok()
        << bob.gets(200)
        >> alice.ask("UPDATE", OFFER)
        << alice.gets(500, "Retry-After")  # RFC 3311 §5.1: the INVITE's own offer has no answer yet
        >> bob.says(486)
        << bob.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")


def test_nobody_to_pass_it_to(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> alice.ask("INFO", b"x", Content_Type="text/plain")
        << alice.gets(480)
        >> alice.ask("UPDATE")
        << alice.gets(200)
        >> bob.ask("INFO", b"x", Content_Type="text/plain")
        << bob.gets(480)
    ).quiet()


def test_offers_that_cannot_be_read(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> alice.again(b"rubbish")
        << alice.gets(400)
        >> alice.ack_refusal()
        >> alice.ask("UPDATE", b"rubbish")
        << alice.gets(400)
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_an_answer_that_cannot_be_read_ends_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    """The phone that gave it has changed its session already: there is no way back."""
    talk(book, alice, bob)
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, b"rubbish")
        << bob.gets("ACK")
        << alice.gets(488)
        << alice.gets("BYE")
        << bob.gets("BYE")
        >> alice.ack_refusal()
        >> alice.ok()
        >> bob.ok()
    ).ends("media")


def test_reinvite_to_a_peer_that_forgot_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    """§12.2.1.2: 481 ends the dialog."""
    talk(book, alice, bob)
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(481)
        << bob.gets("ACK")
        << alice.gets(481)
        << bob.gets("BYE")
        << alice.gets("BYE")
        >> alice.ack_refusal()
        >> bob.ok(481)
        >> alice.ok()
    ).ends("lost")


def test_info_without_answer_ends_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> alice.ask("INFO", b"x", Content_Type="text/plain") << bob.gets("INFO")
    book.waits(31.9)
    book.wiretap.sent.clear()
    # RFC 4320 §4.2: no 408 goes back to the one who asked.
    (book.waits(0.1) << bob.gets("BYE") << alice.gets("BYE") >> alice.ok() >> bob.ok()).ends("lost")


def test_hang_up_from_outside_in_the_middle_of_a_reinvite(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> alice.again(OFFER) << bob.gets("INVITE") << alice.gets(100)
    assert book.exchange.hang_up(book.exchange.calls()[0].id)
    (
        book
        << alice.gets(487)
        << alice.gets("BYE")
        << bob.gets("BYE")
        >> alice.ack_refusal()
        >> alice.ok()
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")  # §13.2.2.4: every 2xx
        >> bob.ok()
    ).ends("administrator")


def test_repeated_2xx_of_a_reinvite(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK", "CSeq: 2 ACK")
        << alice.gets(200)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK", "CSeq: 2 ACK")
        >> alice.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_bye_before_the_answer_to_a_late_offer(book: Playbook, alice: Phone, bob: Phone) -> None:
    """The callee's 2xx has an offer; its ACK, which waits for the caller's answer, is still owed to it."""
    (
        book
        >> alice.invite("102")
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << alice.gets(200)
        >> bob.bye()
        << bob.gets(200)
        << bob.gets("ACK")
        >> alice.ack(OFFER)
        << alice.gets("BYE")
        >> alice.ok()
    ).ends("normal")


def test_in_dialog_requests_after_the_end(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ask("INFO", b"x", Content_Type="text/plain")
        << bob.gets(481)
        >> bob.ok()
    ).ends("normal")


def test_caller_that_cannot_be_reached_any_more(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book.wiretap.dead.add(alice.address)
    book >> bob.says(180)
    book.waits(0)
    (book << bob.gets("CANCEL") >> bob.ok() >> bob.says(487) << bob.gets("ACK")).ends("lost")


def test_reinvite_of_a_caller_that_cannot_be_reached_any_more(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    talk(book, alice, bob)
    book.wiretap.dead.add(alice.address)
    book >> alice.again(OFFER) << bob.gets("INVITE")
    book.waits(0)
    (
        book >> bob.says(100) << bob.gets("CANCEL") >> bob.ok() >> bob.says(200, ANSWER) << bob.gets("ACK")
    ).quiet()
    assert len(book.exchange) == 1
    (book >> bob.bye() << bob.gets(200)).ends("normal")


def test_reinvite_that_gets_a_100_and_no_more(book: Playbook, alice: Phone, bob: Phone) -> None:
    """§16.6 step 11: three minutes, then a CANCEL; §9.1: and when that brings nothing, it is over."""
    talk(book, alice, bob)
    book >> alice.again(OFFER) << bob.gets("INVITE") << alice.gets(100) >> bob.says(100)
    (book.waits(180) << bob.gets("CANCEL") >> bob.ok()).quiet()
    assert len(book.exchange) == 1
    (
        book.waits(32)
        << alice.gets(408)
        << bob.gets("BYE")
        << alice.gets("BYE")
        >> alice.ack_refusal()
        >> bob.ok()
        >> alice.ok()
    ).ends("lost")


def test_call_ends_while_a_reinvite_has_a_100_and_no_more(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> bob.again(ANSWER)
        << alice.gets("INVITE")
        << bob.gets(100)
        >> alice.says(100)
        >> bob.bye()
        << bob.gets(200)
        << bob.gets(487)
        << alice.gets("CANCEL")
        << alice.gets("BYE")
        >> bob.ack_refusal()
        >> alice.ok()
    ).ends("normal")


def test_phone_lost_while_its_reinvite_is_open(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    (
        book
        >> bob.again(ANSWER)
        << alice.gets("INVITE")
        << bob.gets(100)
        >> alice.ask("INFO", b"x", Content_Type="text/plain")
        << bob.gets("INFO")
        >> bob.ok(481)
        << alice.gets(481)
        << bob.gets(487)
        << bob.gets("BYE")
        << alice.gets("BYE")
        >> bob.ack_refusal()
        >> bob.ok()
        >> alice.ok()
        >> alice.says(487)
        << alice.gets("ACK")
    ).ends("lost")


def test_ringing_phone_that_knows_nothing_of_its_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(183, ANSWER)
        << alice.gets(183)
        >> alice.ask("INFO", b"x", Content_Type="text/plain")
        << bob.gets("INFO")
        >> bob.ok(481)
        << alice.gets(481)
        << bob.gets("CANCEL")
        << alice.gets(408)
        >> alice.ack_refusal()
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).ends("lost")
