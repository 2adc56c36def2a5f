"""Where an attendant meets another service. What it does alone: test_attendants.py."""

from __future__ import annotations

import msgspec
import pytest

from appliance.sip.message import Request
from tests.call.outside_world import OutsideWorld, line, route, trunk
from tests.features.crowd import Crowd, Desk, Line
from tests.features.ears import played_to
from tests.features.test_two_services import HELD, OK, fails, gone, over

FORWARDINGS = ("always", "busy", "no_answer", "not_registered")
MENU = ("2=102", "3=103", "4=104", "6=600", "8=800")


@pytest.fixture
def crowd() -> Crowd:
    made = Crowd("101", "102", "103", "104")
    made.office.set("attendants", "700", keys=MENU, direct_dialling=False, wait_seconds=60)
    return made


async def press(crowd: Crowd, line: Line, keys: str) -> None:
    for key in keys:
        line.act(line.ask("INFO", f"Signal={key}".encode(), Content_Type="application/dtmf-relay"))
        await crowd.settle()


async def in_menu(crowd: Crowd, desk: Desk, number: str = "700") -> Line:
    """The phone has dialled a number, and hears the greeting."""
    line = desk.call(number)
    await crowd.settle()
    assert (line.state, heard(crowd, line)) == ("talking", "chime")
    return line


def heard(crowd: Crowd, line: Line) -> str:
    return played_to(crowd.office, line.number)


def steps(crowd: Crowd) -> list[tuple[str, str]]:
    """How the call came about that ended last."""
    return [(each.by, each.to) for each in crowd.office.records[-1].steps]


# --- forwarding


@pytest.mark.parametrize("forwarding", FORWARDINGS)
async def test_to_one_who_forwards(crowd: Crowd, forwarding: str) -> None:
    alice, _, carol, dave = crowd.desks
    crowd.office.set("forwarding", "103", **{forwarding: "104"})
    if forwarding == "not_registered":
        gone(crowd, "103")
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        await press(crowd, calling, "3")
        await fails(crowd, carol, forwarding)
        await crowd.answer(dave)
        assert (crowd.pairs(), heard(crowd, calling)) == ([("101", "104")], "")
        await over(crowd, calling)
    assert steps(crowd) == [("700", "103"), ("103", "104")]


@pytest.mark.parametrize("forwarding", FORWARDINGS)
async def test_forwarded_to_the_attendant(crowd: Crowd, forwarding: str) -> None:
    """Who has sent the call there cannot be chosen: that would be a circle, and an error is heard."""
    alice, _, carol, dave = crowd.desks
    crowd.office.set("forwarding", "103", **{forwarding: "700"})
    if forwarding == "not_registered":
        gone(crowd, "103")
    async with crowd.at_work():
        calling = alice.call("103")
        await crowd.settle()
        await fails(crowd, carol, forwarding)
        assert heard(crowd, calling) == "chime"
        await press(crowd, calling, "3")
        await crowd.waits(3)
        assert (carol.in_state("ringing"), heard(crowd, calling)) == ([], "chime")
        await press(crowd, calling, "4")
        await crowd.answer(dave)
        await over(crowd, calling)
    assert steps(crowd) == [("103", "700"), ("700", "104")]


# --- do not disturb, call waiting


@pytest.mark.parametrize("how", ["do not disturb", "no call waits"])
async def test_to_one_who_wants_no_calls(crowd: Crowd, how: str) -> None:
    """The greeting is heard again."""
    alice, bob, carol, dave = crowd.desks
    async with crowd.at_work():
        if how == "do not disturb":
            crowd.office.set("do-not-disturb", "103", enabled=True)
        else:
            crowd.office.set("phones", "103", call_waiting=False)
            await crowd.talk(carol, bob)
        calling = await in_menu(crowd, alice)
        await press(crowd, calling, "3")
        await crowd.waits(3)
        assert (carol.in_state("ringing"), heard(crowd, calling)) == ([], "chime")
        await press(crowd, calling, "4")
        await crowd.answer(dave)
        assert ("101", "104") in crowd.pairs()
        await over(crowd, calling)


# --- groups, time conditions


async def test_to_a_group(crowd: Crowd) -> None:
    alice, _, carol, _ = crowd.desks
    crowd.office.set("groups", "600", members=("102", "103"))
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        await press(crowd, calling, "6")
        await crowd.answer(carol)
        assert crowd.pairs() == [("101", "103")]
        await over(crowd, calling)


