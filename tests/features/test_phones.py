"""Several phones of one extension: in order, all at once, answered elsewhere; call waiting (RFC 5359 §2.12; RFC 3261 §16.6)."""

from __future__ import annotations

import msgspec
import pytest

from appliance.errors import ConfigError
from tests.call.playbook import OFFER, Phone
from tests.features.crowd import Crowd, Desk
from tests.features.office import Office


@pytest.fixture
def crowd() -> Crowd:
    """The third and fourth are further phones of 102."""
    crowd = Crowd("101", "102", "102", "102", "103")
    bindings = crowd.office.bindings["102"]
    liked = zip(bindings, (0.3, 1.0, 0.5), strict=True)
    crowd.office.bindings["102"] = [msgspec.structs.replace(each, q=q) for each, q in liked]
    return crowd


def ringing(*desks: Desk) -> list[bool]:
    return [bool(desk.in_state("ringing")) for desk in desks]


async def test_all_at_once(crowd: Crowd) -> None:
    alice, one, two, three, _ = crowd.desks
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        assert ringing(one, two, three) == [True, True, True]
        await crowd.answer(two)
        assert ringing(one, two, three) == [False, False, False]
        for desk in (one, three):
            (line,) = desk.lines.values()
            assert line.asked is not None
            assert "cause=200" in (line.asked.headers.get("Reason") or ""), "it was answered elsewhere"
        await crowd.hang_up(calling)
        await crowd.ends("normal")


async def test_in_order_of_what_the_phones_say(crowd: Crowd) -> None:
    """The highest q first; each for as long as is set."""
    alice, one, two, three, _ = crowd.desks
    crowd.office.set("phones", "102", order="in_order", seconds=10)
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        assert ringing(one, two, three) == [False, True, False]
        await crowd.waits(10.1)
        assert ringing(one, two, three) == [False, False, True]
        await crowd.hang_up(three.in_state("ringing")[0])
        assert ringing(one, two, three) == [True, False, False]
        await crowd.answer(one)
        await crowd.hang_up(calling)
        await crowd.ends("normal")


async def test_in_order_and_nobody_answers(crowd: Crowd) -> None:
    """Then the extension's own forwarding has its turn, once."""
    alice, _, _, _, carol = crowd.desks
    crowd.office.set("phones", "102", order="in_order", seconds=10)
    crowd.office.set("forwarding", "102", no_answer="103")
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        for _ in range(3):
            assert not carol.in_state("ringing")
            await crowd.waits(10.1)
        await crowd.answer(carol)
        await crowd.hang_up(calling)
        await crowd.ends("normal")


async def test_in_order_and_one_sends_the_call_on(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """It speaks for the phones that come after it."""
    office.phone("102")
    office.set("phones", "102", order="in_order", seconds=10)
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(302, Contact=carol.contact()) << bob.gets("ACK") << alice.gets(181)
    office << carol.gets("INVITE") >> carol.says(486) << carol.gets("ACK") << alice.gets(486)
    (office >> alice.ack_refusal()).ends("busy")


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("forwards", [False, True])
async def test_in_order_and_one_declines_for_all(crowd: Crowd, at: int, forwards: bool) -> None:
    """RFC 3261 §16.7 step 5: 603 speaks for the phones that come after it, and for one that rang in vain before."""
    alice, one, two, three, carol = crowd.desks
    crowd.office.set("phones", "102", order="in_order", seconds=10)
    if forwards:
        crowd.office.set("forwarding", "102", busy="103")
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        await crowd.waits(10.1 * at)
        (line,) = (two, three)[at].in_state("ringing")
        line.state = "gone"
        line.act(line.says(603, to=line.invited))
        await crowd.settle()
        assert ringing(one, two, three) == [False, False, False]
        if forwards:
            await crowd.answer(carol)
            await crowd.hang_up(calling)
            await crowd.ends("normal")
        else:
            assert calling.got["INVITE"] == 603
            await crowd.ends("refused")


async def test_two_answer_at_the_same_moment(crowd: Crowd) -> None:
    """One has the call, the other is acknowledged and hung up (RFC 3261 §13.2.2.4)."""
    alice, one, two, _, _ = crowd.desks
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        for desk in (one, two):
            desk.in_state("ringing")[0].pick_up()
        await crowd.settle()
        assert (len(list(one)), len(list(two))) == (1, 0)
        await crowd.hang_up(calling)
        await crowd.ends("normal")


async def test_a_call_waits_for_one_who_talks(crowd: Crowd) -> None:
    alice, one, _, _, carol = crowd.desks
    async with crowd.at_work():
        talking = one.call("101")
        await crowd.settle()
        await crowd.answer(alice)
        calling = carol.call("102")
        await crowd.settle()
        assert len(one.in_state("ringing")) == 1
        await crowd.hang_up(calling)
        await crowd.hang_up(talking)
        await crowd.ends("cancelled", "normal")


@pytest.mark.parametrize("state", ["calls", "is rung", "talks"])
async def test_no_call_waits_where_that_is_set(crowd: Crowd, state: str) -> None:
    alice, one, _, _, carol = crowd.desks
    crowd.office.set("phones", "102", call_waiting=False)
    async with crowd.at_work():
        line = alice.call("102") if state == "is rung" else one.call("101")
        await crowd.settle()
        if state == "talks":
            await crowd.answer(alice)
        calling = carol.call("102")
        await crowd.settle()
        assert calling.got["INVITE"] == 486
        await crowd.hang_up(line)
        again = carol.call("102")
        await crowd.settle()
        assert ringing(one) == [True]
        await crowd.hang_up(again)
        await crowd.ends("busy", "normal" if state == "talks" else "cancelled", "cancelled")


async def test_the_phone_that_is_picked_up_vanishes(crowd: Crowd) -> None:
    """It shows when alice wants something of it."""
    alice, one, _, _, _ = crowd.desks
    async with crowd.at_work():
        calling = alice.call("102")
        await crowd.settle()
        await crowd.answer(one)
        one.silent = one.missed = True
        calling.change(("a=sendonly",), "invite")
        await crowd.waits(40)
        await crowd.ends("lost")


@pytest.mark.parametrize("seconds", [4, 121])
def test_what_cannot_be_set(crowd: Crowd, seconds: int) -> None:
    with pytest.raises(ConfigError):
        crowd.office.set("phones", "102", seconds=seconds)
