"""Attended transfer: who may, what may go wrong meanwhile, and a phone that takes another's place (RFC 5589 §7; RFC 3891 §3)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.features.crowd import Crowd, Desk, Line, replaces_of
from tests.features.ears import played_to
from tests.features.test_blind_transfer import OK, TRYING, Town

HELD = ("a=sendonly",)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "104", "101")


async def consult(crowd: Crowd, alice: Desk, bob: Desk, carol: Desk) -> tuple[Line, Line, Line, Line]:
    """Alice holds bob and talks to carol: her line to bob, his, hers to carol, and carol's."""
    talking, bobs = await crowd.talk(alice, bob)
    talking.change(HELD, "invite")
    await crowd.settle()
    second, carols = await crowd.talk(alice, carol)
    return talking, bobs, second, carols


async def test_both_calls_become_one(crowd: Crowd) -> None:
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs, second, carols = await consult(crowd, alice, bob, carol)
        assert played_to(crowd.office, "102") == "music"
        await crowd.join(talking, second)
        assert talking.heard == [TRYING, OK]
        assert (talking.state, second.state, crowd.pairs()) == ("gone", "gone", [("102", "103")])
        assert crowd.office.playback._playing == {}
        for each in (bobs, carols):
            assert each.invited is not None
            assert b"a=sendonly" not in each.invited.body
        await crowd.hang_up(carols)
        await crowd.ends("handed_over", "handed_over", "normal")


async def test_the_other_way_round(crowd: Crowd) -> None:
    """Who was called first is put through to in the REFER's target, by the phone whose second call came in."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        carols, second = await crowd.talk(carol, alice)
        await crowd.join(second, talking)
        assert (second.heard, crowd.pairs()) == ([TRYING, OK], [("103", "102")])
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "handed_over", "normal")
        assert carols.state == "gone"


async def test_while_the_third_one_rings(crowd: Crowd) -> None:
    """Bob takes alice's place as the one who waits, and hears it ring."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        second = alice.call("103")
        await crowd.settle()
        await crowd.join(talking, second)
        assert (talking.heard, talking.state, second.state) == ([TRYING, OK], "gone", "gone")
        assert played_to(crowd.office, "102") == "ring-back"
        await crowd.answer(carol)
        assert (crowd.pairs(), played_to(crowd.office, "102")) == ([("102", "103")], "")
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")
        assert [each.from_number for each in crowd.office.records] == ["101", "102"]


async def test_the_third_one_rings_and_does_not_answer(crowd: Crowd) -> None:
    """Whoever put them through is rung."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        second = alice.call("103")
        await crowd.settle()
        await crowd.join(talking, second)
        await crowd.hang_up(carol.in_state("ringing")[0])
        await crowd.answer(alice)
        assert crowd.pairs() == [("102", "101")]
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "busy", "normal")


async def test_whoever_was_put_through_lets_another_wait(crowd: Crowd) -> None:
    """Bob waits for carol, by alice's doing, and puts dave there in his place: alice is free."""
    alice, bob, carol, dave, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        second, daves = await crowd.talk(bob, dave)
        await crowd.join(second, bobs)
        assert (talking.state, talking.heard[-1], bobs.state, second.state) == ("gone", OK, "gone", "gone")
        await crowd.answer(carol)
        assert crowd.pairs() == [("104", "103")]
        await crowd.hang_up(daves)
        await crowd.ends("handed_over", "handed_over", "normal")


async def test_a_third_one_who_gets_no_offer_makes_one(crowd: Crowd) -> None:
    """Alice's second INVITE had none: bob's answer reaches carol in the ACK (RFC 3264 §5)."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        second = alice.call("103", late=True)
        await crowd.settle()
        await crowd.join(talking, second)
        carols = await crowd.answer(carol)
        assert (crowd.pairs(), carols.unanswered) == ([("102", "103")], False)
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")


async def test_the_third_one_refuses_the_new_session(crowd: Crowd) -> None:
    """Both calls are back."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs, second, carols = await consult(crowd, alice, bob, carol)
        carol.refuses = True
        await crowd.join(talking, second)
        assert talking.heard == [TRYING, "488 Not Acceptable Here"]
        assert sorted(crowd.pairs()) == [("101", "102"), ("101", "103")]
        assert played_to(crowd.office, "102") == "music"
        await crowd.hang_up(bobs)
        await crowd.hang_up(carols)
        await crowd.ends("media", "normal", "normal")


