"""Where two services meet, one of which is hold, transfer, park, pick-up, several phones, call waiting or click to dial.

What they do alone stands in tests of their own.
"""

from __future__ import annotations

import pytest

from tests.features.crowd import Crowd, Desk, Line
from tests.features.ears import played_to

OK = "200 OK"
HELD = ("a=sendonly",)
FORWARDINGS = ("busy", "no_answer", "not_registered")


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "104")


async def fails(crowd: Crowd, desk: Desk, forwarding: str) -> None:
    """What makes this forwarding of the phone's extension apply: after the call has come, if it rings."""
    match forwarding:
        case "busy":
            await crowd.hang_up(desk.in_state("ringing")[0])
        case "no_answer":
            await crowd.waits(61)


def gone(crowd: Crowd, number: str) -> None:
    """Its phones are not registered any more."""
    crowd.office.bindings.pop(number, None)


def night(crowd: Crowd, to: str) -> None:
    """The number 700 is a time condition that leads to `to`, at any hour."""
    crowd.office.set("time-conditions", "700", open_to=to, closed_to=to)


async def park(crowd: Crowd, alice: Desk, bob: Desk) -> tuple[Line, Line]:
    talking, bobs = await crowd.talk(alice, bob)
    await crowd.refer(talking, "*851")
    return talking, bobs


async def over(crowd: Crowd, *lines: Line) -> None:
    """These hang up, and nobody is left."""
    for line in lines:
        await crowd.hang_up(line)
    for desk in crowd.desks:
        for line in desk.in_state("ringing", "calling", "talking"):
            await crowd.hang_up(line)
    assert len(crowd.office.exchange) == 0
    await crowd.waits(1)  # a tone that somebody heard ends


# --- transfer


@pytest.mark.parametrize("forwarding", FORWARDINGS)
async def test_transfer_to_one_who_forwards(crowd: Crowd, forwarding: str) -> None:
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("forwarding", "103", **{forwarding: "104"})
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        if forwarding == "not_registered":
            gone(crowd, "103")
        await crowd.refer(talking, "103")
        await fails(crowd, carol, forwarding)
        await crowd.answer(dave)
        assert (talking.heard[-1], crowd.pairs()) == (OK, [("102", "104")])
        assert "181 Call Is Being Forwarded" in talking.heard
        await over(crowd, bobs)


async def test_transfer_by_a_time_condition(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    night(crowd, "103")
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "700")
        await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await over(crowd, bobs)


async def test_transfer_to_one_for_whom_no_call_waits(crowd: Crowd) -> None:
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("phones", "103", call_waiting=False)
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.talk(carol, dave)
        await crowd.refer(talking, "103")
        assert (talking.got["REFER"], len(crowd.pairs())) == (486, 2)
        await over(crowd, bobs)


