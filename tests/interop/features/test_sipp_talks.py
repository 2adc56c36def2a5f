"""RFC 5359 §2.1 to §2.6, §2.15 and §2.16 with sipp phones: calls that are held, put through, parked and picked up.

Each phone is a sipp process that must end as its script says; who hears whom is said by the socket where its sound comes to.
"""

from __future__ import annotations

import pytest

from tests.peers.sipp_office import SippOffice, SippPhone

pytestmark = pytest.mark.interop


def to(phone: SippPhone, *replaces: str) -> str:
    """Refer-To."""
    headers = "".join(f"?Replaces={each}" for each in replaces)
    return f"<sip:{phone.number}@{phone.domain}{headers}>"


@pytest.mark.parametrize("hold", ["a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0"])
def test_5359_2_1_2_3_hold_with_music(office: SippOffice, hold: str) -> None:
    alice, bob = office.phones(2)
    to_bob = alice.calls(bob.number).hears(180, 200)
    to_bob.is_reinvited("a=sendonly", answer=["a=recvonly"]).is_reinvited(lacks=["a=sendonly"])
    alice.waits()
    to_bob.hangs_up()
    to_alice = bob.is_called().rings().answers()
    bob.waits()
    to_alice.reinvites(hold).hears(200)
    bob.waits()
    to_alice.reinvites().hears(200).takes("BYE")
    with office.playing(bob, alice):
        office.hear_each_other(alice, bob)
        bob.go_on()
        office.hears_music(alice)
        bob.go_on()
        office.hear_each_other(alice, bob)
        alice.go_on()
    office.ends(alice, "normal")


def test_5359_2_1_both_hold_each_other(office: SippOffice) -> None:
    """When one of them resumes, they are held still."""
    alice, bob = office.phones(2)
    to_bob = alice.calls(bob.number).hears(180, 200)
    to_bob.is_reinvited("a=sendonly", answer=["a=recvonly"])
    alice.waits()
    to_bob.reinvites("a=sendonly").hears(200, contains=["a=inactive"])
    to_bob.is_reinvited(answer=["a=sendonly"])
    alice.waits()
    to_bob.reinvites().hears(200, lacks=["a=sendonly"])
    alice.waits()
    to_bob.hangs_up()
    to_alice = bob.is_called().rings().answers()
    bob.waits()
    to_alice.reinvites("a=sendonly").hears(200)
    to_alice.is_reinvited(answer=["a=inactive"])
    bob.waits()
    to_alice.reinvites().hears(200, contains=["a=sendonly"])
    bob.waits()
    to_alice.is_reinvited().takes("BYE")
    with office.playing(bob, alice):
        office.hear_each_other(alice, bob)
        office.goes_on(bob, alice)
        office.goes_on(alice, bob)
        office.goes_on(bob, alice)
        office.hears_music(bob)
        office.goes_on(bob, alice)
        office.goes_on(alice, bob)
        office.hear_each_other(alice, bob)
        office.goes_on(alice, bob)
    office.ends(alice, "normal")


def test_5359_2_2_consultation_hold(office: SippOffice) -> None:
    """The same telephone holds the one, talks to the other, and goes back."""
    alice, bob, carol = office.phones(3)
    to_alice = bob.is_called().rings().answers()
    bob.waits()
    to_alice.reinvites("a=sendonly").hears(200)
    to_carol = bob.calls(carol.number).hears(180, 200)
    bob.waits()
    to_carol.hangs_up()
    to_alice.reinvites().hears(200).takes("BYE")
    to_bob = alice.calls(bob.number).hears(180, 200)
    to_bob.is_reinvited("a=sendonly", answer=["a=recvonly"]).is_reinvited(lacks=["a=sendonly"])
    alice.waits()
    to_bob.hangs_up()
    carol.is_called().rings().answers().takes("BYE")
    with office.playing(carol, bob, alice):
        office.hear_each_other(alice, bob)
        bob.go_on()
        office.hears_music(alice)
        office.hear_each_other(bob, carol)
        bob.go_on()
        office.hear_each_other(alice, bob)
        alice.go_on()
    office.ends(alice, "normal")
    office.ends(bob, "normal")