async def overflows(crowd: Crowd, member: Desk, when: str) -> None:
    if when == "busy_to":
        await crowd.hang_up(member.in_state("ringing")[0])
    else:
        await crowd.waits(20.5)


@pytest.mark.parametrize("when", ["busy_to", "no_answer_to"])
async def test_a_group_overflows_to_it(crowd: Crowd, when: str) -> None:
    """When the caller came from there: as if nobody had answered."""
    alice, bob, _, dave = crowd.desks
    crowd.office.set("groups", "600", members=("102",), ring_seconds=20, **{when: "700"})
    async with crowd.at_work():
        calling = alice.call("600")
        await crowd.settle()
        await overflows(crowd, bob, when)
        assert heard(crowd, calling) == "chime"
        await press(crowd, calling, "4")
        await crowd.answer(dave)
        await over(crowd, calling)
        assert steps(crowd) == [("600", "700"), ("700", "104")]
        again = await in_menu(crowd, alice)
        await press(crowd, again, "6")
        await overflows(crowd, bob, when)
        assert (again.state, heard(crowd, again)) == ("talking", "chime")
        await over(crowd, again)


async def test_by_a_time_condition_both_ways(crowd: Crowd) -> None:
    """By day the main number leads to the menu; a key leads to another time condition, and on."""
    alice, _, carol, _ = crowd.desks
    crowd.office.set("time-conditions", "800", open_to="103", closed_to="104")
    crowd.office.set("time-conditions", "801", open_to="700", closed_to="104")
    async with crowd.at_work():
        calling = await in_menu(crowd, alice, "801")
        await press(crowd, calling, "8")
        await crowd.answer(carol)
        assert crowd.pairs() == [("101", "103")]
        await over(crowd, calling)
    assert steps(crowd) == [("801", "700"), ("700", "800"), ("800", "103")]


async def test_round_by_a_time_condition(crowd: Crowd) -> None:
    alice, _, _, dave = crowd.desks
    crowd.office.set("time-conditions", "800", open_to="700", closed_to="104")
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        await press(crowd, calling, "8")
        await crowd.waits(3)
        assert heard(crowd, calling) == "chime"
        await press(crowd, calling, "4")
        await crowd.answer(dave)
        await over(crowd, calling)


# --- hold, transfer, park, pick-up, click to dial


@pytest.mark.parametrize("how", ["invite", "update", "late"])
async def test_whoever_is_in_a_menu_holds(crowd: Crowd, how: str) -> None:
    """And presses a key when they are back; then the one they chose holds them."""
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        for wants in (HELD, ()):
            calling.change(wants, how)
            await crowd.settle()
        await press(crowd, calling, "2")
        bobs = await crowd.answer(bob)
        bobs.change(HELD, how)
        await crowd.settle()
        assert heard(crowd, calling) == "music"
        bobs.change((), how)
        await crowd.settle()
        assert (crowd.pairs(), heard(crowd, calling)) == ([("101", "102")], "")
        await over(crowd, calling)


async def test_put_through_while_they_hold(crowd: Crowd) -> None:
    """The keys came before: whoever takes the call is held at once."""
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        await press(crowd, calling, "2")
        calling.change(HELD, "invite")
        await crowd.settle()
        await crowd.answer(bob)
        assert played_to(crowd.office, "102") == "music"
        calling.change((), "invite")
        await crowd.settle()
        assert (crowd.pairs(), played_to(crowd.office, "102")) == ([("101", "102")], "")
        await over(crowd, calling)


async def test_transferred_to_it(crowd: Crowd) -> None:
    """By the rights of whoever transfers up to there; from there on by the attendant's."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await crowd.refer(talking, "700")
        assert (talking.heard[-1], talking.state, heard(crowd, bobs)) == (OK, "gone", "chime")
        await press(crowd, bobs, "3")
        carols = await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await crowd.refer(carols, "101")
        await crowd.answer(alice)
        assert crowd.pairs() == [("102", "101")]
        await over(crowd, bobs)


async def test_a_menu_cannot_be_handed_to_another(crowd: Crowd) -> None:
    """481; whoever rings behind it can."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        second = await in_menu(crowd, alice)
        await crowd.join(talking, second)
        assert (talking.got["REFER"], crowd.pairs()) == (481, [("101", "102")])
        await press(crowd, second, "3")
        await crowd.join(talking, second)
        await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await over(crowd, bobs)