async def test_transfer_to_one_whose_phones_ring_in_order(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    further = Desk(crowd.office, "103")
    crowd.desks.append(further)
    crowd.office.set("phones", "103", order="in_order", seconds=10)
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        assert (len(carol.in_state("ringing")), len(further.in_state("ringing"))) == (1, 0)
        await crowd.waits(10.1)
        await crowd.answer(further)
        assert crowd.pairs() == [("102", "103")]
        await over(crowd, bobs)


async def test_whoever_transferred_forwards_and_the_recall_goes_on(crowd: Crowd) -> None:
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("forwarding", "101", always="104")
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        await crowd.hang_up(talking)
        await crowd.hang_up(carol.in_state("ringing")[0])
        await crowd.answer(dave)
        assert crowd.pairs() == [("102", "104")]
        await over(crowd, bobs)


# --- hold


async def test_parked_by_one_who_holds(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        talking.change(HELD, "invite")
        await crowd.settle()
        await crowd.refer(talking, "*851")
        assert played_to(crowd.office, "102") == "music"
        carol.call("*851")
        await crowd.settle()
        assert (crowd.pairs(), crowd.office.playback._playing) == ([("103", "102")], {})
        await over(crowd, bobs)


async def test_transferred_while_they_hold_themselves(crowd: Crowd) -> None:
    """Bob holds alice when she puts him through: carol is held by him at once, and hears music."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        bobs.change(HELD, "invite")
        await crowd.settle()
        await crowd.refer(talking, "103")
        await crowd.answer(carol)
        assert (crowd.pairs(), played_to(crowd.office, "103")) == ([("102", "103")], "music")
        bobs.change((), "invite")
        await crowd.settle()
        assert crowd.office.playback._playing == {}
        await over(crowd, bobs)


async def test_what_was_picked_up_is_held(crowd: Crowd) -> None:
    alice, _, carol, _ = crowd.desks
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        taking = carol.call("*40*102")
        await crowd.settle()
        for wants, heard in ((HELD, "music"), ((), "")):
            taking.change(wants, "invite")
            await crowd.settle()
            assert played_to(crowd.office, "101") == heard
        await over(crowd, calling)


async def test_a_call_that_was_sent_on_is_held(crowd: Crowd) -> None:
    alice, _, carol, _ = crowd.desks
    crowd.office.set("forwarding", "102", always="700")
    night(crowd, "103")
    async with crowd.at_work():
        calling, carols = await crowd.talk(alice, carol, "102")
        carols.change(HELD, "update")
        await crowd.settle()
        assert played_to(crowd.office, "101") == "music"
        await over(crowd, calling)


async def test_whoever_holds_takes_the_call_that_waits(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        waiting = carol.call("101")
        await crowd.settle()
        talking.change(HELD, "invite")
        await crowd.answer(alice)
        assert (played_to(crowd.office, "102"), played_to(crowd.office, "103")) == ("music", "")
        await over(crowd, waiting)


async def test_one_member_of_a_group_holds(crowd: Crowd) -> None:
    alice, _, carol, _ = crowd.desks
    crowd.office.set("groups", "600", members=("102", "103"))
    async with crowd.at_work():
        calling, carols = await crowd.talk(alice, carol, "600")
        carols.change(HELD, "late")
        await crowd.settle()
        assert played_to(crowd.office, "101") == "music"
        await over(crowd, calling)


# --- park


@pytest.mark.parametrize("forwarding", ["always", *FORWARDINGS])
async def test_whoever_parked_forwards_and_the_ring_back_goes_on(crowd: Crowd, forwarding: str) -> None:
    alice, bob, _, dave = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        crowd.office.set("forwarding", "101", **{forwarding: "104"})
        if forwarding == "not_registered":
            gone(crowd, "101")
        await crowd.waits(121)
        await fails(crowd, alice, forwarding)
        await crowd.answer(dave)
        assert crowd.pairs() == [("102", "104")]
        await over(crowd, bobs)


@pytest.mark.parametrize("how", ["do not disturb", "no call waits"])
async def test_whoever_parked_wants_no_call_when_it_is_time(crowd: Crowd, how: str) -> None:
    """They wait on."""
    alice, bob, carol, dave = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        if how == "do not disturb":
            crowd.office.set("do-not-disturb", "101", enabled=True)
        else:
            crowd.office.set("phones", "101", call_waiting=False)
            await crowd.talk(alice, carol)
        await crowd.waits(121)
        assert alice.in_state("ringing") == []
        assert played_to(crowd.office, "102") == "music"
        taking = dave.call("*851")
        await crowd.settle()
        assert (taking.state, ("104", "102") in crowd.pairs()) == ("talking", True)
        await over(crowd, bobs)


async def test_the_ring_back_is_picked_up(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        await crowd.waits(121)
        carol.call("*40*101")
        await crowd.settle()
        assert (crowd.pairs(), alice.in_state("ringing")) == ([("102", "103")], [])
        assert played_to(crowd.office, "102") == ""
        await over(crowd, bobs)


async def test_a_caller_of_a_group_is_parked(crowd: Crowd) -> None:
    """Whoever took the call is rung for it, not the group."""
    alice, bob, carol, _ = crowd.desks
    crowd.office.set("groups", "600", members=("102", "103"))
    async with crowd.at_work():
        calling, carols = await crowd.talk(alice, carol, "600")
        await crowd.refer(carols, "*85")
        await crowd.waits(121)
        assert bob.in_state("ringing") == []
        await crowd.answer(carol)
        assert crowd.pairs() == [("101", "103")]
        await over(crowd, calling)


# --- pick-up


async def test_nothing_rings_at_one_who_wants_no_calls(crowd: Crowd) -> None:
    alice, _, carol, _ = crowd.desks
    crowd.office.set("do-not-disturb", "102", enabled=True)
    async with crowd.at_work():
        calling = alice.call("102")
        taking = carol.call("*40*102")
        await crowd.settle()
        assert (calling.got["INVITE"], taking.got["INVITE"]) == (480, 404)
        await over(crowd)


async def test_a_call_that_waits_is_picked_up(crowd: Crowd) -> None:
    alice, bob, carol, dave = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        carol.call("102")
        await crowd.settle()
        dave.call("*40*102")
        await crowd.settle()
        assert sorted(crowd.pairs()) == [("101", "102"), ("103", "104")]
        await over(crowd, talking)


@pytest.mark.parametrize("forwarding", FORWARDINGS)
async def test_what_rings_after_a_forwarding_is_picked_up(crowd: Crowd, forwarding: str) -> None:
    alice, bob, _, dave = crowd.desks
    crowd.office.set("forwarding", "102", **{forwarding: "103"})
    if forwarding == "not_registered":
        gone(crowd, "102")
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        await fails(crowd, bob, forwarding)
        dave.call("*40*103")
        await crowd.settle()
        assert crowd.pairs() == [("101", "104")]
        await over(crowd, calling)


async def test_what_a_time_condition_leads_to_is_picked_up(crowd: Crowd) -> None:
    alice, _, carol, _ = crowd.desks
    night(crowd, "102")
    async with crowd.at_work():
        calling = alice.call("700")
        await crowd.settle()
        carol.call("*40*102")
        await crowd.settle()
        assert crowd.pairs() == [("101", "103")]
        await over(crowd, calling)


# --- call waiting


async def test_no_call_waits_and_it_is_forwarded_as_when_busy(crowd: Crowd) -> None:
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("phones", "102", call_waiting=False)
    crowd.office.set("forwarding", "102", busy="104", no_answer="101")
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        carol.call("102")
        await crowd.settle()
        await crowd.answer(dave)
        assert sorted(crowd.pairs()) == [("101", "102"), ("103", "104")]
        await over(crowd, talking)


@pytest.mark.parametrize("to", ["600", "700"])
async def test_no_call_waits_and_it_comes_by_a_group_or_a_time_condition(crowd: Crowd, to: str) -> None:
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("phones", "102", call_waiting=False)
    crowd.office.set("groups", "600", members=("102", "104"))
    night(crowd, "102")
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        calling = carol.call(to)
        await crowd.settle()
        assert bob.in_state("ringing") == []
        if to == "600":
            await crowd.answer(dave)
        else:
            assert calling.got["INVITE"] == 486
        await over(crowd, talking)


# --- click to dial


@pytest.mark.parametrize("service", ["forwarding", "do-not-disturb", "phones"])
async def test_whoever_clicks_is_rung_all_the_same(crowd: Crowd, service: str) -> None:
    """They want to call; what they have set is for callers."""
    alice, bob, carol, _ = crowd.desks
    match service:
        case "forwarding":
            crowd.office.set("forwarding", "101", always="104")
        case "do-not-disturb":
            crowd.office.set("do-not-disturb", "101", enabled=True)
        case _:
            crowd.office.set("phones", "101", call_waiting=False)
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, carol)
        crowd.office.exchange.dial("101", "102")
        await crowd.settle()
        again = await crowd.answer(alice)
        await crowd.answer(bob)
        assert sorted(crowd.pairs()) == [("101", "102"), ("101", "103")]
        await over(crowd, talking, again)


@pytest.mark.parametrize("to", ["600", "700"])
async def test_a_click_on_a_group_or_a_time_condition(crowd: Crowd, to: str) -> None:
    alice, bob, _, _ = crowd.desks
    crowd.office.set("groups", "600", members=("102", "103"))
    night(crowd, "102")
    async with crowd.at_work():
        crowd.office.exchange.dial("101", to)
        await crowd.settle()
        alices = await crowd.answer(alice)
        await crowd.answer(bob)
        assert crowd.pairs() == [("101", "102")]
        await over(crowd, alices)


async def test_a_click_on_one_who_wants_no_calls(crowd: Crowd) -> None:
    alice, _, _, _ = crowd.desks
    crowd.office.set("do-not-disturb", "102", enabled=True)
    async with crowd.at_work():
        crowd.office.exchange.dial("101", "102")
        await crowd.settle()
        await crowd.answer(alice)
        await crowd.ends("unavailable")


async def test_a_click_picked_up_held_and_parked(crowd: Crowd) -> None:
    alice, _, carol, dave = crowd.desks
    async with crowd.at_work():
        crowd.office.exchange.dial("101", "102")
        await crowd.settle()
        early = dave.call("*40*101")
        await crowd.settle()
        assert early.got["INVITE"] == 404, "what rings at whoever clicked is nobody's call yet"
        alices = await crowd.answer(alice)
        taking = carol.call("*40*102")
        await crowd.settle()
        assert crowd.pairs() == [("101", "103")]
        taking.change(HELD, "invite")
        await crowd.settle()
        assert played_to(crowd.office, "101") == "music"
        await crowd.refer(taking, "*851")
        dave.call("*851")
        await crowd.settle()
        assert crowd.pairs() == [("104", "101")]
        await over(crowd, alices)
