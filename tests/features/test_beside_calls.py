"""Where a service meets what is beside calls: a phone that sends a call on itself (3xx), lamps, texts, night mode."""

from __future__ import annotations

import pytest

from appliance.call.cause import Cause
from appliance.call.events import Dialled
from appliance.call.exchange import Directory
from appliance.call.extension_lamps import ExtensionLamps
from appliance.call.inbound import RefusedError
from appliance.call.texts import Texts
from appliance.call.verdict import Failure
from tests.call.outside_world import OutsideWorld, line
from tests.call.playbook import OFFER, Phone, talk
from tests.call.test_texts import message
from tests.features.crowd import Crowd, Line
from tests.features.ears import played_to
from tests.features.office import Office
from tests.features.test_keys_and_services import press
from tests.features.test_two_services import HELD, night, over, park


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "104", "105")


async def moves(crowd: Crowd, line: Line, to: str) -> None:
    """The phone itself sends the call that rings there on."""
    line.state = "gone"
    line.act(line.says(302, to=line.invited, Contact=f"<sip:{to}@198.51.100.9>"))
    await crowd.settle()


# --- a phone sends it on


@pytest.mark.parametrize(
    "way", ["102", "forwarded", "700", "group's overflow", "click", "in order", "attendant"]
)
async def test_a_call_that_a_phone_sends_on(crowd: Crowd, way: str) -> None:
    """However it came there, it goes on, and can be picked up where it rings then."""
    alice, bob, carol, dave, _ = crowd.desks
    night(crowd, "102")
    crowd.office.set("forwarding", "104", always="102")
    crowd.office.set("groups", "600", members=("104",), busy_to="102")
    crowd.office.set("phones", "102", order="in_order" if way == "in order" else "all")
    number = {"forwarded": "104", "700": "700", "group's overflow": "600", "attendant": "800"}.get(way, "102")
    crowd.office.set("attendants", "800", keys=("2=102",), direct_dialling=False)
    async with crowd.at_work():
        if way == "click":
            crowd.office.exchange.dial("101", number)
            await crowd.settle()
            calling = await crowd.answer(alice)
        else:
            calling = alice.call(number)
            await crowd.settle()
        if way == "attendant":
            assert lit(crowd) == {"101": ["confirmed"]}
            await press(crowd, calling, "2")
            assert lit(crowd) == {"101": ["confirmed"], "102": ["early"]}
        await moves(crowd, bob.in_state("ringing")[0], "103")
        assert carol.in_state("ringing")
        nothing = dave.call("*40*102")
        await crowd.settle()
        dave.call("*40*103")
        await crowd.settle()
        assert (nothing.got["INVITE"], crowd.pairs()) == (404, [("101", "104")])
        await over(crowd, calling)


@pytest.mark.parametrize(
    ("area", "values", "status"),
    [
        ("do-not-disturb", {"enabled": True}, 480),
        ("phones", {"call_waiting": False}, 486),
    ],
)
async def test_who_takes_no_call_is_not_rung_for_a_phone_either(
    crowd: Crowd, area: str, values: dict[str, object], status: int
) -> None:
    """The call waits for 102, who talks, and whose phone sends it on."""
    alice, bob, carol, dave, erin = crowd.desks
    crowd.office.set(area, "103", **values)
    async with crowd.at_work():
        talking, _ = await crowd.talk(bob, dave)
        others, _ = await crowd.talk(carol, erin)
        calling = alice.call("102")
        await crowd.settle()
        await moves(crowd, bob.in_state("ringing")[0], "103")
        assert (calling.got["INVITE"], carol.in_state("ringing")) == (status, [])
        await over(crowd, talking, others)


