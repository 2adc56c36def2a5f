"""Where transfer by keys meets another service. What it does alone stands in test_transfer_by_keys.py."""

from __future__ import annotations

import pytest

from tests.features.crowd import Crowd, Line
from tests.features.ears import played_to
from tests.features.test_two_services import FORWARDINGS, HELD, fails, gone, night, over


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "104")


async def press(crowd: Crowd, line: Line, keys: str) -> None:
    for key in keys:
        body = f"Signal={key}\r\n".encode()
        line.act(line.ask("INFO", body, Content_Type="application/dtmf-relay"))
        await crowd.settle()


@pytest.mark.parametrize("forwarding", ["always", *FORWARDINGS])
async def test_to_one_who_forwards(crowd: Crowd, forwarding: str) -> None:
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("forwarding", "103", **{forwarding: "104"})
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        if forwarding == "not_registered":
            gone(crowd, "103")
        await press(crowd, talking, "##103#")
        await fails(crowd, carol, forwarding)
        await crowd.answer(dave)
        assert crowd.pairs() == [("102", "104")]
        await over(crowd, bobs)


@pytest.mark.parametrize("why", ["do not disturb", "no call waits"])
async def test_to_one_who_takes_no_call(crowd: Crowd, why: str) -> None:
    """An error is heard, and they talk again."""
    alice, bob, carol, dave = crowd.desks
    if why == "do not disturb":
        crowd.office.set("do-not-disturb", "103", enabled=True)
    else:
        crowd.office.set("phones", "103", call_waiting=False)
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        if why != "do not disturb":
            await crowd.talk(carol, dave)
        await press(crowd, talking, "##103#")
        await crowd.waits(3)
        assert (talking.state, ("101", "102") in crowd.pairs()) == ("talking", True)
        await over(crowd, bobs)


@pytest.mark.parametrize("to", ["600", "700"])
async def test_to_a_group_and_by_a_time_condition(crowd: Crowd, to: str) -> None:
    alice, bob, carol, _ = crowd.desks
    crowd.office.set("groups", "600", members=("103",))
    night(crowd, "103")
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, f"##{to}#")
        await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await over(crowd, bobs)


async def test_keys_in_vain_while_one_holds(crowd: Crowd) -> None:
    """Whom they hold goes on hearing music."""
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        talking.change(HELD, "invite")
        await crowd.settle()
        await press(crowd, talking, "##")
        await crowd.waits(10)
        assert played_to(crowd.office, "102") == "music"
        talking.change((), "invite")
        await crowd.settle()
        assert played_to(crowd.office, "102") == ""
        await over(crowd, talking)


async def test_keys_in_vain_of_one_who_is_held(crowd: Crowd) -> None:
    """They hear the tones, and music again."""
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        bobs.change(HELD, "invite")
        await crowd.settle()
        await press(crowd, talking, "##")
        assert played_to(crowd.office, "101") == "confirmation"
        await crowd.waits(10)
        assert played_to(crowd.office, "101") == "music"
        bobs.change((), "invite")
        await crowd.settle()
        assert (played_to(crowd.office, "101"), played_to(crowd.office, "102")) == ("", "")
        await over(crowd, talking)


@pytest.mark.parametrize("who", ["whoever presses holds", "whoever is put through holds"])
async def test_while_somebody_holds(crowd: Crowd, who: str) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        holding = talking if "presses" in who else bobs
        holding.change(HELD, "invite")
        await crowd.settle()
        await press(crowd, talking, "##103#")
        await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        assert played_to(crowd.office, "103") == ("" if holding is talking else "music")
        await over(crowd, bobs)


async def test_nobody_is_put_through_by_refer_while_somebody_waits(crowd: Crowd) -> None:
    """Neither by whoever asks nor by whom they ask: the one who waits would be forgotten."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "**103#")
        carols = await crowd.answer(carol)
        for line in (talking, carols):
            await crowd.refer(line, "104")
            assert line.got["REFER"] == 603
        assert crowd.pairs() == [("101", "103")]
        await crowd.hang_up(talking)
        assert crowd.pairs() == [("102", "103")]
        await over(crowd, bobs)


async def test_parked_and_taken_up(crowd: Crowd) -> None:
    alice, bob, _, dave = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "##*851#")
        assert played_to(crowd.office, "102") == "music"
        taking = dave.call("*851")
        await crowd.settle()
        assert (taking.state, crowd.pairs()) == ("talking", [("104", "102")])
        await over(crowd, bobs)


async def test_whom_one_asks_is_picked_up(crowd: Crowd) -> None:
    alice, bob, carol, dave = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "**103#")
        assert carol.in_state("ringing")
        dave.call("*40*103")
        await crowd.settle()
        assert crowd.pairs() == [("101", "104")]
        await crowd.hang_up(talking)
        assert crowd.pairs() == [("102", "104")]
        await over(crowd, bobs)


async def test_whoever_clicked_puts_through(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        crowd.office.exchange.dial("101", "102")
        await crowd.settle()
        talking = await crowd.answer(alice)
        bobs = await crowd.answer(bob)
        await press(crowd, talking, "##103#")
        await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await over(crowd, bobs)


async def test_on_and_on(crowd: Crowd) -> None:
    alice, bob, carol, dave = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "##103#")
        carols = await crowd.answer(carol)
        await press(crowd, carols, "##104#")
        await crowd.answer(dave)
        assert crowd.pairs() == [("102", "104")]
        await over(crowd, bobs)
