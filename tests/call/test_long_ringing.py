"""Callers who wait long, or not as long as we would: RFC 3261 §13.3.1, §13.3.1.1."""

from __future__ import annotations

import pytest

from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp


def rings(book: Playbook, alice: Phone, bob: Phone, **headers: str) -> None:
    (
        book
        >> alice.invite("102", OFFER, **headers)
        << bob.gets("INVITE", lacks=("\r\nExpires",))
        << alice.gets(100)
    )
    (book >> bob.says(180) << alice.gets(180)).quiet()


@pytest.fixture
def patient(book: Playbook) -> Phone:
    return book.phone("104", ring_seconds=300)


def test_the_caller_hears_every_minute_that_it_rings_still(
    book: Playbook, alice: Phone, patient: Phone
) -> None:
    book >> alice.invite("104", OFFER) << patient.gets("INVITE") << alice.gets(100)
    book >> patient.says(180) << alice.gets(180)
    for _ in range(3):
        book.waits(59).quiet().waits(1) << alice.gets(180, "Contact")
    # What it says anew is what is repeated, sound and all.
    book >> patient.says(183, ANSWER) << alice.gets(183, "192.0.2.1")
    book.waits(60) << alice.gets(183, "192.0.2.1")
    book >> patient.says(200, ANSWER) << patient.gets("ACK") << alice.gets(200) >> alice.ack()
    book.waits(120).quiet()
    book >> alice.bye() << alice.gets(200) << patient.gets("BYE") >> patient.ok()
    book.ends("normal")


def test_reliably_where_all_is_told_so(book: Playbook, alice: Phone, patient: Phone) -> None:
    early = sdp("10.2.2.2", 5000)
    book >> alice.invite("104", OFFER, Require="100rel") << patient.gets("INVITE") << alice.gets(100)
    (
        book
        >> patient.says(183, early)
        << alice.gets(183, "RSeq", "192.0.2.1")
        >> alice.prack()
        << alice.gets(200)
    )
    # The caller has the description for certain: another would make another dialog.
    book.waits(60) << alice.gets(183, "RSeq", lacks=("192.0.2.1 ",)) >> alice.prack() << alice.gets(200)
    book >> alice.cancel() << alice.gets(200) << alice.gets(487) << patient.gets("CANCEL")
    book >> alice.ack_refusal() >> patient.ok() >> patient.says(487) << patient.gets("ACK")
    book.ends("cancelled")


def test_what_was_agreed_on_meanwhile_stands(book: Playbook, alice: Phone, patient: Phone) -> None:
    early, other = sdp("10.2.2.2", 5000), sdp("10.2.2.9", 5000)
    book >> alice.invite("104", OFFER, Supported="100rel") << patient.gets("INVITE") << alice.gets(100)
    book >> patient.says_reliably(183, 9, early) << patient.gets("PRACK") << alice.gets(183, "RSeq")
    book >> patient.ok() >> alice.prack() << alice.gets(200)
    book >> patient.ask("UPDATE", other) << alice.gets("UPDATE") >> alice.ok(200, OFFER) << patient.gets(200)
    tag = alice.remote
    book.waits(60) << alice.gets(183, lacks=("Content-Type",))
    assert alice.remote == tag
    book >> alice.cancel() << alice.gets(200) << alice.gets(487) << patient.gets("CANCEL")
    book >> alice.ack_refusal() >> patient.ok() >> patient.says(487) << patient.gets("ACK")
    book.ends("cancelled")


@pytest.mark.parametrize("expires", ["0", "20"])
def test_an_invitation_that_expires(book: Playbook, alice: Phone, bob: Phone, expires: str) -> None:
    rings(book, alice, bob, Expires=expires)
    book.waits(float(expires)) << alice.gets(487) << bob.gets("CANCEL") >> alice.ack_refusal()
    (book >> bob.ok() >> bob.says(487) << bob.gets("ACK")).ends("cancelled")


def test_an_invitation_that_is_accepted_before_it_expires(book: Playbook, alice: Phone, bob: Phone) -> None:
    rings(book, alice, bob, Expires="20")
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    book.waits(30).quiet()
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    book.ends("normal")


def test_a_time_that_cannot_be_read_is_none(book: Playbook, alice: Phone, bob: Phone) -> None:
    rings(book, alice, bob, Expires="soon")
    book >> alice.cancel() << alice.gets(200) << alice.gets(487) << bob.gets("CANCEL")
    book >> alice.ack_refusal() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    book.ends("cancelled")
