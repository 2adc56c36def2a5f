"""RFC 5359 §2.7 to §2.9, §2.11, §2.12, §2.14 and calls in a circle, with sipp phones: where a call goes, and where it does not."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.peers.sipp_office import SippOffice, SippPhone

pytestmark = pytest.mark.interop

OUTSIDE = "139"
"A number outside, behind the prefix of its route."


def forward(office: SippOffice, phone: SippPhone, **to: str) -> None:
    office.perform("forwarding", "set", phone.number, to)


def sent_on(office: SippOffice, alice: SippPhone, bob: SippPhone, carol: SippPhone, why: str) -> None:
    """By the one record: bob has sent alice's call on to carol, who took it."""
    (record,) = office.ends(alice, "normal")
    assert (record["to_number"], record["answered_by"]) == (bob.number, carol.number)
    assert steps(record) == [(bob.number, carol.number, why)]


def steps(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["by"], each["to"], each["why"]) for each in record["steps"]]


def hears_of_it(alice: SippPhone, bob: SippPhone, carol: SippPhone, *statuses: int) -> None:
    """Alice calls bob, is told that carol is called, and talks to her."""
    told = [f'purpose=forwarding, username="{bob.number}", contact="{carol.number}"']
    to_bob = alice.calls(bob.number).hears(*statuses, 181, contains=told).hears(180, 200)
    alice.waits()
    to_bob.hangs_up()


def takes_it(carol: SippPhone, *contains: str) -> None:
    carol.is_called(*contains).rings().answers().takes("BYE")


def talk(office: SippOffice, alice: SippPhone, carol: SippPhone, *others: SippPhone) -> None:
    with office.playing(carol, *others, alice):
        office.hear_each_other(alice, carol)
        alice.go_on()


def test_5359_2_7_all_calls(office: SippOffice) -> None:
    alice, bob, carol = office.phones(3)
    forward(office, bob, always=carol.number)
    hears_of_it(alice, bob, carol)
    takes_it(carol, f"Diversion: <sip:{bob.number}@", ";cause=302>;index=1.1;mp=1")
    talk(office, alice, carol)
    sent_on(office, alice, bob, carol, "unconditional")


def test_5359_2_8_busy(office: SippOffice) -> None:
    """Alice never sees that bob is busy."""
    alice, bob, carol = office.phones(3)
    forward(office, bob, busy=carol.number)
    hears_of_it(alice, bob, carol)
    bob.is_called().refuses(486)
    takes_it(carol, f"Diversion: <sip:{bob.number}@", ";reason=user-busy")
    talk(office, alice, carol, bob)
    sent_on(office, alice, bob, carol, "user-busy")


def test_5359_2_9_no_answer(office: SippOffice) -> None:
    """Bob picks up too late, and is hung up on; 5 s is the shortest time that a phone can ring."""
    alice, bob, carol = office.phones(3)
    office.perform("extensions", "set", bob.number, {"ring_seconds": 5})
    forward(office, bob, no_answer=carol.number)
    hears_of_it(alice, bob, carol, 180)
    bob.is_called().rings().is_cancelled_too_late()
    takes_it(carol, ";reason=no-answer")
    talk(office, alice, carol, bob)
    sent_on(office, alice, bob, carol, "no-answer")


def test_5359_2_11_nobody_joins_a_talk(office: SippOffice) -> None:
    """RFC 3911 §4: 420 to whoever insists."""
    alice, bob, carol = office.phones(3)
    to_bob = alice.calls(bob.number).hears(180, 200)
    alice.waits()
    to_bob.hangs_up()
    bob.is_called().rings().answers().takes("BYE")
    join = "somebody;to-tag=a;from-tag=b"
    insists = carol.asks_unproven("INVITE", bob.number, Join=join, Require="join")
    insists.hears(420, contains=["Unsupported: join"])
    with office.playing(bob, alice):
        office.hear_each_other(alice, bob)
        office.play(carol)
        office.hear_each_other(alice, bob)
        alice.go_on()
    office.ends(alice, "normal")


def group(office: SippOffice, *members: SippPhone, **settings: str) -> str:
    name = f"6{members[0].number}"
    numbers = ",".join(each.number for each in members)
    office.perform("groups", "add", None, {"name": name, "members": numbers, **settings})
    return name


def test_5359_2_12_the_first_answer_wins(office: SippOffice) -> None:
    alice, bob, carol, dave = office.phones(4)
    to_group = alice.calls(group(office, bob, carol, dave)).hears(180, 200)
    alice.waits()
    to_group.hangs_up()
    call = bob.is_called().rings()
    bob.waits()
    call.answers().takes("BYE")
    for each in (carol, dave):
        each.is_called().rings().is_cancelled('Reason: SIP;cause=200;text="Call completed elsewhere"')
    with office.playing(bob, carol, dave, alice):
        for each in (carol, dave):
            office.rings(each)
        bob.go_on()
        office.hear_each_other(alice, bob)
        alice.go_on()
    (record,) = office.ends(alice, "normal")
    assert record["answered_by"] == bob.number


