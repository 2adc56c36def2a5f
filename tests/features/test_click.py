"""Click to dial at every stage: who declines, who is busy, by whose rights, and who hangs up (RFC 3725; RFC 5359 §2.18)."""

from __future__ import annotations

import pytest

from appliance.call.inbound import RefusedError
from tests.features.crowd import Crowd
from tests.features.ears import played_to
from tests.features.test_blind_transfer import Town


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "101")


async def dial(crowd: Crowd, number: str, to: str) -> str:
    call = crowd.office.exchange.dial(number, to)
    await crowd.settle()
    return call


async def test_one_hears_it_ring_and_talks(crowd: Crowd) -> None:
    alice, bob, _, other = crowd.desks
    async with crowd.at_work():
        call = await dial(crowd, "101", "102")
        assert (len(alice.in_state("ringing")), len(other.in_state("ringing"))) == (1, 1)
        assert not bob.in_state("ringing"), "nobody is called before whoever calls is there"
        alices = await crowd.answer(alice)
        assert (other.in_state("ringing"), played_to(crowd.office, "101")) == ([], "ring-back")
        await crowd.answer(bob)
        assert (crowd.pairs(), played_to(crowd.office, "101")) == ([("101", "102")], "")
        await crowd.hang_up(alices)
        await crowd.ends("normal")
        assert crowd.office.records[0].id == call


async def test_whoever_calls_declines_or_does_not_answer(crowd: Crowd) -> None:
    alice, bob, _, other = crowd.desks
    async with crowd.at_work():
        await dial(crowd, "101", "102")
        for desk in (alice, other):
            await crowd.hang_up(desk.in_state("ringing")[0])
        await dial(crowd, "101", "102")
        await crowd.waits(61)
        assert list(bob.lines) == []
        await crowd.ends("busy", "no_answer")


async def test_whoever_calls_hangs_up_while_it_rings(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        await dial(crowd, "101", "102")
        alices = await crowd.answer(alice)
        await crowd.hang_up(alices)
        assert bob.in_state("ringing") == []
        await crowd.ends("cancelled")


async def test_two_clicks_on_one_extension(crowd: Crowd) -> None:
    """Both ring, like two callers; whoever takes one has the other one waiting."""
    alice, bob, carol, other = crowd.desks
    async with crowd.at_work():
        await dial(crowd, "101", "102")
        await dial(crowd, "101", "103")
        first, second = alice.in_state("ringing")
        first.pick_up()
        await crowd.settle()
        await crowd.answer(bob)
        for line in (second, *other.in_state("ringing")):
            await crowd.hang_up(line)
        assert carol.in_state("ringing") == []
        assert crowd.pairs() == [("101", "102")]
        await crowd.hang_up(first)
        await crowd.ends("busy", "normal")


async def test_to_one_who_forwards(crowd: Crowd) -> None:
    alice, _, carol, _ = crowd.desks
    crowd.office.set("forwarding", "102", always="103")
    async with crowd.at_work():
        await dial(crowd, "101", "102")
        alices = await crowd.answer(alice)
        await crowd.answer(carol)
        assert crowd.pairs() == [("101", "103")]
        await crowd.hang_up(alices)
        await crowd.ends("normal")
        record = crowd.office.records[0]
        assert (record.to_number, record.answered_by, [each.by for each in record.steps]) == (
            "102",
            "103",
            ["102"],
        )


async def test_whoever_is_rung_for_it_is_not_idle(crowd: Crowd) -> None:
    """Nobody picks it up, for who would talk to whom? No call waits where none may."""
    alice, bob, carol, other = crowd.desks
    crowd.office.set("phones", "101", call_waiting=False)
    exchange = crowd.office.exchange
    async with crowd.at_work():
        await dial(crowd, "101", "102")
        assert (exchange.busy_state("101"), exchange.busy_state("102")) == ("ringing", "idle")
        assert exchange.engaged() == {"101"}
        calling, taking = carol.call("101"), bob.call("*40*101")
        await crowd.settle()
        assert (calling.got["INVITE"], taking.got["INVITE"]) == (486, 404)
        for desk in (alice, other):
            await crowd.hang_up(desk.in_state("ringing")[0])
        assert (exchange.busy_state("101"), exchange.engaged()) == ("idle", set())
        await crowd.ends("busy", "not_found", "busy")


@pytest.mark.parametrize(("to", "cause"), [("102", "busy"), ("199", "not_found")])
async def test_nobody_can_be_called(crowd: Crowd, to: str, cause: str) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        await dial(crowd, "101", to)
        await crowd.answer(alice)
        for line in bob.in_state("ringing"):
            await crowd.hang_up(line)
        await crowd.ends(cause)


async def test_outside_by_the_right_of_whoever_calls() -> None:
    town = Town(_101=1, _102=0)
    alice, bob, outside = town.desks
    async with town.at_work():
        await dial(town, "101", "90777")
        alices = await town.answer(alice)
        await town.answer(outside)
        assert town.pairs() == [("101", "0777")]
        await town.hang_up(alices)
        await dial(town, "102", "90777")
        await town.answer(bob)
        await town.ends("normal", "forbidden")


@pytest.mark.parametrize("stage", ["first rings", "second rings", "talk"])
@pytest.mark.parametrize("how", ["console", "shut down"])
async def test_it_is_ended_at_any_stage(crowd: Crowd, stage: str, how: str) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        call = await dial(crowd, "101", "102")
        if stage != "first rings":
            await crowd.answer(alice)
        if stage == "talk":
            await crowd.answer(bob)
        if how == "console":
            assert crowd.office.exchange.hang_up(call)
        else:
            crowd.office.exchange.shut_down()
        await crowd.ends("administrator" if how == "console" else "shutdown")


@pytest.mark.parametrize("who", ["first", "second"])
async def test_a_phone_vanishes_while_the_two_are_joined(crowd: Crowd, who: str) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        await dial(crowd, "101", "102")
        alices = await crowd.answer(alice)
        gone = alice if who == "first" else bob
        gone.silent = gone.missed = True
        for line in bob.in_state("ringing"):
            line.pick_up()
        await crowd.waits(61)
        for line in alice.in_state("talking"):
            if not alice.silent:
                await crowd.hang_up(line)
        await crowd.settle()
        assert len(crowd.office.exchange) == 0
        assert len(crowd.office.records) == 1
        assert alices.desk is alice


async def test_whoever_called_transfers(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        await dial(crowd, "101", "102")
        alices = await crowd.answer(alice)
        bobs = await crowd.answer(bob)
        await crowd.refer(alices, "103")
        await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")


async def test_the_first_refuses_the_second_session(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        await dial(crowd, "101", "102")
        await crowd.answer(alice)
        alice.refuses = True
        await crowd.answer(bob)
        await crowd.ends("media")


def test_nobody_calls_themselves(crowd: Crowd) -> None:
    with pytest.raises(RefusedError):
        crowd.office.exchange.dial("101", "101")


def test_nobody_is_dialled_for_when_all_is_over(crowd: Crowd) -> None:
    crowd.office.exchange.shut_down()
    with pytest.raises(RefusedError):
        crowd.office.exchange.dial("101", "102")
