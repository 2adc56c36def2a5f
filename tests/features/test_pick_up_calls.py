"""Pick-up: of whose calls, by whom, by code and by Replaces, with and without an offer (RFC 5359 §2.16; RFC 3891 §3)."""

from __future__ import annotations

import pytest

from tests.call.playbook import OFFER, Phone, sdp
from tests.features.crowd import Crowd, Desk, Line, replaces_of
from tests.features.office import Office
from tests.features.test_blind_transfer import Town

OPUS = "RTP/AVP 96\r\na=rtpmap:96 opus/48000/2"
SAVP = "RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "104", "102")


async def rings(crowd: Crowd, alice: Desk, number: str = "102", *, late: bool = False) -> Line:
    line = alice.call(number, late=late)
    await crowd.settle()
    return line


async def pick_up(crowd: Crowd, desk: Desk, code: str = "*40*102", *, late: bool = False) -> Line:
    line = desk.call(code, late=late)
    await crowd.settle()
    return line


@pytest.mark.parametrize("caller_late", [False, True], ids=["caller offers", "caller does not"])
@pytest.mark.parametrize("late", [False, True], ids=["offer", "no offer"])
async def test_offers_of_either_side(crowd: Crowd, caller_late: bool, late: bool) -> None:
    """The answer to the one offer there is comes in the other one's ACK; with none, it rings on."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice, late=caller_late)
        taking = await pick_up(crowd, carol, late=late)
        if caller_late and late:
            assert (taking.got["INVITE"], len(bob.in_state("ringing"))) == (488, 1)
            await crowd.hang_up(calling)
            await crowd.ends("media", "cancelled")
            return
        assert (calling.state, taking.state, crowd.pairs()) == ("talking", "talking", [("101", "103")])
        assert bob.in_state("ringing") == []
        await crowd.hang_up(taking)
        await crowd.ends("handed_over", "normal")
        assert crowd.office.records[1].answered_by == "103"


@pytest.mark.parametrize("sound", [OPUS, SAVP], ids=["opus", "encrypted"])
async def test_no_sound_in_common(crowd: Crowd, sound: str) -> None:
    """It rings on."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        carol.sound = sound
        assert (await pick_up(crowd, carol)).got["INVITE"] == 488
        await crowd.answer(bob)
        assert crowd.pairs() == [("101", "102")]
        await crowd.hang_up(calling)
        await crowd.ends("media", "normal")


async def test_both_encrypt(crowd: Crowd) -> None:
    alice, _, carol, _, _ = crowd.desks
    async with crowd.at_work():
        alice.sound = carol.sound = SAVP
        calling = await rings(crowd, alice)
        taking = await pick_up(crowd, carol)
        assert crowd.pairs() == [("101", "103")]
        assert b"a=crypto:1 AES_CM_128_HMAC_SHA1_80" in taking.body
        await crowd.hang_up(calling)
        await crowd.ends("handed_over", "normal")


