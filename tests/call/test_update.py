"""UPDATE between two phones: RFC 3311 §5, RFC 6141 §5 for what it meets, RFC 6337 §2.1 for where offers may stand."""

from __future__ import annotations

import pytest

from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp, talk

NO_UPDATE = "INVITE, ACK, BYE, CANCEL, PRACK"
HELD = sdp("10.1.1.1", 4000, "a=sendonly")
HEARS = sdp("10.2.2.2", 5000, "a=recvonly")


def end(book: Playbook, alice: Phone, bob: Phone) -> None:
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")


def early(book: Playbook, alice: Phone, bob: Phone, *, allow: str = "INVITE, UPDATE") -> None:
    """Offer and answer have passed, in a reliable 183 on each leg."""
    book >> alice.invite("102", OFFER, Supported="100rel", Allow=allow) << bob.gets("INVITE")
    book << alice.gets(100) >> bob.says_reliably(183, 1, ANSWER, Allow=allow)
    book << bob.gets("PRACK") << alice.gets(183) >> bob.ok() >> alice.prack() << alice.gets(200)
    book.quiet()


def answered(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> bob.says(200) << bob.gets("ACK") << alice.gets(200, lacks=("Content-Type",)) >> alice.ack()
    book.quiet()


def test_early_update_either_way(book: Playbook, alice: Phone, bob: Phone) -> None:
    early(book, alice, bob)
    (
        book
        >> alice.ask("UPDATE", HELD)
        << bob.gets("UPDATE", "a=sendonly", lacks=("Session-Expires", "10.1.1.1"))
    )
    (
        book
        >> bob.ok(200, HEARS)
        << alice.gets(200, "a=recvonly", "Contact", lacks=("Session-Expires", "10.2.2.2"))
    )
    book >> bob.ask("UPDATE", ANSWER) << alice.gets("UPDATE", "192.0.2.1") >> alice.ok(200, OFFER)
    book << bob.gets(200, "192.0.2.1")
    answered(book, alice, bob)
    end(book, alice, bob)


def test_early_glare(book: Playbook, alice: Phone, bob: Phone) -> None:
    early(book, alice, bob)
    book >> alice.ask("UPDATE", HELD) << bob.gets("UPDATE")
    theirs = bob.asked
    # RFC 3311 §5.2: one that meets ours gets 491 ...
    book >> bob.ask("UPDATE", ANSWER) << bob.gets(491)
    # ... and a second one before the answer to the first 500, with or without an offer.
    book >> alice.ask("UPDATE", OFFER) << alice.gets(500, "Retry-After: ")
    book >> alice.ask("UPDATE") << alice.gets(500, "Retry-After: ")
    bob.asked = theirs
    book >> bob.ok(491) << alice.gets(491)
    # All is as before; whoever waited less begins anew.
    book >> bob.ask("UPDATE", ANSWER) << alice.gets("UPDATE") >> alice.ok(200, OFFER) << bob.gets(200)
    answered(book, alice, bob)
    end(book, alice, bob)


def test_answered_before_the_early_update_is(book: Playbook, alice: Phone, bob: Phone) -> None:
    early(book, alice, bob)
    book >> alice.ask("UPDATE", HELD) << bob.gets("UPDATE")
    (book >> bob.says(200) << bob.gets("ACK")).quiet()  # the caller's UPDATE comes first
    book >> bob.ok(200, HEARS) << alice.gets(200, "CSeq: 3 UPDATE") << alice.gets(200, "CSeq: 1 INVITE")
    book >> alice.ack()
    assert book.exchange.calls()[0].state == "held"
    end(book, alice, bob)


def test_a_phone_may_change_its_mind_before_the_caller_has_an_answer(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says_reliably(183, 1, ANSWER) << bob.gets("PRACK") << alice.gets(183) >> bob.ok()
    moved = sdp("10.2.2.2", 5002, "a=ptime:30")
    # The caller cannot be asked: its own offer is open. It stands, and the phone hears so at once.
    book >> bob.ask("UPDATE", moved) << bob.gets(200, "192.0.2.1")
    book >> bob.ask("UPDATE", b"rubbish") << bob.gets(400)
    book >> bob.says(200) << bob.gets("ACK") << alice.gets(200, "a=ptime:30") >> alice.ack()
    end(book, alice, bob)


def test_early_update_to_a_phone_that_takes_none(book: Playbook, alice: Phone, bob: Phone) -> None:
    early(book, alice, bob, allow=NO_UPDATE)
    book >> alice.ask("UPDATE", HELD, Allow="UPDATE") << alice.gets(488)
    book >> bob.ask("UPDATE", HEARS) << alice.gets("UPDATE") >> alice.ok(200, HELD) << bob.gets(200)
    answered(book, alice, bob)
    end(book, alice, bob)


@pytest.mark.parametrize("body", [HELD, b""])
def test_a_phone_that_takes_no_update_gets_a_reinvite(
    book: Playbook, alice: Phone, bob: Phone, body: bytes
) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(200, ANSWER, Allow=NO_UPDATE) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    book >> alice.ask("UPDATE", body)
    if body:
        book << bob.gets("INVITE", "a=sendonly") >> bob.says(200, HEARS) << bob.gets("ACK")
        book << alice.gets(200, "a=recvonly", "UPDATE")
    else:
        book << alice.gets(200)  # nothing that would be bob's business
    end(book, alice, bob)


def test_a_reinvite_for_an_update_meets_another(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(200, ANSWER, Allow=NO_UPDATE) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    book >> bob.again() << alice.gets("INVITE") << bob.gets(100)
    book >> alice.ask("UPDATE", HELD) << alice.gets(491)
    book >> alice.says(200, OFFER) << bob.gets(200) >> bob.ack(ANSWER) << alice.gets("ACK")
    end(book, alice, bob)


@pytest.mark.parametrize("status", [405, 501])
def test_an_update_refused_as_a_method_comes_as_a_reinvite(
    book: Playbook, alice: Phone, bob: Phone, status: int
) -> None:
    talk(book, alice, bob)
    book >> alice.ask("UPDATE", HELD) << bob.gets("UPDATE") >> bob.ok(status)
    book << bob.gets("INVITE", "a=sendonly") >> bob.says(200, HEARS) << bob.gets("ACK")
    book << alice.gets(200, "a=recvonly")
    end(book, alice, bob)


def test_an_early_update_refused_as_a_method(book: Playbook, alice: Phone, bob: Phone) -> None:
    early(book, alice, bob)
    book >> alice.ask("UPDATE", HELD) << bob.gets("UPDATE") >> bob.ok(405) << alice.gets(488)
    book >> alice.ask("UPDATE", b"x", Content_Type="text/plain") << alice.gets(200)
    answered(book, alice, bob)
    end(book, alice, bob)


def test_update_during_a_reinvite(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> alice.again(HELD) << bob.gets("INVITE") << alice.gets(100)
    # RFC 6141: the offer of the re-INVITE is open on both legs; a refresh is not an offer.
    book >> alice.ask("UPDATE", OFFER) << alice.gets(500, "Retry-After: ")
    book >> bob.ask("UPDATE", ANSWER) << bob.gets(491)
    book >> bob.ask("UPDATE") << bob.gets(200)
    book >> bob.says(200, HEARS) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    end(book, alice, bob)


def test_update_during_a_reinvite_without_an_offer(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> alice.again() << bob.gets("INVITE") << alice.gets(100) >> bob.says(200, ANSWER) << alice.gets(200)
    # Bob's offer waits for the answer in Alice's ACK.
    book >> alice.ask("UPDATE", OFFER) << alice.gets(491) >> bob.ask("UPDATE", ANSWER) << bob.gets(500)
    book >> alice.ack(OFFER) << bob.gets("ACK", "192.0.2.1")
    end(book, alice, bob)


def test_updates_that_cross_within_the_exchange(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> alice.ask("UPDATE", b"1", Content_Type="text/plain") << bob.gets("UPDATE")
    first = bob.asked
    book >> alice.ask("UPDATE", b"2", Content_Type="text/plain") << alice.gets(500)
    bob.asked = first
    book >> bob.ok() << alice.gets(200)
    end(book, alice, bob)