def test_5359_2_4_blind(office: SippOffice) -> None:
    alice, bob, carol = office.phones(3)
    to_alice = bob.is_called().rings().answers().refers(to(carol)).hears(202)
    to_alice.takes("NOTIFY", "SIP/2.0 100 Trying").takes("NOTIFY", "SIP/2.0 180 Ringing")
    bob.takes(NOTIFY=["SIP/2.0 200 OK"], BYE=1)
    to_bob = alice.calls(bob.number).hears(180, 200).is_reinvited()
    alice.waits()
    to_bob.hangs_up()
    call = carol.is_called().rings()
    carol.waits()
    call.answers().takes("BYE")
    with office.playing(carol, bob, alice):
        office.hears_music(alice)
        carol.go_on()
        office.hear_each_other(alice, carol)
        alice.go_on()
    was_handed_over(office, alice, bob, carol)


def was_handed_over(office: SippOffice, alice: SippPhone, bob: SippPhone, carol: SippPhone) -> None:
    """By the records: alice has called bob, who put her through to carol."""
    records = office.ends(alice, "handed_over", "normal")
    assert [each["answered_by"] for each in records] == [bob.number, carol.number]


def test_5359_2_4_busy_and_the_call_is_back(office: SippOffice) -> None:
    alice, bob, carol = office.phones(3)
    to_alice = bob.is_called().rings().answers().refers(to(carol)).hears(202)
    to_alice.takes("NOTIFY", "SIP/2.0 100 Trying").takes("NOTIFY", "SIP/2.0 486 Busy Here", "terminated")
    bob.waits()
    to_alice.takes("BYE")
    to_bob = alice.calls(bob.number).hears(180, 200)
    alice.waits()
    to_bob.hangs_up()
    carol.is_called().refuses(486)
    with office.playing(carol, bob, alice):
        bob.go_on()
        office.hear_each_other(alice, bob)
        alice.go_on()
    office.ends(alice, "busy", "normal")


def test_5359_2_4_not_out_of_a_call(office: SippOffice) -> None:
    """A REFER in no dialog puts nobody through."""
    alice, bob, carol = office.phones(3)
    bob.asks_unproven("REFER", alice.number, Refer_To=to(carol)).hears(481)
    office.play(bob)
    assert not office.exchange.perform("calls", "list")


def test_5359_2_5_attended(office: SippOffice) -> None:
    alice, bob, carol = office.phones(3)
    to_alice = bob.is_called().rings().answers()
    bob.waits()
    to_alice.reinvites("a=sendonly").hears(200)
    to_carol = bob.calls(carol.number).hears(180, 200)
    bob.waits()
    to_alice.refers(to(carol, to_carol.replaces)).hears(202).takes("NOTIFY", "SIP/2.0 100 Trying")
    bob.takes(NOTIFY=["SIP/2.0 200 OK"], BYE=2)
    to_bob = alice.calls(bob.number).hears(180, 200)
    to_bob.is_reinvited("a=sendonly", answer=["a=recvonly"]).is_reinvited(lacks=["a=sendonly"])
    alice.waits()
    to_bob.hangs_up()
    carol.is_called().rings().answers().is_reinvited().takes("BYE")
    with office.playing(carol, bob, alice):
        office.hear_each_other(alice, bob)
        bob.go_on()
        office.hear_each_other(bob, carol)
        bob.go_on()
        office.hear_each_other(alice, carol)
        alice.go_on()
    was_handed_over(office, alice, bob, carol)
    office.ends(bob, "handed_over")


def test_5359_2_5_with_tags_that_name_nothing(office: SippOffice) -> None:
    alice, bob = office.phones(2)
    wrong = "nothing%3Bto-tag%3Da%3Bfrom-tag%3Db"
    bob.is_called().rings().answers().refers(to(alice, wrong)).hears(481).hangs_up()
    alice.calls(bob.number).hears(180, 200).takes("BYE")
    office.play(bob, alice)
    office.ends(alice, "normal")


