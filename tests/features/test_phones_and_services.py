"""Where several phones of an extension, or its call waiting, meet another service."""

from __future__ import annotations

import pytest

from tests.features.crowd import Crowd
from tests.features.ears import played_to
from tests.features.test_two_services import FORWARDINGS, HELD, gone, night, over


@pytest.fixture
def crowd() -> Crowd:
    """The third is a further phone of 102."""
    return Crowd("101", "102", "102", "103", "104")


@pytest.mark.parametrize("order", ["all", "in_order"])
@pytest.mark.parametrize("forwarding", ["always", *FORWARDINGS])
async def test_all_phones_have_to_fail_before_it_is_forwarded(
    crowd: Crowd, order: str, forwarding: str
) -> None:
    alice, one, two, carol, _ = crowd.desks
    crowd.office.set("forwarding", "102", **{forwarding: "103"})
    crowd.office.set("phones", "102", order=order, seconds=10)
    async with crowd.at_work():
        if forwarding == "not_registered":
            gone(crowd, "102")
        calling = alice.call("102")
        await crowd.settle()
        if forwarding == "busy":
            assert len([*one.in_state("ringing"), *two.in_state("ringing")]) == (2 if order == "all" else 1)
            while ringing := [*one.in_state("ringing"), *two.in_state("ringing")]:
                assert carol.in_state("ringing") == []
                await crowd.hang_up(ringing[0])
        if forwarding == "no_answer":
            await crowd.waits(61 if order == "all" else 21)
        await crowd.answer(carol)
        assert crowd.pairs() == [("101", "103")]
        await over(crowd, calling)


@pytest.mark.parametrize("to", ["600", "700"])
async def test_all_of_them_ring_by_a_group_and_a_time_condition(crowd: Crowd, to: str) -> None:
    alice, one, two, _, _ = crowd.desks
    crowd.office.set("groups", "600", members=("102",))
    night(crowd, "102")
    async with crowd.at_work():
        calling = alice.call(to)
        await crowd.settle()
        assert [len(each.in_state("ringing")) for each in (one, two)] == [1, 1]
        await crowd.answer(two)
        assert one.in_state("ringing") == []
        await over(crowd, calling)


async def test_none_of_them_rings_where_no_calls_are_wanted(crowd: Crowd) -> None:
    alice, one, two, _, _ = crowd.desks
    crowd.office.set("do-not-disturb", "102", enabled=True)
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        assert calling.got["INVITE"] == 480
        assert not [*one.in_state("ringing"), *two.in_state("ringing")]


async def test_all_of_them_ring_for_a_ring_back(crowd: Crowd) -> None:
    alice, one, two, _, _ = crowd.desks
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        bobs = await crowd.answer(one)
        await crowd.refer(bobs, "*851")
        await crowd.waits(121)
        assert [len(each.in_state("ringing")) for each in (one, two)] == [1, 1]
        await crowd.answer(two)
        assert crowd.pairs() == [("101", "102")]
        await over(crowd, calling)


# --- call waiting


async def test_what_is_always_forwarded_is_not_busy(crowd: Crowd) -> None:
    alice, bob, _, carol, dave = crowd.desks
    crowd.office.set("phones", "103", call_waiting=False)
    crowd.office.set("forwarding", "103", always="104")
    async with crowd.at_work():
        bob.call("104")
        await crowd.settle()
        await crowd.answer(dave)
        carol.call("101")
        await crowd.settle()
        await crowd.answer(alice)
        further = bob.call("103")
        await crowd.settle()
        await crowd.answer(dave)
        assert ("102", "104") in crowd.pairs()
        await over(crowd, further)


@pytest.mark.parametrize(("setting", "status"), [("forwarding", 486), ("do-not-disturb", 480)])
async def test_who_talks_and_lets_no_call_wait(crowd: Crowd, setting: str, status: int) -> None:
    """Busy is not the same as not registered, and whoever wants no calls says so first."""
    alice, bob, _, carol, _ = crowd.desks
    crowd.office.set("phones", "103", call_waiting=False)
    if setting == "forwarding":
        crowd.office.set("forwarding", "103", not_registered="104")
    async with crowd.at_work():
        carols, _ = await crowd.talk(carol, alice)
        if setting == "do-not-disturb":
            crowd.office.set("do-not-disturb", "103", enabled=True)
        calling = bob.call("103")
        await crowd.settle()
        assert calling.got["INVITE"] == status
        await over(crowd, carols)


# --- what others leave alone


@pytest.mark.parametrize("service", ["do-not-disturb", "anonymous-rejection"])
async def test_a_talk_goes_on_whatever_is_set_meanwhile(crowd: Crowd, service: str) -> None:
    """It is for calls that come; who talks holds and resumes as before."""
    alice, _, _, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, carols = await crowd.talk(alice, carol)
        crowd.office.set(service, "103", enabled=True)
        carols.change(HELD, "invite")
        await crowd.settle()
        assert played_to(crowd.office, "101") == "music"
        carols.change((), "update")
        await crowd.settle()
        assert (crowd.pairs(), played_to(crowd.office, "101")) == ([("101", "103")], "")
        await over(crowd, talking)


async def test_who_came_by_a_time_condition_is_parked(crowd: Crowd) -> None:
    """Whoever took the call is rung for it, though it is closed by then."""
    alice, _, _, carol, dave = crowd.desks
    night(crowd, "103")
    async with crowd.at_work():
        calling = alice.call("700")
        await crowd.settle()
        carols = await crowd.answer(carol)
        await crowd.refer(carols, "*851")
        night(crowd, "104")
        await crowd.waits(121)
        assert dave.in_state("ringing") == []
        await crowd.answer(carol)
        assert crowd.pairs() == [("101", "103")]
        await over(crowd, calling)
