"""Park: slots, ring-back, and what may happen to whoever waits (RFC 5359 §2.15)."""

from __future__ import annotations

import anyio
import pytest

from tests.features.crowd import Crowd, Desk, Line
from tests.features.ears import played_to
from tests.features.test_blind_transfer import OK, Town


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "104")


async def park(crowd: Crowd, alice: Desk, bob: Desk, slot: str = "1") -> tuple[Line, Line]:
    """Alice parks bob; her line and his."""
    talking, bobs = await crowd.talk(alice, bob)
    await crowd.refer(talking, f"*85{slot}")
    return talking, bobs


async def take_up(crowd: Crowd, desk: Desk, slot: str = "1", *, late: bool = False) -> Line:
    line = desk.call(f"*85{slot}", late=late)
    await crowd.settle()
    return line


@pytest.mark.parametrize("late", [False, True], ids=["offer", "no offer"])
async def test_taken_up_at_another_phone(crowd: Crowd, late: bool) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await park(crowd, alice, bob)
        assert (talking.heard[-1], talking.state, played_to(crowd.office, "102")) == (OK, "gone", "music")
        taking = await take_up(crowd, carol, late=late)
        assert (taking.state, crowd.pairs()) == ("talking", [("103", "102")])
        assert played_to(crowd.office, "102") == ""
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "handed_over", "normal")


async def test_taken_up_by_whoever_parked_and_transferred(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        taking = await take_up(crowd, alice)
        await crowd.refer(taking, "103")
        await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "handed_over", "handed_over", "normal")


async def test_taken_up_and_parked_again(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        taking = await take_up(crowd, carol)
        await crowd.refer(taking, "*851")
        assert played_to(crowd.office, "102") == "music"
        await crowd.waits(121)
        await crowd.answer(carol)  # who parked them last
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "handed_over", "handed_over", "handed_over", "normal")


async def test_slots_are_given_in_order_until_all_are_taken(crowd: Crowd) -> None:
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("park", slots=2)
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob, "")
        _, carols = await park(crowd, alice, carol, "")
        talking, _ = await crowd.talk(alice, dave)
        for slot in ("", "1", "2"):
            await crowd.refer(talking, f"*85{slot}")
            assert talking.got["REFER"] == 486
        await crowd.refer(talking, "*853")
        assert talking.got["REFER"] == 404
        assert ("101", "104") in crowd.pairs()
        await crowd.hang_up(bobs)
        await crowd.refer(talking, "*85")
        assert talking.state == "gone"
        for slot, number in (("2", "103"), ("1", "104")):
            taking = await take_up(crowd, alice, slot)
            assert crowd.pairs() == [("101", number)]
            await crowd.hang_up(taking)
        assert carols.state == "gone"
        assert len(crowd.office.exchange) == 0


async def test_two_park_in_the_same_slot_at_once(crowd: Crowd) -> None:
    """One is first; the other has their call back."""
    alice, bob, carol, dave = crowd.desks
    async with crowd.at_work():
        one, bobs = await crowd.talk(alice, bob)
        other, daves = await crowd.talk(carol, dave)
        for line in (one, other):
            line.act(line.ask("REFER", Refer_To="<sip:*851@192.0.2.1>"))
        await crowd.settle()
        assert sorted([one.heard[-1], other.heard[-1]]) == [OK, "486 Busy Here"]
        assert len(crowd.pairs()) == 1
        await crowd.hang_up(bobs)
        await crowd.hang_up(daves)
        assert len(crowd.office.exchange) == 0


