"""Flows of RFC 5359 that an exchange may do without: what it says then, and what a phone can do by itself all the same."""

from __future__ import annotations

from appliance.call.exchange import Directory
from appliance.call.texts import Texts
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, talk
from tests.call.test_extension_lamps import watched
from tests.call.test_texts import message
from tests.call.test_transfers import Desk, hang_up
from tests.call.watcher import Watcher


def test_5359_2_6_a_text_is_no_transfer(book: Playbook, alice: Phone, bob: Phone) -> None:
    """RFC 3515 §2.4.2: 501 to a REFER that would have somebody else write; the talk goes on, and texts arrive beside it."""
    Desk(book)
    Texts(book.exchange, Directory(book.extensions.get, book, book))
    talk(book, alice, bob)
    book >> alice.ask("REFER", Refer_To="<sip:103@192.0.2.1;method=MESSAGE>") << alice.gets(501)
    writing = Phone("101", alice.address, book.random)
    book >> message(writing, "102") << bob.gets("MESSAGE") >> bob.ok() << writing.gets(200)
    hang_up(book, alice, bob)
    book.ends("normal")


def test_5359_2_11_nobody_joins_a_talk(book: Playbook, alice: Phone, bob: Phone) -> None:
    """RFC 3911 §4: 420 to whoever insists; who does not makes a call like any other."""
    carol = book.phone("103")
    talk(book, alice, bob)
    join = {"Join": f"{alice.call_id};to-tag=x;from-tag={alice.tag}"}
    book >> carol.invite("102", OFFER, Require="join", **join)
    book << carol.gets(420, "Unsupported: join") >> carol.ack_refusal()
    again, rung = (Phone(each.number, each.address, book.random) for each in (carol, bob))
    book >> again.invite("102", OFFER, **join) << rung.gets("INVITE", lacks=("Join:",)) << again.gets(100)
    book >> rung.says(486) << rung.gets("ACK") << again.gets(486) >> again.ack_refusal()
    hang_up(book, alice, bob)
    book.ends("busy", "normal")


def test_5359_2_17_a_phone_calls_again_when_it_sees_that_one_is_free(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    """It watches whom it could not reach (RFC 4235); when it has stopped that, it is told of nothing any more."""
    watched(book)
    carol = book.phone("103")
    talk(book, carol, bob)
    book >> alice.invite("102", OFFER)
    line = Phone("102", bob.address, book.random)
    book << line.gets("INVITE") << alice.gets(100) >> line.says(486) << line.gets("ACK")
    book << alice.gets(486) >> alice.ack_refusal()
    lamp = Watcher(book, Phone("101", alice.address, book.random), "102")
    assert lamp.looks().states == ["confirmed"]
    book >> carol.bye() << carol.gets(200) << bob.gets("BYE") >> bob.ok()
    assert lamp.waits().states == ["terminated"]
    book >> lamp.subscribe(0) << lamp.phone.gets(200)
    lamp.sees("Subscription-State: terminated;reason=timeout")
    again, rung = (Phone(each.number, each.address, book.random) for each in (alice, bob))
    book >> again.invite("102", OFFER) << rung.gets("INVITE") << again.gets(100)
    book >> rung.says(200, ANSWER) << rung.gets("ACK") << again.gets(200) >> again.ack()
    book >> again.bye() << again.gets(200) << rung.gets("BYE") >> rung.ok()
    book.waits(60).ends("busy", "normal", "normal")