async def test_whom_it_put_through_is_parked_and_taken_up(crowd: Crowd) -> None:
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        await press(crowd, calling, "2")
        bobs = await crowd.answer(bob)
        await crowd.refer(bobs, "*851")
        assert heard(crowd, calling) == "music"
        carol.call("*851")
        await crowd.settle()
        assert crowd.pairs() == [("103", "101")]
        await over(crowd, calling)


async def test_no_key_dials_a_code(crowd: Crowd) -> None:
    """It would act for the attendant: nothing is parked, nor picked up."""
    alice, bob, _, dave = crowd.desks
    crowd.office.set("attendants", "700", keys=("1=*85", "5=*40*102", "4=104"), direct_dialling=False)
    async with crowd.at_work():
        waiting = bob.call("104")
        calling = await in_menu(crowd, alice)
        for key in "15":
            await press(crowd, calling, key)
            await crowd.waits(3)
            assert heard(crowd, calling) == "chime"
        assert (len(dave.in_state("ringing")), crowd.office.services.snapshots["park"]()) == (1, [])
        await over(crowd, waiting, calling)


async def test_what_rings_behind_it_is_picked_up(crowd: Crowd) -> None:
    """Nothing rings in the menu itself."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        early = carol.call("*40*700")
        await crowd.settle()
        assert early.got["INVITE"] == 404
        await press(crowd, calling, "2")
        carol.call("*40*102")
        await crowd.settle()
        assert (crowd.pairs(), bob.in_state("ringing")) == ([("101", "103")], [])
        assert heard(crowd, calling) == ""
        await over(crowd, calling)


async def test_a_click_on_it(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    async with crowd.at_work():
        crowd.office.exchange.dial("101", "700")
        await crowd.settle()
        alices = await crowd.answer(alice)
        assert heard(crowd, alices) == "chime"
        await press(crowd, alices, "2")
        await crowd.answer(bob)
        assert crowd.pairs() == [("101", "102")]
        await over(crowd, alices)


async def test_several_phones_of_whom_it_leads_to(crowd: Crowd) -> None:
    alice, bob, _, _ = crowd.desks
    further = Desk(crowd.office, "102")
    crowd.desks.append(further)
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        await press(crowd, calling, "2")
        assert len(bob.in_state("ringing")) == 1
        await crowd.answer(further)
        assert (crowd.pairs(), bob.in_state("ringing")) == ([("101", "102")], [])
        await over(crowd, calling)


# --- transfer by keys, anonymous call rejection


async def test_put_through_to_it_by_keys(crowd: Crowd) -> None:
    """Keys of whoever is in the menu are the menu's: they put nobody through."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "##700#")
        assert (heard(crowd, bobs), talking.state) == ("chime", "gone")
        await press(crowd, bobs, "3")
        carols = await crowd.answer(carol)
        await press(crowd, carols, "##101#")
        await crowd.answer(alice)
        assert crowd.pairs() == [("102", "101")]
        await over(crowd, bobs)


@pytest.mark.parametrize("key", ["", "3"])
async def test_asked_by_keys(crowd: Crowd, key: str) -> None:
    """Whoever asks hears the menu, and by a key of it somebody else; when they hang up, the one who waits gets that."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "**700#")
        assert (heard(crowd, talking), heard(crowd, bobs)) == ("chime", "music")
        await press(crowd, talking, key)
        if key:
            await crowd.answer(carol)
        await crowd.hang_up(talking)
        if not key:
            assert heard(crowd, bobs) == "chime"
            await press(crowd, bobs, "3")
            await crowd.answer(carol)
        assert crowd.pairs() == [("102", "103")]
        await over(crowd, bobs)


async def test_asked_by_keys_in_vain(crowd: Crowd) -> None:
    """Whom the menu leads to is busy: the two talk again."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "**700#3")
        await crowd.hang_up(carol.in_state("ringing")[0])
        assert (crowd.pairs(), heard(crowd, bobs)) == ([("101", "102")], "")
        await press(crowd, talking, "**700#3")
        await crowd.answer(carol)
        await press(crowd, talking, "**")
        assert crowd.pairs() == [("101", "102")]
        await over(crowd, bobs)


async def test_whoever_asks_by_keys_is_hung_up_on(crowd: Crowd) -> None:
    """Nothing was chosen: the two talk again."""
    alice, bob, _, _ = crowd.desks
    crowd.office.set("attendants", "700", tries=1, wait_seconds=5)
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "**700#")
        await crowd.waits(10)
        assert (crowd.pairs(), heard(crowd, bobs)) == ([("101", "102")], "")
        await over(crowd, bobs)