async def test_whoever_is_parked_hangs_up(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        await crowd.hang_up(bobs)
        assert (await take_up(crowd, carol)).got["INVITE"] == 404
        await crowd.ends("handed_over", "normal", "not_found")


async def test_whoever_is_parked_holds_and_asks_for_a_transfer(crowd: Crowd) -> None:
    """The exchange answers in the place of the one who is missing, and puts nobody through."""
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        bobs.change(("a=sendonly",), "invite")
        await crowd.settle()
        assert played_to(crowd.office, "102") == "unheard"
        bobs.change((), "late")
        await crowd.settle()
        assert played_to(crowd.office, "102") == "music"
        await crowd.refer(bobs, "103")
        assert bobs.got["REFER"] == 603
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")


async def test_whoever_is_parked_vanishes(crowd: Crowd) -> None:
    """It shows when somebody takes them up, or is rung for them and answers."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        await park(crowd, alice, bob)
        bob.silent = bob.missed = True
        taking = await take_up(crowd, carol)
        await crowd.waits(40)
        assert taking.state == "gone"
        await crowd.settle()
        assert len(crowd.office.exchange) == 0


async def test_whoever_is_parked_vanishes_and_nobody_takes_them_up(crowd: Crowd) -> None:
    """The refresh of the session shows it (RFC 4028), also to a phone that knows no session timers."""
    alice, bob, carol, _ = crowd.desks
    crowd.office.set("park", seconds=3600)
    async with crowd.at_work():
        await park(crowd, alice, bob)
        bob.silent = bob.missed = True
        crowd.office.waits(1900)
        await crowd.settle()
        assert (await take_up(crowd, carol)).got["INVITE"] == 404
        await crowd.ends("handed_over", "lost", "not_found")


async def test_whoever_takes_up_has_no_sound_in_common(crowd: Crowd) -> None:
    """They hear so, and whoever waits goes on waiting."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        carol.sound = "RTP/AVP 96\r\na=rtpmap:96 opus/48000/2"
        assert (await take_up(crowd, carol)).got["INVITE"] == 488
        assert (bobs.state, played_to(crowd.office, "102")) == ("talking", "music")
        await take_up(crowd, alice)
        assert crowd.pairs() == [("101", "102")]
        await crowd.hang_up(bobs)
        await crowd.settle()
        assert len(crowd.office.exchange) == 0


async def test_nobody_answers_the_ring_back(crowd: Crowd) -> None:
    """They wait on in the same slot, and alice is rung again."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        for _ in range(2):
            await crowd.waits(121)
            assert played_to(crowd.office, "102") == "ring-back"
            await crowd.hang_up(alice.in_state("ringing")[0])
            assert played_to(crowd.office, "102") == "music"
        taking = await take_up(crowd, carol)
        assert crowd.pairs() == [("103", "102")]
        await crowd.hang_up(taking)
        assert bobs.state == "gone"
        assert len(crowd.office.exchange) == 0


async def test_whoever_parked_is_gone_when_it_is_time(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        del crowd.office.bindings["101"]
        await crowd.waits(121)
        assert (bobs.state, played_to(crowd.office, "102")) == ("talking", "music")
        taking = await take_up(crowd, carol)
        await crowd.hang_up(taking)
        assert len(crowd.office.exchange) == 0


async def test_the_slot_is_taken_when_the_ring_back_fails(crowd: Crowd) -> None:
    """Then it is another one; when all are taken, there is no more to be done for them."""
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("park", slots=1, seconds=10)
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        await crowd.waits(11)
        _, carols = await park(crowd, dave, carol)
        await crowd.hang_up(alice.in_state("ringing")[0])
        assert (bobs.state, carols.state) == ("gone", "talking")
        await crowd.hang_up(carols)
        assert len(crowd.office.exchange) == 0


async def test_the_setting_is_changed_meanwhile(crowd: Crowd) -> None:
    """Whoever waits in a slot that there is no more can be taken up; nobody is parked there."""
    alice, bob, carol, dave = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob, "9")
        crowd.office.set("park", slots=1, seconds=10)
        talking, daves = await crowd.talk(carol, dave)
        await crowd.refer(talking, "*858")
        assert talking.got["REFER"] == 404
        await take_up(crowd, alice, "9")
        assert ("101", "102") in crowd.pairs()
        await crowd.hang_up(bobs)
        await crowd.hang_up(daves)
        assert len(crowd.office.exchange) == 0


async def test_shut_down_while_somebody_is_parked(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        await park(crowd, alice, bob)
        crowd.office.exchange.shut_down()
        await crowd.ends("handed_over", "shutdown")


async def test_the_services_end_while_somebody_is_parked(crowd: Crowd) -> None:
    """As when the process ends: the call is there still, and ends by `shut_down`."""
    alice, bob, _, _ = crowd.desks
    async with crowd.office.serving():
        await park(crowd, alice, bob)
    await anyio.lowlevel.checkpoint()
    crowd.office.exchange.shut_down()
    await crowd.ends("handed_over", "shutdown")


async def test_a_caller_from_a_line_is_parked() -> None:
    town = Town()
    alice, bob, outside = town.desks
    async with town.at_work():
        far, talking = await town.talk(outside, alice, "a00")
        await town.refer(talking, "*85")
        taking = bob.call("*851")
        await town.settle()
        assert (taking.state, town.pairs()) == ("talking", [("102", "0123456")])
        await town.hang_up(far)
        await town.ends("handed_over", "handed_over", "normal")


async def test_nobody_is_taken_up_from_outside() -> None:
    town = Town()
    alice, bob, outside = town.desks
    async with town.at_work():
        _, bobs = await town.talk(alice, bob)
        await town.refer(alice.in_state("talking")[0], "*851")
        assert outside.call("*851") is not None
        await town.settle()
        assert (played_to(town.office, "102"), town.pairs()) == ("music", [])
        await town.hang_up(bobs)
        for line in outside.in_state("calling", "talking"):
            await town.hang_up(line)
        for line in alice.in_state("ringing"):
            await town.hang_up(line)
        assert len(town.office.exchange) == 0


async def test_without_g_711_nobody_is_parked(crowd: Crowd) -> None:
    """There is no sound for them to hear: whoever wanted to park them has the call back."""
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        for desk in (alice, bob):
            desk.sound = "RTP/AVP 96\r\na=rtpmap:96 opus/48000/2"
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "*851")
        assert (talking.heard[-1], crowd.pairs()) == ("488 Not Acceptable Here", [("101", "102")])
        await crowd.hang_up(bobs)
        await crowd.ends("media", "normal")
