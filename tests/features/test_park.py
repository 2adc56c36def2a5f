"""Park, as each phone sees it (RFC 5359 §2.15)."""

from __future__ import annotations

import msgspec

from tests.call.playbook import ANSWER, OFFER, Phone, sdp, talk
from tests.features.office import Office

CAROLS = sdp("10.3.3.3", 6000)


async def park(office: Office, alice: Phone, bob: Phone, slot: str = "1") -> None:
    """Alice, who talks to bob, parks him."""
    talk(office, alice, bob)
    office >> alice.ask("REFER", Refer_To=f"<sip:*85{slot}@192.0.2.1>")
    await office.settled()
    (
        office
        << alice.gets(202)
        << alice.gets("NOTIFY", "100 Trying")
        >> alice.ok()
        << bob.gets("INVITE", "m=audio")
        << alice.gets("BYE")
        >> alice.ok()
        << alice.gets("NOTIFY", "200 OK")
    )
    office >> alice.ok() >> bob.says(200, ANSWER) << bob.gets("ACK")


async def test_5359_2_15_park_and_take_up(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    async with office.serving():
        await park(office, alice, bob)
        (lamp,) = office.services.lamps_of("*851") or ()
        assert (lamp.state, lamp.there.number, office.services.lamps_of("*852")) == ("confirmed", "102", ())
        assert office.services.lamps_of("*8599") is None
        (row,) = office.services.snapshots["park"]()
        assert msgspec.structs.astuple(row)[:4] == ("1", "102", "Bob", "101")
        office >> carol.invite("*851", CAROLS)
        await office.settled()
        office << carol.gets(100) << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
        office << carol.gets(200) >> carol.ack()
        assert (office.services.lamps_of("*851"), office.services.snapshots["park"]()) == ((), [])
        assert office.lamps.count("*851") >= 2
        office >> carol.bye() << carol.gets(200) << bob.gets("BYE") >> bob.ok()
        office.ends("handed_over", "handed_over", "normal")


async def test_whoever_parked_is_rung(office: Office, alice: Phone, bob: Phone) -> None:
    async with office.serving():
        await park(office, alice, bob)
        office.waits(120)
        await office.settled()
        office << alice.gets("INVITE", "<sip:102@192.0.2.1>") >> alice.says(200, OFFER) << alice.gets("ACK")
        office << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
        office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()
        office.ends("handed_over", "handed_over", "normal")


async def test_whoever_parked_answers_with_what_nobody_can_read(
    office: Office, alice: Phone, bob: Phone
) -> None:
    """That is no reason to lose whoever waits."""
    async with office.serving():
        await park(office, alice, bob)
        office.waits(120)
        await office.settled()
        (
            office
            << alice.gets("INVITE")
            >> alice.says(200, b"nonsense")
            << alice.gets("ACK")
            << alice.gets("BYE")
        )
        office >> alice.ok()
        await office.settled()
        office << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
        assert office.services.lamps_of("*851")
        office >> bob.bye() << bob.gets(200)
        await office.settled()
        office.ends("handed_over", "handed_over", "media", "normal")


async def test_nobody_is_parked_there(office: Office, carol: Phone) -> None:
    async with office.serving():
        office >> carol.invite("*852", CAROLS)
        await office.settled()
        (office << carol.gets(100) << carol.gets(404) >> carol.ack_refusal()).ends("not_found")


async def test_whoever_takes_them_up_hangs_up_before_they_are_joined(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """Bob waits on, in the same slot."""
    async with office.serving():
        await park(office, alice, bob)
        office >> carol.invite("*851", CAROLS)
        await office.settled()
        office << carol.gets(100) << bob.gets("INVITE")
        asked = bob.invited
        office >> carol.cancel() << carol.gets(200) << carol.gets(487) >> carol.ack_refusal()
        office >> bob.says(200, ANSWER, to=asked) << bob.gets("ACK")
        await office.settled()
        assert [msgspec.structs.astuple(row)[0] for row in office.services.snapshots["park"]()] == ["1"]
        office << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
        office >> bob.bye() << bob.gets(200)
        office.ends("handed_over", "handed_over", "cancelled", "normal")
