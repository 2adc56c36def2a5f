"""Blind transfer: rights, failures, phones that vanish, and where it may lead (RFC 5589 §6; RFC 3515; RFC 4488)."""

from __future__ import annotations

import msgspec
import pytest

from appliance.config.extension import Extension
from tests.call.outside_world import OutsideWorld, line, route
from tests.features.crowd import Crowd, Desk
from tests.features.ears import played_to

TRYING, RINGING, OK = "100 Trying", "180 Ringing", "200 OK"


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "104")


async def test_from_the_callee_s_side(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(bobs, "103")
        assert (played_to(crowd.office, "101"), crowd.pairs()) == ("ring-back", [])
        await crowd.answer(carol)
        assert (bobs.heard, bobs.state) == ([TRYING, RINGING, OK], "gone")
        assert (crowd.pairs(), played_to(crowd.office, "101")) == ([("101", "103")], "")
        await crowd.hang_up(talking)
        await crowd.ends("handed_over", "normal")


async def test_music_until_it_rings(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        carol.slow = True
        await crowd.refer(talking, "103")
        assert played_to(crowd.office, "102") == "music"
        carol.slow = False
        carol.look()
        await crowd.settle()
        assert played_to(crowd.office, "102") == "ring-back"
        await crowd.hang_up(bobs)
        await crowd.ends("cancelled", "handed_over")
        assert talking.heard == [TRYING, RINGING, "487 Request Terminated"]


async def test_nobody_answers_and_the_call_is_back(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        talking.change(("a=sendonly",), "invite")  # as phones do before they ask for it
        await crowd.settle()
        await crowd.refer(talking, "103")
        await crowd.waits(61)
        assert talking.heard == [TRYING, RINGING, "480 No Answer"]
        assert (crowd.pairs(), played_to(crowd.office, "102")) == ([("101", "102")], "music")
        talking.change((), "invite")
        await crowd.settle()
        assert played_to(crowd.office, "102") == ""
        await crowd.hang_up(bobs)
        await crowd.ends("no_answer", "normal")


async def test_whoever_comes_back_knows_what_was_said_meanwhile(crowd: Crowd) -> None:
    """Alice takes bob off hold while he is rung elsewhere: he is told when he is back."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        talking.change(("a=sendonly",), "invite")
        await crowd.settle()
        await crowd.refer(talking, "103")
        talking.change((), "invite")
        await crowd.settle()
        await crowd.hang_up(carol.in_state("ringing")[0])
        assert (crowd.pairs(), played_to(crowd.office, "102")) == ([("101", "102")], "")
        assert bobs.invited is not None
        assert b"a=sendonly" not in bobs.invited.body
        await crowd.hang_up(talking)
        await crowd.ends("busy", "normal")


async def test_whoever_transfers_hangs_up_and_is_not_there_either(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        await crowd.hang_up(talking)
        await crowd.hang_up(carol.in_state("ringing")[0])
        assert bobs.state == "talking"
        await crowd.hang_up(alice.in_state("ringing")[0])
        await crowd.ends("normal", "busy", "busy")


async def test_whoever_transfers_vanishes(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        alice.silent = alice.missed = True
        carols = await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await crowd.waits(40)
        assert crowd.pairs() == [("102", "103")]
        await crowd.hang_up(carols)
        await crowd.ends("handed_over", "normal")


async def test_whoever_is_transferred_vanishes(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        bob.silent = bob.missed = True
        await crowd.answer(carol)
        await crowd.waits(40)
        await crowd.ends("handed_over", "media")


async def test_the_target_vanishes(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        carol.silent = True
        await crowd.refer(talking, "103")
        await crowd.waits(40)
        assert talking.heard == [TRYING, "408 Request Timeout"]
        assert crowd.pairs() == [("101", "102")]
        await crowd.hang_up(bobs)
        await crowd.ends("unreachable", "normal")


async def test_whoever_is_transferred_refuses_the_new_session(crowd: Crowd) -> None:
    """There is no session with whom has picked up: that call ends."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        bob.refuses = True
        await crowd.answer(carol)
        await crowd.ends("handed_over", "media")


async def test_glare_with_whoever_is_transferred(crowd: Crowd) -> None:
    """Bob's own re-INVITE crosses that of the exchange, which tries again."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        bob.slow = True
        await crowd.answer(carol)
        bobs.change((), "invite")
        bob.look()
        await crowd.settle()
        bob.slow = False
        bob.look()
        await crowd.waits(2.2)
        assert (bobs.got["INVITE"], crowd.pairs()) == (491, [("102", "103")])
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")


async def test_on_and_on(crowd: Crowd) -> None:
    """Three times: from bob to carol, to dave, and back to alice."""
    alice, bob, carol, dave = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        carols = await crowd.answer(carol)
        await crowd.refer(carols, "104")
        daves = await crowd.answer(dave)
        assert (carols.heard, crowd.pairs()) == ([TRYING, RINGING, OK], [("102", "104")])
        await crowd.refer(bobs, "101")  # he who was transferred transfers whom he got
        again = await crowd.answer(alice)
        assert (bobs.state, crowd.pairs()) == ("gone", [("104", "101")])
        await crowd.hang_up(again)
        await crowd.ends("handed_over", "handed_over", "handed_over", "normal")
        assert daves.state == "gone"


@pytest.mark.parametrize(
    ("to", "status"),
    [("102", 486), ("*40*103", 403), ("199", 404), ("90123", 404)],
    ids=["whom one talks to", "another's code", "nobody", "outside without a line"],
)
async def test_where_nobody_can_be_put_through_to(crowd: Crowd, to: str, status: int) -> None:
    """The REFER itself is refused, and the call goes on."""
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, to)
        assert (talking.got["REFER"], talking.heard, crowd.pairs()) == (status, [], [("101", "102")])
        await crowd.hang_up(bobs)
        await crowd.ends("normal")


async def test_to_oneself(crowd: Crowd) -> None:
    """It rings once more, as if bob called."""
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "101")
        again = await crowd.answer(alice)
        assert (talking.state, crowd.pairs()) == ("gone", [("102", "101")])
        await crowd.hang_up(again)
        await crowd.ends("handed_over", "normal")
        assert bobs.state == "gone"


async def test_to_a_group(crowd: Crowd) -> None:
    alice, bob, carol, dave = crowd.desks
    crowd.office.set("groups", "600", members=("103", "104"))
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "600")
        assert len(carol.in_state("ringing")) == 1
        await crowd.answer(dave)
        assert (talking.heard[-1], crowd.pairs()) == (OK, [("102", "104")])
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")


async def test_to_one_who_forwards(crowd: Crowd) -> None:
    """The steps are in what the last one gets and in the record; whoever transfers hears it ring there."""
    alice, bob, _, dave = crowd.desks
    crowd.office.set("forwarding", "103", always="104")
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        daves = await crowd.answer(dave)
        assert daves.invited is not None
        told = daves.invited.encode().decode()
        assert "Diversion: <sip:103@192.0.2.1>;reason=unconditional" in told
        assert "Referred-By: <sip:101@192.0.2.1>" in told
        assert talking.heard == [TRYING, "181 Call Is Being Forwarded", RINGING, OK]
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")
        record = crowd.office.records[1]
        assert (record.to_number, record.answered_by) == ("103", "104")
        assert [each.by for each in record.steps] == ["103"]


async def test_to_one_who_does_not_want_to_be_disturbed(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    crowd.office.set("do-not-disturb", "103", enabled=True)
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        assert (talking.got["REFER"], crowd.pairs()) == (480, [("101", "102")])
        await crowd.hang_up(bobs)
        await crowd.ends("normal")


async def test_without_news(crowd: Crowd) -> None:
    """RFC 4488: a phone that wants no NOTIFY gets none."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103", Refer_Sub="false", Supported="norefersub")
        assert talking.got["REFER"] == 202
        await crowd.answer(carol)
        assert (talking.heard, talking.state, crowd.pairs()) == ([], "gone", [("102", "103")])
        await crowd.hang_up(bobs)
        await crowd.ends("handed_over", "normal")


@pytest.mark.parametrize("answers", [True, False])
async def test_asked_for_while_the_hold_is_under_way(crowd: Crowd, answers: bool) -> None:
    """Bob's answer to the hold comes when he waits for carol: it is alice's still, and the music is his alone."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        bob.slow = True
        talking.change(("a=sendonly",), "invite")
        await crowd.settle()
        await crowd.refer(talking, "103")
        bob.slow = False
        bob.look()
        await crowd.settle()
        assert (talking.got["INVITE"], played_to(crowd.office, "102")) == (200, "ring-back")
        if answers:
            await crowd.answer(carol)
            assert (crowd.pairs(), crowd.office.playback._playing) == ([("102", "103")], {})
        else:
            await crowd.hang_up(carol.in_state("ringing")[0])
            assert (crowd.pairs(), played_to(crowd.office, "102")) == ([("101", "102")], "music")
        await crowd.hang_up(bobs)
        await crowd.ends(*(("handed_over", "normal") if answers else ("busy", "normal")))


async def test_once_more_meanwhile(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        await crowd.refer(talking, "104")
        assert talking.got["REFER"] == 603
        await crowd.refer(bobs, "104")
        assert bobs.got["REFER"] == 491
        await crowd.hang_up(carol.in_state("ringing")[0])
        assert crowd.pairs() == [("101", "102")]
        await crowd.hang_up(bobs)
        await crowd.ends("busy", "normal")


async def test_the_console_hangs_up_meanwhile(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        first, second = crowd.office.exchange.calls()
        assert crowd.office.exchange.hang_up(second.id)
        await crowd.ends("administrator", "handed_over")
        assert not crowd.office.exchange.hang_up(first.id)


async def test_shut_down_meanwhile(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        await crowd.refer(talking, "103")
        crowd.office.exchange.shut_down()
        await crowd.ends("shutdown", "shutdown")


# --- lines


class Town(Crowd):
    """With a line, and somebody outside."""

    def __init__(self, **rights: int) -> None:
        super().__init__("101", "102")
        world = OutsideWorld(self.office)
        carrier = world.line(line("a", incoming="101"))
        world.routes(route("line:a", level=1))
        self.outside = Desk(self.office, "0123456", carrier.address)
        self.desks.append(self.outside)
        for number, level in rights.items():
            extension: Extension = self.office.extensions[number.removeprefix("_")]
            self.office.extensions[extension.number] = msgspec.structs.replace(extension, level=level)
        self.office.config.edit(lambda now: msgspec.structs.replace(now, extensions=self.office.extensions))


async def test_from_a_line_to_an_extension() -> None:
    town = Town()
    alice, bob, outside = town.desks
    async with town.at_work():
        far, talking = await town.talk(outside, alice, "a00")
        await town.refer(talking, "102")
        bobs = await town.answer(bob)
        assert town.pairs() == [("0123456", "102")]
        assert town.office.exchange.calls_by("line:a") == 1
        await town.hang_up(bobs)
        await town.ends("handed_over", "normal")
        assert [each.way_in for each in town.office.records] == ["line:a", "line:a"]
        assert far.state == "gone"


async def test_to_a_line_with_the_right_of_whoever_transfers() -> None:
    town = Town(_101=1, _102=0)
    alice, bob, outside = town.desks
    async with town.at_work():
        talking, bobs = await town.talk(alice, bob)
        await town.refer(bobs, "90123456")
        assert (bobs.got["REFER"], town.pairs()) == (403, [("101", "102")])
        await town.refer(talking, "90123456")
        await town.answer(outside)
        assert town.pairs() == [("102", "0123456")]
        await town.hang_up(bobs)
        await town.ends("handed_over", "normal")
        assert town.office.records[1].way_out == "line:a"


async def test_from_a_line_to_a_line() -> None:
    """With the right of whoever transfers, whose extension stands in neither leg."""
    town = Town(_101=1)
    alice, _, outside = town.desks
    async with town.at_work():
        far, talking = await town.talk(outside, alice, "a00")
        await town.refer(talking, "90777")
        await town.answer(outside)
        assert town.office.exchange.calls_by("line:a") == 2
        assert town.pairs() == [("0123456", "0777")]
        await town.hang_up(far)
        await town.ends("handed_over", "normal")


async def test_nobody_outside_transfers() -> None:
    town = Town(_101=1)
    alice, _, outside = town.desks
    async with town.at_work():
        far, _ = await town.talk(outside, alice, "a00")
        await town.refer(far, "102")
        assert (far.got["REFER"], town.pairs()) == (603, [("0123456", "101")])
        await town.hang_up(far)
        await town.ends("normal")