def test_who_hides_gets_round_it_by_no_phone(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.set("anonymous-rejection", "103", enabled=True)
    router = office.exchange.router
    plan = router.route(Dialled("", "", "102", 70, None, (), way_in="line:carrier"))
    with pytest.raises(RefusedError) as refused:
        router.onward(plan, Failure(Cause.UNAVAILABLE, "103"))
    assert refused.value.ending.cause is Cause.ANONYMOUS


async def test_who_is_put_through_is_sent_on(crowd: Crowd) -> None:
    """By REFER, by keys, and back to whoever parked; held then as anybody."""
    alice, bob, carol, dave, _ = crowd.desks
    async with crowd.at_work():
        for how in ("refer", "keys", "park"):
            talking, bobs = await crowd.talk(alice, bob)
            if how == "refer":
                await crowd.refer(talking, "103")
            elif how == "keys":
                await press(crowd, talking, "##103#")
            else:
                await crowd.refer(talking, "*851")
                await crowd.waits(121)
            (rung,) = (alice if how == "park" else carol).in_state("ringing")
            await moves(crowd, rung, "104")
            daves = await crowd.answer(dave)
            assert crowd.pairs() == [("102", "104")]
            daves.change(HELD, "invite")
            await crowd.settle()
            assert played_to(crowd.office, "102") == "music"
            await over(crowd, bobs)


async def test_a_phone_that_is_rung_for_a_click_sends_nothing_on(crowd: Crowd) -> None:
    """Whoever would answer elsewhere is not who has clicked."""
    alice, bob, carol, _, _ = crowd.desks
    async with crowd.at_work():
        crowd.office.exchange.dial("101", "102")
        await crowd.settle()
        await moves(crowd, alice.in_state("ringing")[0], "103")
        assert (bob.in_state("ringing"), carol.in_state("ringing")) == ([], [])
        assert len(crowd.office.exchange) == 0
        assert len(crowd.office.records) == 1


# --- lamps


def lit(crowd: Crowd) -> dict[str, list[str]]:
    """What shows at each extension that is not dark."""
    lamps = ExtensionLamps(crowd.office.exchange, crowd.office.extensions.get, lambda _: None)
    shown = {desk.number: lamps.lamps_of(desk.number) or () for desk in crowd.desks}
    return {number: sorted(str(each.state) for each in found) for number, found in shown.items() if found}


@pytest.mark.parametrize(
    ("settings", "number", "shown"),
    [
        ({"forwarding": {"always": "103"}}, "102", ["103"]),
        ({"forwarding": {"not_registered": "103"}}, "102", ["102"]),
        ({"do-not-disturb": {"enabled": True}}, "102", []),
        ({"phones": {"order": "in_order"}}, "102", ["102"]),
        ({}, "600", ["102", "103"]),
        ({}, "700", ["102"]),
    ],
)
async def test_the_lamp_of_whoever_is_rung_shows_it(
    crowd: Crowd, settings: dict[str, dict[str, object]], number: str, shown: list[str]
) -> None:
    alice = crowd.desks[0]
    for area, values in settings.items():
        crowd.office.set(area, "102", **values)
    crowd.office.set("groups", "600", members=("102", "103"))
    night(crowd, "102")
    async with crowd.at_work():
        calling = alice.call(number)
        await crowd.settle()
        expected = {each: ["early"] for each in ("101", *shown)} if shown else {}
        assert lit(crowd) == expected
        await over(crowd, calling)
        assert lit(crowd) == {}


async def test_the_lamps_of_who_holds_puts_through_and_picks_up(crowd: Crowd) -> None:
    alice, bob, carol, dave, _ = crowd.desks
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        talking.change(HELD, "invite")
        await crowd.settle()
        assert lit(crowd) == {"101": ["confirmed"], "102": ["confirmed"]}
        await crowd.refer(talking, "103")
        assert lit(crowd) == {"101": ["confirmed"], "102": ["confirmed"], "103": ["early"]}
        dave.call("*40*103")
        await crowd.settle()
        assert lit(crowd) == {"102": ["confirmed"], "104": ["confirmed"]}
        waiting = carol.call("102")
        await crowd.settle()
        assert lit(crowd)["102"] == ["confirmed", "early"]
        await over(crowd, waiting, bobs)


async def test_the_lamps_of_who_is_parked_and_who_asks_by_keys(crowd: Crowd) -> None:
    """A slot has a lamp of its own."""
    alice, bob, _, _, _ = crowd.desks
    async with crowd.at_work():
        _, bobs = await park(crowd, alice, bob)
        assert lit(crowd) == {"102": ["confirmed"]}
        assert crowd.office.services.lamps_of("*851")
        await over(crowd, bobs)
        talking, bobs = await crowd.talk(alice, bob)
        await press(crowd, talking, "**103#")
        assert lit(crowd) == {"101": ["confirmed"], "102": ["confirmed"], "103": ["early"]}
        await over(crowd, talking, bobs)


# --- texts


@pytest.mark.parametrize(
    ("area", "values"),
    [
        ("forwarding", {"always": "103"}),
        ("do-not-disturb", {"enabled": True}),
        ("phones", {"call_waiting": False}),
        ("anonymous-rejection", {"enabled": True}),
    ],
)
def test_a_text_arrives_whatever_is_set_for_calls(
    office: Office, alice: Phone, bob: Phone, area: str, values: dict[str, object]
) -> None:
    Texts(office.exchange, Directory(office.extensions.get, office, office))
    office.set(area, "102", **values)
    office >> message(alice, "102") << bob.gets("MESSAGE") >> bob.ok() << alice.gets(200)
    office.ends()


@pytest.mark.parametrize("number", ["600", "700", "800", "*851", "*40*102"])
def test_no_text_goes_to_a_service(office: Office, alice: Phone, bob: Phone, number: str) -> None:
    Texts(office.exchange, Directory(office.extensions.get, office, office))
    office.set("groups", "600", members=("102",))
    office.set("time-conditions", "700", open_to="102", closed_to="102")
    office.set("attendants", "800", keys=("2=102",))
    office >> message(alice, number) << alice.gets(404)
    office.ends()


def test_a_text_to_one_who_talks_and_none_is_transferred(office: Office, alice: Phone, bob: Phone) -> None:
    """All phones get it, whoever is held meanwhile; a REFER that would have somebody else write is none of ours."""
    Texts(office.exchange, Directory(office.extensions.get, office, office))
    talk(office, alice, bob)
    other = office.phone("102")
    office >> alice.ask("REFER", Refer_To="<sip:103@192.0.2.1;method=MESSAGE>") << alice.gets(501)
    line, reader = office.second_line(alice), office.second_line(bob)
    office >> message(line, "102") << reader.gets("MESSAGE") << other.gets("MESSAGE")
    office >> reader.ok() << line.gets(200) >> other.ok()
    office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    office.ends("normal")


def test_the_lamp_of_a_call_from_one_who_hides(office: Office, bob: Phone) -> None:
    world = OutsideWorld(office)
    carrier = world.line(line("a", incoming="102"))
    world.routes()
    carrier.domain = "192.0.2.1"
    office >> carrier.invite("a00", OFFER, Privacy="id", P_Asserted_Identity="<tel:0123>")
    office << bob.gets("INVITE") << carrier.gets(100)
    (lamp,) = ExtensionLamps(office.exchange, office.extensions.get, lambda _: None).lamps_of("102") or ()
    assert (lamp.there.number, lamp.there.display) == ("", "")
    assert "0123" not in repr((lamp, office.exchange.calls()))
    office >> bob.says(486) << bob.gets("ACK") << carrier.gets(486) >> carrier.ack_refusal()
    office.ends("busy")


# --- night mode


async def test_when_it_becomes_night_calls_go_on(crowd: Crowd) -> None:
    """What rings rings on, who talks talks on; the next call goes where it leads by night."""
    alice, bob, carol, dave, erin = crowd.desks
    crowd.office.set("time-conditions", "700", open_to="102", closed_to="103")
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob, "700")
        calling = dave.call("700")
        await crowd.settle()
        assert crowd.office.services.lamps_of("*28") == ()
        crowd.office.set("night-mode", enabled=True)
        await crowd.settle()
        assert crowd.office.services.lamps_of("*28")
        assert (crowd.pairs(), len(bob.in_state("ringing"))) == ([("101", "102")], 1)
        erin.call("700")
        await crowd.settle()
        assert carol.in_state("ringing")
        await over(crowd, talking, calling)