def test_5359_2_12_two_answer_at_the_same_instant(office: SippOffice) -> None:
    """Alice gets one of them; the other one is acknowledged and hung up on."""
    alice, bob, carol = office.phones(3)
    alice.calls(group(office, bob, carol)).hears(200).hangs_up()
    for each in (bob, carol):
        each.is_called().says_yes().has_picked_up().takes("BYE")
    office.play(bob, carol, alice)
    (record,) = office.ends(alice, "normal")
    assert record["answered_by"] in {bob.number, carol.number}


def test_5359_2_12_one_after_the_other(office: SippOffice) -> None:
    """And then somebody who is no member."""
    alice, bob, carol, dave = office.phones(4)
    name = group(office, bob, carol, strategy="linear", busy_to=dave.number)
    alice.calls(name).hears(181, 180, 200).hangs_up()
    for each in (bob, carol):
        each.is_called().refuses(486)
    takes_it(dave)
    office.play(bob, carol, dave, alice)
    (record,) = office.ends(alice, "normal")
    assert (record["answered_by"], steps(record)) == (dave.number, [(name, dave.number, "user-busy")])


def test_5359_2_12_two_phones_of_one_extension(office: SippOffice) -> None:
    alice, bob = office.phones(2)
    second = office.second_phone(bob)
    to_bob = alice.calls(bob.number).hears(180, 200)
    alice.waits()
    to_bob.hangs_up()
    bob.is_called().rings().is_cancelled('Reason: SIP;cause=200;text="Call completed elsewhere"')
    call = second.is_called().rings()
    second.waits()
    call.answers().takes("BYE")
    with office.playing(bob, second, alice):
        office.rings(bob)
        second.go_on()
        office.hear_each_other(alice, second)
        alice.go_on()
    office.ends(alice, "normal")


def test_5359_2_12_one_phone_after_the_other(office: SippOffice) -> None:
    """Each rings for the shortest time there is."""
    alice, bob = office.phones(2)
    second = office.second_phone(bob)
    office.perform("phones", "set", bob.number, {"order": "in_order", "seconds": 5})
    alice.calls(bob.number).hears(180, 200).hangs_up()
    second.is_called().rings().is_cancelled()
    takes_it(bob)
    office.play(bob, second, alice)
    office.ends(alice, "normal")


def outside(office: SippOffice, carrier: SippPhone, level: int) -> str:
    """A number outside, which extensions of that level may call."""
    prefix = f"8{carrier.number.removeprefix('carrier')}"
    values = {"name": carrier.number, "pattern": f"{prefix}X.", "strip": len(prefix), "level": level}
    office.perform("routes", "add", None, {**values, "to": f"trunk:{carrier.number}"})
    return prefix + OUTSIDE


def test_5359_2_14_outgoing_calls_are_screened(office: SippOffice) -> None:
    """By dialling, by a forwarding, by a phone that sends on, and by a transfer; the carrier hears of none but the last call."""
    alice, bob = office.phones(2)
    carrier = office.carrier()
    number = outside(office, carrier, level=5)
    office.perform("extensions", "set", bob.number, {"level": 0})
    office.perform("extensions", "set", alice.number, {"level": 9})
    carrier.is_called("Diversion: ", f"<sip:{OUTSIDE}@").rings().answers().takes("BYE")
    carrier.start()
    barred = office.again(bob)
    barred.calls(number).hears(403)
    office.play(barred)
    forward(office, bob, always=number)
    sent = office.again(alice)
    sent.calls(bob.number).hears(403)
    office.play(sent)
    forward(office, bob, always="")
    moves, asks = office.again(bob), office.again(alice)
    moves.is_called().refuses(302, f"Contact: <sip:{number}@elsewhere.example>")
    asks.calls(bob.number).hears(403)
    office.play(moves, asks)
    refers, talks = office.again(bob), office.again(alice)
    refers.is_called().rings().answers().refers(f"<sip:{number}@{bob.domain}>").hears(403).hangs_up()
    talks.calls(bob.number).hears(180, 200).takes("BYE")
    office.play(refers, talks)
    office.perform("extensions", "set", bob.number, {"level": 5})
    forward(office, bob, always=number)
    alice.calls(bob.number).hears(181, 180, 200).hangs_up()
    office.play(alice)
    carrier.has_ended()
    office.ends(bob, "forbidden")
    records = office.ends(alice, "forbidden", "forbidden", "normal", "normal")
    assert [len(each["steps"]) for each in records] == [1, 1, 0, 1]


def test_x_23_a_circle_ends_at_once(office: SippOffice) -> None:
    """And so do too many steps, and a call to oneself."""
    alice, *others = office.phones(8)
    for one, other in pairwise(others):
        forward(office, one, always=other.number)
    alice.calls(others[0].number).hears(483)
    alice.calls(alice.number).hears(486)
    office.play(alice)
    forward(office, others[1], always=others[0].number)
    again = office.again(alice)
    again.calls(others[0].number).hears(482)
    office.play(again)
    records = office.ends(alice, "forwards", "busy", "loop")
    assert [len(each["steps"]) for each in records] == [6, 0, 2]