async def test_in_vain_and_whoever_asked_is_gone(crowd: Crowd) -> None:
    """Nobody is left hanging."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs, second, carols = await consult(crowd, alice, bob, carol)
        carol.slow = carol.refuses = True
        await crowd.join(talking, second)
        await crowd.hang_up(talking)
        await crowd.hang_up(second)
        carol.slow = False
        carol.look()
        await crowd.ends("normal", "normal", "media")
        assert (bobs.state, carols.state) == ("gone", "gone")


@pytest.mark.parametrize("who", ["transferred", "third"])
async def test_one_of_the_two_vanishes(crowd: Crowd, who: str) -> None:
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, _, second, _ = await consult(crowd, alice, bob, carol)
        gone = {"transferred": bob, "third": carol}[who]
        gone.silent = gone.missed = True
        await crowd.join(talking, second)
        await crowd.waits(40)
        for each in (talking, second):
            if each.state == "talking":
                await crowd.hang_up(each)
        await crowd.settle()
        assert [line.tag for desk in (alice, bob, carol) if not desk.missed for line in desk] == []
        assert len(crowd.office.exchange) == 0


async def test_one_of_the_two_hangs_up_meanwhile(crowd: Crowd) -> None:
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs, second, carols = await consult(crowd, alice, bob, carol)
        carol.slow = True
        await crowd.join(talking, second)
        await crowd.hang_up(bobs)
        carol.slow = False
        carol.look()
        await crowd.ends("cancelled", "handed_over", "handed_over")
        assert talking.heard[-1] == "487 Request Terminated"
        assert carols.state == "gone"


async def test_both_re_invites_cross(crowd: Crowd) -> None:
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs, second, carols = await consult(crowd, alice, bob, carol)
        carol.slow = True
        await crowd.join(talking, second)
        carols.change((), "invite")
        carol.slow = False
        carol.look()
        await crowd.waits(2.2)
        assert (carols.got["INVITE"], crowd.pairs()) == (491, [("102", "103")])
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "handed_over", "normal")


async def test_somebody_else_s_call(crowd: Crowd) -> None:
    alice, bob, carol, dave, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        others, daves = await crowd.talk(carol, dave)
        for theirs in (others, daves):
            await crowd.join(talking, theirs)
            assert talking.got["REFER"] == 403
        await crowd.refer(talking, f"x@192.0.2.1?Replaces={quote('none;to-tag=a;from-tag=b')}")
        assert talking.got["REFER"] == 481
        await crowd.join(talking, talking)
        assert talking.got["REFER"] == 403, "a call cannot be joined to itself"
        assert crowd.pairs() == [("101", "102"), ("103", "104")]
        await crowd.hang_up(bobs)
        await crowd.hang_up(daves)
        await crowd.ends("normal", "normal")


async def test_on_and_on(crowd: Crowd) -> None:
    """Carol, who was put through to, asks dave and puts bob through to him."""
    alice, bob, carol, dave, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs, second, carols = await consult(crowd, alice, bob, carol)
        await crowd.join(talking, second)
        third, _ = await crowd.talk(carol, dave)
        await crowd.join(carols, third)
        assert (carols.state, crowd.pairs()) == ("gone", [("102", "104")])
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "handed_over", "handed_over", "handed_over", "normal")


async def test_x_12_two_calls_by_a_line() -> None:
    """Both legs outside are joined, and the extension is free."""
    town = Town(_101=1)
    alice, _, outside = town.desks
    async with town.at_work():
        far, talking = await town.talk(outside, alice, "a00")
        second, farther = await town.talk(alice, outside, "90777")
        await town.join(talking, second)
        assert (talking.state, second.state) == ("gone", "gone")
        assert (town.pairs(), town.office.exchange.busy_state("101")) == ([("0123456", "0777")], "idle")
        assert town.office.exchange.calls_by("line:a") == 2
        await town.hang_up(far)
        await town.ends("handed_over", "handed_over", "normal")
        assert (town.office.records[2].way_in, town.office.records[2].way_out) == ("line:a", "line:a")
        assert farther.state == "gone"


# --- a phone takes the place of another one


async def take_over(crowd: Crowd, desk: Desk, line: Line, *, late: bool = False) -> Line:
    taking = desk.call("x", late=late, Replaces=replaces_of(line))
    await crowd.settle()
    return taking


@pytest.mark.parametrize("late", [False, True], ids=["offer", "no offer"])
async def test_another_phone_of_one_s_own_takes_the_call(crowd: Crowd, late: bool) -> None:
    alice, bob, _, _, desk = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        taking = await take_over(crowd, desk, talking, late=late)
        assert (talking.state, taking.state, crowd.pairs()) == ("gone", "talking", [("101", "102")])
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")


async def test_nobody_else_takes_a_talk(crowd: Crowd) -> None:
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        taking = await take_over(crowd, carol, talking)
        assert (taking.got["INVITE"], crowd.pairs()) == (403, [("101", "102")])
        await crowd.hang_up(bobs)
        await crowd.ends("forbidden", "normal")


async def test_the_other_end_refuses(crowd: Crowd) -> None:
    """The call stays where it was."""
    alice, bob, _, _, desk = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        bob.refuses = True
        taking = await take_over(crowd, desk, talking)
        assert (taking.got["INVITE"], crowd.pairs()) == (488, [("101", "102")])
        await crowd.hang_up(bobs)
        await crowd.ends("media", "normal")


async def test_the_other_end_refuses_and_the_phone_is_gone(crowd: Crowd) -> None:
    alice, bob, _, _, desk = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        bob.refuses = bob.slow = True
        await take_over(crowd, desk, talking)
        await crowd.hang_up(talking)
        bob.slow = False
        bob.look()
        await crowd.ends("normal", "media")
        assert bobs.state == "gone"


async def test_nobody_outside_takes_a_call() -> None:
    town = Town(_101=1)
    alice, bob, outside = town.desks
    async with town.at_work():
        talking, bobs = await town.talk(alice, bob)
        taking = outside.call("a00", Replaces=replaces_of(talking))
        await town.settle()
        assert (taking.got["INVITE"], town.pairs()) == (603, [("101", "102")])
        await town.hang_up(bobs)
        await town.ends("refused", "normal")