async def test_whoever_hides_and_is_not_wanted_there(crowd: Crowd) -> None:
    """The greeting is heard again; where nobody minds they are put through."""
    _, _, carol, dave = crowd.desks
    crowd.office.set("anonymous-rejection", "103", enabled=True)
    world = OutsideWorld(crowd.office)
    (server,) = world.trunk(trunk("hq", incoming="700"), ("203.0.113.99", 5060))
    outside = Desk(crowd.office, "anonymous", server.address)
    crowd.desks.append(outside)
    async with crowd.at_work():
        calling = outside.call("700")
        await crowd.settle()
        assert calling.state == "talking"
        await press(crowd, calling, "3")
        await crowd.waits(3)
        assert carol.in_state("ringing") == []
        await press(crowd, calling, "4")
        await crowd.answer(dave)
        assert crowd.pairs() == [("", "104")]
        await over(crowd, calling)


# --- numbers outside


@pytest.mark.parametrize("level", [2, 3])
async def test_a_key_leads_outside_by_the_attendants_own_right(crowd: Crowd, level: int) -> None:
    """Whoever calls: from outside nobody has any, and alice's own does not count."""
    alice, *_ = crowd.desks
    office = crowd.office
    office.extensions["101"] = msgspec.structs.replace(office.extensions["101"], level=9)
    office.set("attendants", "700", keys=("5=0911555",), level=level)
    world = OutsideWorld(office, out_prefix="")
    (provider,) = world.trunk(trunk("hq", incoming="700"), ("203.0.113.99", 5060))
    mobile = Desk(office, "0911555", world.line(line("a")).address)
    world.routes(route("line:a", pattern="0X.", level=3))
    outside = Desk(office, "0123456", provider.address)
    crowd.desks += [mobile, outside]
    async with crowd.at_work():
        for desk in (alice, outside):
            calling = desk.call("700")
            await crowd.settle()
            await press(crowd, calling, "5")
            if level == 3:
                await crowd.answer(mobile)
                assert len(crowd.pairs()) == 1
            await crowd.waits(3)
            assert (len(mobile.in_state("talking")), calling.state) == (level == 3, "talking")
            await crowd.hang_up(calling)
            await over(crowd)
    causes = [each.cause for each in office.records]
    assert causes == (["handed_over", "normal"] * 2 if level == 3 else ["normal"] * 2)


@pytest.mark.parametrize("number", ["0911555", "90911555#", "*72104#", "110#", "#", "**", "999999"])
async def test_nobody_dials_anything_but_the_house(crowd: Crowd, number: str) -> None:
    """Neither numbers outside, nor emergency numbers, nor codes, whatever right the attendant has; a group's name or not."""
    office = crowd.office
    office.set("groups", "110", members=("101",))
    office.set("attendants", "700", keys=(), level=9, direct_dialling=True, tries=9)
    world = OutsideWorld(office, out_prefix="9", emergency=("110",))
    (provider,) = world.trunk(trunk("hq", incoming="700"), ("203.0.113.99", 5060))
    mobile = Desk(office, "0911555", world.line(line("a")).address)
    world.routes(route("line:a"))
    outside = Desk(office, "0123456", provider.address)
    crowd.desks += [mobile, outside]
    async with crowd.at_work():
        calling = outside.call("700")
        await crowd.settle()
        await press(crowd, calling, number)
        await crowd.waits(5)
        assert (mobile.lines, calling.state) == ({}, "talking")
        await crowd.hang_up(calling)
    assert [each.cause for each in office.records] == ["normal"]
    assert office.setting("forwarding", "101").always == ""


# --- other attendants


async def test_from_menu_to_menu_and_back(crowd: Crowd) -> None:
    """As often as the caller likes, within one call."""
    alice, _, carol, _ = crowd.desks
    crowd.office.set("attendants", "701", keys=("0=700", "3=103"), direct_dialling=False)
    crowd.office.set("attendants", "700", keys=("1=701",), direct_dialling=False)
    async with crowd.at_work():
        calling = await in_menu(crowd, alice)
        invites = len([each for each in crowd.office.story if each.endswith("INVITE")])
        await press(crowd, calling, "10101")
        assert len([each for each in crowd.office.story if each.endswith("INVITE")]) == invites
        await press(crowd, calling, "3")
        await crowd.answer(carol)
        assert (crowd.pairs(), isinstance(calling.last, Request)) == ([("101", "103")], True)
        await over(crowd, calling)
    assert [each.cause for each in crowd.office.records] == ["handed_over", "normal"]