async def test_all_phones_that_ring_are_told(crowd: Crowd) -> None:
    alice, bob, carol, _, other = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        assert (len(bob.in_state("ringing")), len(other.in_state("ringing"))) == (1, 1)
        await pick_up(crowd, carol)
        for desk in (bob, other):
            (line,) = desk.lines.values()
            assert line.state == "gone"
            assert line.asked is not None
            assert line.asked.headers.get("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'
        await crowd.hang_up(calling)
        await crowd.ends("handed_over", "normal")


async def test_one_s_other_phone(crowd: Crowd) -> None:
    alice, bob, _, _, other = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        await pick_up(crowd, other)
        assert (bob.in_state("ringing"), crowd.pairs()) == ([], [("101", "102")])
        await crowd.hang_up(calling)
        await crowd.ends("handed_over", "normal")


async def test_of_a_call_that_was_sent_on(crowd: Crowd) -> None:
    """It rings at carol, and nowhere else."""
    alice, _, _, dave, _ = crowd.desks
    crowd.office.set("forwarding", "102", always="103")
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        assert (await pick_up(crowd, dave)).got["INVITE"] == 404
        await pick_up(crowd, dave, "*40*103")
        assert crowd.pairs() == [("101", "104")]
        await crowd.hang_up(calling)
        await crowd.ends("not_found", "handed_over", "normal")
        assert [each.by for each in crowd.office.records[2].steps] == ["102"]


async def test_of_a_call_to_a_group(crowd: Crowd) -> None:
    alice, bob, carol, dave, _ = crowd.desks
    crowd.office.set("groups", "600", members=("102", "103"))
    async with crowd.at_work():
        calling = await rings(crowd, alice, "600")
        await pick_up(crowd, dave, "*40*103")
        assert (bob.in_state("ringing"), carol.in_state("ringing")) == ([], [])
        assert crowd.pairs() == [("101", "104")]
        await crowd.hang_up(calling)
        await crowd.ends("handed_over", "normal")


async def test_only_of_one_s_own_groups(crowd: Crowd) -> None:
    alice, bob, carol, dave, _ = crowd.desks
    crowd.office.set("groups", "600", members=("102", "103"))
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        assert (await pick_up(crowd, dave, "*50*")).got["INVITE"] == 404
        await pick_up(crowd, carol, "*50*")
        assert (crowd.pairs(), bob.in_state("ringing")) == ([("101", "103")], [])
        await crowd.hang_up(calling)
        await crowd.ends("not_found", "handed_over", "normal")


async def test_two_pick_up_at_the_same_moment(crowd: Crowd) -> None:
    alice, _, carol, dave, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        lines = [carol.call("*40*102"), dave.call("*40*102")]
        await crowd.settle()
        assert sorted(line.got["INVITE"] for line in lines) == [200, 404]
        assert len(crowd.pairs()) == 1
        await crowd.hang_up(calling)
        assert sorted(each.cause for each in crowd.office.records) == ["handed_over", "normal", "not_found"]


async def test_two_pick_up_one_of_whom_has_not_said_how_they_sound(crowd: Crowd) -> None:
    """It is carol's already, whose ACK will have the answer."""
    alice, _, carol, dave, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        carol.slow = True
        await pick_up(crowd, carol, late=True)
        assert (await pick_up(crowd, dave)).got["INVITE"] == 404
        carol.slow = False
        carol.look()
        await crowd.settle()
        assert crowd.pairs() == [("101", "103")]
        await crowd.hang_up(calling)
        await crowd.ends("handed_over", "not_found", "normal")


async def test_picked_up_and_answered_at_the_same_moment(crowd: Crowd) -> None:
    """Bob's 200 comes too late: it is acknowledged, and hung up (RFC 3261 §13.2.2.4)."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        bob.slow = True
        await pick_up(crowd, carol)
        bob.in_state("ringing")[0].pick_up()
        bob.slow = False
        bob.look()
        await crowd.settle()
        assert (crowd.pairs(), list(bob)) == ([("101", "103")], [])
        await crowd.hang_up(calling)
        await crowd.ends("handed_over", "normal")


@pytest.mark.parametrize("code", ["*40*", "*40*199", "*40*101", "*40*line:a", "*50*"])
async def test_there_is_nothing_to_pick_up(crowd: Crowd, code: str) -> None:
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        assert (await pick_up(crowd, carol, code)).got["INVITE"] == 404
        await crowd.answer(bob)
        await crowd.hang_up(calling)
        await crowd.ends("not_found", "normal")


async def test_the_caller_hangs_up_before_the_answer_is_through(crowd: Crowd) -> None:
    """Carol made no offer, and has not said yes to alice's."""
    alice, _, carol, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        carol.slow = True
        taking = await pick_up(crowd, carol, late=True)
        await crowd.hang_up(calling)
        carol.slow = False
        carol.look()
        await crowd.ends("handed_over", "cancelled")
        assert taking.state == "gone"


async def test_whoever_picks_up_vanishes(crowd: Crowd) -> None:
    """Without an ACK for 32 seconds they are gone (RFC 3261 §13.3.1.4)."""
    alice, _, carol, _, _ = crowd.desks
    async with crowd.at_work():
        await rings(crowd, alice)
        carol.silent = carol.missed = True
        await pick_up(crowd, carol, late=True)
        await crowd.waits(40)
        await crowd.ends("handed_over", "lost")


@pytest.mark.parametrize("late", [False, True], ids=["offer", "no offer"])
async def test_a_call_that_is_put_through(crowd: Crowd, late: bool) -> None:
    """Dave picks up what rings at carol for bob, whom alice has put through."""
    alice, bob, carol, dave, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        await pick_up(crowd, dave, "*40*103", late=late)
        assert (talking.heard[-1], crowd.pairs()) == ("200 OK", [("102", "104")])
        assert carol.in_state("ringing") == []
        await crowd.hang_up(bobs)
        assert {each.cause for each in crowd.office.records} == {"handed_over", "normal"}


async def test_a_call_from_a_line() -> None:
    town = Town()
    alice, bob, outside = town.desks
    async with town.at_work():
        far = outside.call("a00")
        await town.settle()
        await pick_up(town, bob, "*40*101")
        assert (town.pairs(), alice.in_state("ringing")) == ([("0123456", "102")], [])
        await town.hang_up(far)
        await town.ends("handed_over", "normal")


# --- by Replaces


@pytest.mark.parametrize("late", [False, True], ids=["offer", "no offer"])
async def test_anybody_in_the_house_picks_up_by_replaces(crowd: Crowd, late: bool) -> None:
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        (ringing,) = bob.in_state("ringing")
        taking = carol.call("x", late=late, Replaces=replaces_of(ringing))
        await crowd.settle()
        assert (taking.state, ringing.state, crowd.pairs()) == ("talking", "gone", [("101", "103")])
        await crowd.hang_up(calling)
        await crowd.ends("normal")


async def test_by_replaces_without_sound_in_common(crowd: Crowd) -> None:
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        carol.sound = OPUS
        taking = carol.call("x", Replaces=replaces_of(bob.in_state("ringing")[0]))
        await crowd.settle()
        assert (taking.got["INVITE"], len(bob.in_state("ringing"))) == (488, 1)
        await crowd.hang_up(calling)
        await crowd.ends("media", "cancelled")


async def test_what_cannot_be_replaced(crowd: Crowd) -> None:
    """A caller who waits (RFC 3891 §3), a call that nobody knows, and a talk when only one that rings is wanted."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await rings(crowd, alice)
        for names, status in (
            (replaces_of(calling), 481),
            ("nobody;to-tag=a;from-tag=b", 481),
        ):
            taking = carol.call("x", Replaces=names)
            await crowd.settle()
            assert taking.got["INVITE"] == status
        bobs = await crowd.answer(bob)
        taking = bob.call("x", Replaces=f"{replaces_of(bobs)};early-only")
        await crowd.settle()
        assert (taking.got["INVITE"], crowd.pairs()) == (486, [("101", "102")])
        await crowd.hang_up(calling)
        assert crowd.office.records[-1].cause == "normal"


# --- a caller that takes provisional responses for certain


async def test_a_caller_with_100rel(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """Alice has bob's answer for certain already: carol's comes in a dialog of its own (RFC 3261 §13.2.1)."""
    async with office.serving():
        office >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
        office >> bob.says(183, sdp("10.2.2.2", 5000)) << alice.gets(183, "Require: 100rel")
        early = alice.remote
        office >> alice.prack() << alice.gets(200)
        office >> carol.invite("*40*102", sdp("10.3.3.3", 6000))
        await office.settled()
        office << carol.gets(100) << bob.gets("CANCEL") << carol.gets(200) << alice.gets(200, "m=audio")
        assert alice.remote != early
        office >> carol.ack() >> alice.ack() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
        office >> alice.bye() << alice.gets(200) << carol.gets("BYE") >> carol.ok()
        office.ends("handed_over", "normal")