def test_5359_2_6_a_text_is_no_transfer(office: SippOffice) -> None:
    """501 (RFC 3515 §2.4.2); the talk goes on, and texts arrive beside it."""
    alice, bob, carol = office.phones(3)
    to_alice = bob.is_called().rings().answers()
    to_alice.refers(f"<sip:{carol.number}@{bob.domain};method=MESSAGE>").hears(501)
    bob.writes(carol.number, "See you at noon").hears(200)
    to_alice.hangs_up()
    alice.calls(bob.number).hears(180, 200).takes("BYE")
    carol.takes_text(f"<sip:{bob.number}@", "See you at noon")
    office.play(carol, bob, alice)
    office.ends(alice, "normal")


def test_5359_2_15_park_and_take_up(office: SippOffice) -> None:
    alice, bob, carol = office.phones(3)
    parks(bob, "*859")
    to_bob = alice.calls(bob.number).hears(180, 200).is_reinvited().is_reinvited()
    alice.waits()
    to_bob.hangs_up()
    carol.calls("*859").hears(200).takes("BYE")
    with office.playing(bob, alice):
        office.hears_music(alice)
        bob.has_ended()
        carol.start()
        office.hear_each_other(alice, carol)
        alice.go_on()
        carol.has_ended()
    office.ends(alice, "handed_over", "handed_over")
    office.ends(carol, "normal")


def parks(bob: SippPhone, slot: str) -> None:
    """Whoever calls bob is put there."""
    to_alice = bob.is_called().rings().answers().refers(f"<sip:{slot}@{bob.domain}>").hears(202)
    to_alice.takes("NOTIFY", "SIP/2.0 100 Trying")
    bob.takes(NOTIFY=["SIP/2.0 200 OK"], BYE=1)


def test_5359_2_15_whoever_parked_is_rung_in_time(office: SippOffice) -> None:
    alice, bob = office.phones(2)
    parks(bob, "*85")
    rung = office.second_phone(bob)
    rung.is_called(f"<sip:{alice.number}@").rings().answers().takes("BYE")
    to_bob = alice.calls(bob.number).hears(180, 200).is_reinvited().is_reinvited()
    alice.waits()
    to_bob.hangs_up()
    office.exchange.perform("park", "set", None, {"seconds": 10})
    with office.playing(bob, alice):
        bob.has_ended()
        rung.start()
        office.hear_each_other(alice, rung)
        alice.go_on()
        rung.has_ended()
    office.ends(alice, "handed_over", "handed_over", "normal")


@pytest.mark.parametrize("how", ["directed", "group", "replaces"])
def test_5359_2_16_pick_up(office: SippOffice, how: str) -> None:
    alice, bob, carol = office.phones(3)
    bob.is_called().rings().is_cancelled('Reason: SIP;cause=200;text="Call completed elsewhere"')
    to_carol = alice.calls(bob.number).hears(180, 200)
    alice.waits()
    to_carol.hangs_up()
    match how:
        case "directed":
            carol.calls(f"*40*{bob.number}").hears(200).takes("BYE")
        case "group":
            members = f"{bob.number},{carol.number}"
            office.perform("groups", "add", None, {"name": f"6{bob.number}", "members": members})
            carol.calls("*50*").hears(200).takes("BYE")
        case _:
            carol.subscribes(bob.number)
            ringing = carol.sees_it_ring()
            carol.calls(bob.number, headers=ringing).hears(200).takes("BYE")
    with office.playing(bob, alice):
        office.rings(bob)
        carol.start()
        office.hear_each_other(alice, carol)
        alice.go_on()
        carol.has_ended()
    (record,) = office.ends(alice, "normal")
    assert (record["to_number"], record["answered_by"]) == (bob.number, carol.number)


def test_5359_2_16_only_of_one_s_own_group(office: SippOffice) -> None:
    alice, bob, carol = office.phones(3)
    bob.is_called().rings().is_cancelled()
    to_bob = alice.calls(bob.number).hears(180)
    alice.waits()
    to_bob.gives_up()
    carol.calls("*50*").hears(404)
    with office.playing(bob, alice):
        office.rings(bob)
        office.play(carol)
        alice.go_on()
    office.ends(alice, "cancelled")
