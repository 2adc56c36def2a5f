"""appliance/call/extension_lamps.py: what a phone sees of another extension's calls.

RFC 4235 §3, RFC 3891 (whether what is shown names the call for a pick-up).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.call.exchange import Directory
from appliance.call.transfers import Replacing
from appliance.service.watching import Watching
from appliance.sip.message import Replaces
from appliance.sip.subscriptions import Notifier
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp, talk
from tests.call.watcher import Watcher


@pytest.fixture
def watching(book: Playbook) -> Watching:
    return watched(book)


def watched(book: Playbook) -> Watching:
    """Let the calls of an exchange be watched."""
    notifier = Notifier(book.endpoint, lambda each: book.verify(each.request))
    book.exchange.wire = replace(book.exchange.wire, notifier=notifier)
    directory = Directory(book.extensions.get, book, book)
    watching = Watching(notifier, book.exchange, directory, book.extensions.get)
    book.exchange.on_change = watching.call_changed
    return watching


@pytest.fixture
def carol(book: Playbook) -> Phone:
    return book.phone("103", "Carol")


def test_a_lamp_from_idle_to_idle(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "102")
    idle = lamp.looks()
    assert (idle.version, idle.entity, idle.dialogs) == (0, "sip:102@192.0.2.1", ())
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(180) << alice.gets(180)
    rings = lamp.waits()
    dialog = rings.only
    assert (rings.version, dialog.state, dialog.direction) == (1, "early", "recipient")
    assert (dialog.local, dialog.remote, dialog.remote_name) == (
        "sip:102@192.0.2.1",
        "sip:101@192.0.2.1",
        "Alice A.",
    )
    assert bob.invited is not None
    # As Bob's phone has it: its own tag is the local one.
    assert dialog.names == (bob.invited.call_id, bob.tag, bob.invited.from_.tag)
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    talks = lamp.waits()
    assert (talks.version, talks.only) == (2, replace(dialog, state="confirmed"))
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    over = lamp.waits()
    assert (over.version, over.only) == (3, replace(dialog, state="terminated"))
    # What is over is said once.
    book >> lamp.subscribe(0) << carol.gets(200)
    last = lamp.sees("Subscription-State: terminated;reason=timeout")
    assert (last.version, last.dialogs) == (4, ())
    assert watching.figures()["subscriptions"] == 0
    book.ends("normal")


def test_the_caller_s_own_lamp(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "101")
    lamp.looks()
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100) >> bob.says(100)
    dialog = lamp.waits().only
    assert (dialog.state, dialog.direction) == ("trying", "initiator")
    assert (dialog.local, dialog.remote) == ("sip:101@192.0.2.1", "sip:102@192.0.2.1")
    assert alice.invite_request is not None
    assert dialog.names is not None
    assert dialog.names[:2] == (alice.call_id, alice.tag)
    book >> bob.says(180) << alice.gets(180)
    assert lamp.waits().only == replace(dialog, state="early")
    book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    assert lamp.waits().states == ["terminated"]
    book >> lamp.subscribe(0) << carol.gets(200)
    lamp.sees()
    book.ends("busy")


def test_a_caller_that_talks(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "101")
    lamp.looks()
    talk(book, alice, bob)
    talks = lamp.waits().only
    assert (talks.state, talks.direction, talks.remote) == ("confirmed", "initiator", "sip:102@192.0.2.1")


def test_a_phone_that_has_not_rung_yet(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100) >> bob.says(100)
    trying = lamp.waits().only
    assert (trying.state, trying.names) == ("trying", None)
    book >> bob.says(180) << alice.gets(180)
    early = lamp.waits().only
    assert (early.state, early.id) == ("early", trying.id)
    assert early.names is not None
    book >> alice.cancel() << alice.gets(200) << alice.gets(487) << bob.gets("CANCEL") >> alice.ack_refusal()
    book >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    assert lamp.waits().states == ["terminated"]
    book >> lamp.subscribe(0) << carol.gets(200)
    lamp.sees()
    book.ends("cancelled")


def test_each_call_and_each_phone_is_shown(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    desk, dora = book.phone("102"), book.phone("104", "Dora")
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << desk.gets("INVITE") << alice.gets(100)
    book >> bob.says(180) << alice.gets(180) >> desk.says(180)
    first = lamp.waits()
    assert first.states == ["early", "early"]
    assert len({dialog.names for dialog in first.dialogs}) == 2
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << desk.gets("CANCEL") << alice.gets(200) >> alice.ack()
    book >> desk.ok() >> desk.says(487) << desk.gets("ACK")
    answered = lamp.waits()
    assert sorted(answered.states) == ["confirmed", "terminated"]
    # A second call comes in.
    book >> dora.invite("102", OFFER) << bob.gets("INVITE") << desk.gets("INVITE") << dora.gets(100)
    book >> bob.says(100) >> desk.says(180) << dora.gets(180)
    second = lamp.waits()
    assert sorted(second.states) == ["confirmed", "early", "trying"]
    assert {dialog.remote_name for dialog in second.dialogs} == {"Alice A.", "Dora"}


def test_many_changes_make_one_notify_a_second_and_the_last_is_told(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    book.waits(5)
    told: list[float] = []
    for _ in range(4):
        book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
        book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
        book.waits(0.3)
        while book.wiretap.sent:
            told.append(book.timers.time)
            seen = lamp.sees()
    # Each was over before anybody looked.
    assert told == []
    # This one changes three times within a second.
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book.waits(0.15)
    assert lamp.sees().states == ["trying"]
    book >> bob.says(180) << alice.gets(180)
    book.waits(0.3).quiet()
    book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.waits(0.3).quiet()
    book.waits(0.5)
    seen = lamp.sees()
    assert (seen.version, seen.states) == (2, ["terminated"])
    book.waits(100).quiet()


def test_what_changes_nothing_is_not_told(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    talk(book, alice, bob)
    assert lamp.waits().states == ["confirmed"]
    book >> alice.again(sdp("10.1.1.7", 4444)) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    book.waits(5).quiet()


@pytest.mark.parametrize("number", ["101", "102"])
def test_who_holds_and_who_is_held(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone, number: str
) -> None:
    """RFC 4235 §4.1.6: at whose end the other one is not heard, by `+sip.rendering`. 101 is who holds."""
    lamp = Watcher(book, carol, number)
    lamp.looks()
    talk(book, alice, bob)
    assert lamp.waits().only.renders == (True, True)
    for said, heard in (("a=sendonly", False), ("a=sendrecv", True), ("a=inactive", False)):
        book >> alice.again(sdp("10.1.1.1", 4000, said)) << bob.gets("INVITE") << alice.gets(100)
        book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
        dialog = lamp.waits().only
        assert dialog.state == "confirmed"
        assert dialog.renders == ((heard, True) if number == "101" else (True, heard))


def test_a_second_watcher_changes_nothing_for_the_first(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    dora = book.phone("104", "Dora")
    lamp, other = Watcher(book, carol, "102"), Watcher(book, dora, "102")
    lamp.looks()
    talk(book, alice, bob)
    # In the moment before anybody has looked.
    assert "confirmed" in other.begin()
    assert lamp.waits().states == ["confirmed"]
    assert other.waits().states == ["confirmed"]
    # One that comes when nobody has watched for a while.
    for watcher, phone in ((lamp, carol), (other, dora)):
        book >> watcher.subscribe(0) << phone.gets(200)
        watcher.sees()
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    book.waits(5).quiet()
    third = Watcher(book, carol, "102")
    assert third.looks().dialogs == ()
    talk(book, alice, bob)
    assert third.waits().states == ["confirmed"]
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    assert third.waits().states == ["terminated"]


def test_what_is_shown_names_the_call_for_a_pick_up(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    picked: list[tuple[str, str]] = []

    def replacer(call: object, leg: object, replacing: Replacing) -> bool:
        picked.append((getattr(leg, "number", ""), replacing.dialled.from_number))
        return False

    book.exchange.serve_transfers(lambda *_: False, replacer)
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(180) << alice.gets(180)
    dialog = lamp.waits().only
    found = book.exchange.transfers.find(Replaces.parse(dialog.replaces))
    assert found[1].number == "102"
    dora = book.phone("104")
    book >> dora.invite("102", OFFER, Replaces=dialog.replaces) << dora.gets(603)
    assert picked == [("102", "104")]


def test_hidden_callers_stay_hidden(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    (call,) = book.exchange.calls_of("102")
    call.dialled = type(call.dialled)("", "Somebody", "102", 70, None, ())
    dialog = lamp.waits().only
    assert (dialog.remote, dialog.remote_name) == ("sip:anonymous@anonymous.invalid", None)


def test_a_number_that_fails_over_shows_who_is_rung_now(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """The numbers that a call occupies change without any phone having said anything."""
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100) >> bob.says(100)
    assert lamp.waits().states == ["trying"]
    (call,) = book.exchange.calls_of("102")
    call.calling.trying.end(call)
    assert lamp.waits().states == ["terminated"]


def test_a_phone_that_does_not_know_its_subscription_loses_it(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    talk(book, alice, bob)
    book.waits(0.2)
    lamp.hears(answer=481)
    assert watching.figures()["subscriptions"] == 0
    book >> lamp.subscribe() << carol.gets(481)


def test_a_phone_that_has_vanished_takes_its_subscription_along(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    talk(book, alice, bob)
    book.waits(0.2) << carol.gets("NOTIFY")
    book.waits(33)
    book.wiretap.sent.clear()
    assert watching.figures()["subscriptions"] == 0
    lamp = Watcher(book, carol, "102")
    lamp.looks()
    # Or at the end of its time.
    book.waits(600) << carol.gets("NOTIFY", "terminated;reason=timeout")
    book.waits(33)
    assert watching.figures()["subscriptions"] == 0


def test_whoever_is_rung_to_call_somebody(
    book: Playbook, watching: Watching, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """A click to dial shows at once, without names: nobody is to take it over while the other one is not called."""
    lamp = Watcher(book, carol, "101")
    lamp.looks()
    book.exchange.dial("101", "102")
    book << alice.gets("INVITE") >> alice.says(100)
    rung = lamp.waits().only
    assert (rung.state, rung.direction, rung.names) == ("trying", "recipient", None)
    assert (rung.local, rung.remote, rung.remote_name) == (
        "sip:101@192.0.2.1", "sip:102@192.0.2.1", "Bob",
    )  # fmt: skip
    book >> alice.says(180)
    rings = lamp.waits().only
    assert (rings.id, rings.state, rings.names) == (rung.id, "early", None)
    book >> alice.says(486) << alice.gets("ACK")
    assert lamp.waits().only.state == "terminated"
    book >> lamp.subscribe(0) << carol.gets(200)
    lamp.sees("Subscription-State: terminated;reason=timeout")
    book.ends("busy")
