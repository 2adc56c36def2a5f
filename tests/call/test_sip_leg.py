"""Within a call: hold, other media, keys and texts, lost messages and crossing ones.

RFC 3261 §13, §14, §15; RFC 3311; RFC 6086; RFC 5407 for the races.
"""

from __future__ import annotations

from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp, talk


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


def test_an_ack_that_is_lost_and_overtaken_by_a_reinvite_comes_again(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    """§13.2.2.4: each 2xx has its ACK, also when another INVITE is open by then. Else the callee would give up."""
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")  # or so the exchange believes
        << alice.gets(200)
        >> alice.ack()
    ).quiet()
    invite = bob.invited
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER, to=invite)
        << bob.gets("ACK", "CSeq: 1 ACK")
        >> bob.says(491)  # RFC 5407 §3.1.5
        << bob.gets("ACK", "CSeq: 2 ACK")
        << alice.gets(491)
        >> alice.ack_refusal()
        >> bob.says(200, ANSWER, to=invite)
        << bob.gets("ACK", "CSeq: 1 ACK")
    ).quiet()
    # The same of a re-INVITE's.
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK", "CSeq: 3 ACK")
        << alice.gets(200)
        >> alice.ack()
    ).quiet()
    invite = bob.invited
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER, to=invite)
        << bob.gets("ACK", "CSeq: 3 ACK")
        >> bob.says(200, ANSWER)
        << bob.gets("ACK", "CSeq: 4 ACK")
        << alice.gets(200)
        >> alice.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_an_old_ack_says_nothing_of_a_new_answer(book: Playbook, alice: Phone, bob: Phone) -> None:
    """§13.2.2.4: an ACK has the CSeq number of its INVITE. One that was doubled and delayed is taken for no other's."""
    talk(book, alice, bob)
    old = alice.ack()
    (
        book
        >> alice.again(OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)  # or so the exchange believes
        >> old
    ).quiet()
    (book.waits(0.5) << alice.gets(200) >> alice.ack()).waits(1.0).quiet()
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")


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
        >> alice.ask("PUBLISH", Event="presence")
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
