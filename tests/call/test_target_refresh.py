"""A phone that says in the middle of a call where it wants its requests from now on: RFC 3261 §12.2, RFC 6141 §4."""

from __future__ import annotations

import pytest

from appliance.sip.message import Request
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, Sends, sdp, talk

MOVED = "sip:101@203.0.113.9:5099"


def moves(step: Sends) -> Sends:
    step.message.headers.set("Contact", f"<{MOVED}>")
    return step


def is_found_at(phone: Phone, uri: str) -> None:
    assert isinstance(phone.last, Request)
    assert phone.last.uri == uri


def test_a_reinvite_that_is_accepted_moves_the_phone(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> moves(alice.again(sdp("10.1.1.9", 4000))) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    book >> bob.bye() << bob.gets(200) << alice.gets("BYE")
    is_found_at(alice, MOVED)
    book >> alice.ok()
    book.ends("normal")


def test_a_reinvite_that_is_refused_leaves_it_where_it_was(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> moves(alice.again(sdp("10.1.1.9", 4000))) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(488) << bob.gets("ACK") << alice.gets(488) >> alice.ack_refusal()
    book >> bob.bye() << bob.gets(200) << alice.gets("BYE")
    is_found_at(alice, "sip:101@198.51.100.7:5060")
    book >> alice.ok()
    book.ends("normal")


@pytest.mark.parametrize(("status", "uri"), [(200, MOVED), (488, "sip:101@198.51.100.7:5060")])
def test_an_update_with_an_offer(book: Playbook, alice: Phone, bob: Phone, status: int, uri: str) -> None:
    talk(book, alice, bob)
    book >> moves(alice.ask("UPDATE", OFFER)) << bob.gets("UPDATE")
    book >> bob.ok(status, ANSWER if status < 300 else b"") << alice.gets(status)
    book >> bob.bye() << bob.gets(200) << alice.gets("BYE")
    is_found_at(alice, uri)
    book >> alice.ok()
    book.ends("normal")


def test_an_update_that_says_nothing_else(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    book >> moves(alice.ask("UPDATE")) << alice.gets(200)
    book >> bob.bye() << bob.gets(200) << alice.gets("BYE")
    is_found_at(alice, MOVED)
    book >> alice.ok()
    book.ends("normal")


def test_a_contact_that_cannot_be_read(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    step = alice.again(OFFER)
    step.message.headers.set("Contact", "<nobody")
    book >> step << alice.gets(400) >> alice.ack_refusal()
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    book.ends("normal")
