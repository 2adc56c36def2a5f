"""Pick-up, as each phone sees it (RFC 5359 §2.16)."""

from __future__ import annotations

from tests.call.playbook import ANSWER, OFFER, Phone, sdp
from tests.features.office import Office

CAROLS = sdp("10.3.3.3", 6000, "a=rtpmap:8 PCMA/8000")


def rings_at_bob(office: Office, alice: Phone, bob: Phone) -> None:
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)


async def picked_up(office: Office, code: str, alice: Phone, bob: Phone, carol: Phone) -> None:
    async with office.serving():
        rings_at_bob(office, alice, bob)
        office >> carol.invite(code, CAROLS)
        await office.settled()
        (
            office
            << carol.gets(100)
            << bob.gets("CANCEL", 'Reason: SIP;cause=200;text="Call completed elsewhere"')
            << carol.gets(200, "c=IN IP4 192.0.2.1")
            << alice.gets(200, "c=IN IP4 192.0.2.1")
        )
        office >> carol.ack() >> alice.ack() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
        office >> alice.bye() << alice.gets(200) << carol.gets("BYE") >> carol.ok()
        office.ends("handed_over", "normal")
        assert office.records[1].answered_by == "103"


async def test_5359_2_16_directed(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    await picked_up(office, "*40*102", alice, bob, carol)


async def test_of_ones_group(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.set("groups", "600", members=("102", "103"))
    await picked_up(office, "*50*", alice, bob, carol)


async def test_nothing_rings(office: Office, alice: Phone, carol: Phone) -> None:
    async with office.serving():
        office >> carol.invite("*40*102", CAROLS)
        await office.settled()
        (office << carol.gets(100) << carol.gets(404) >> carol.ack_refusal()).ends("not_found")


async def test_given_up_before_it_is_looked_for(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """INVITE and CANCEL come in one breath: bob's phone rings on."""
    async with office.serving():
        rings_at_bob(office, alice, bob)
        office >> carol.invite("*40*102", CAROLS) >> carol.cancel()
        await office.settled()
        office << carol.gets(100) << carol.gets(200) << carol.gets(487) >> carol.ack_refusal()
        office >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
        (office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("cancelled", "normal")


async def test_whoever_picks_up_is_heard_press_keys(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    async with office.serving():
        rings_at_bob(office, alice, bob)
        office >> carol.invite("*40*102", CAROLS)
        await office.settled()
        office << carol.gets(100) << bob.gets("CANCEL") << carol.gets(200) << alice.gets(200)
        office >> carol.ack() >> alice.ack() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
        (call,) = office.exchange._calls.values()
        assert [leg.media._on_key is not None for leg in call.legs] == [True, True]
        office >> alice.bye() << alice.gets(200) << carol.gets("BYE") >> carol.ok()
        office.ends("handed_over", "normal")


async def test_by_click_to_dial_it_is_refused(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """Whoever was rung up has no INVITE left that could be answered."""
    async with office.serving():
        rings_at_bob(office, alice, bob)
        office.exchange.dial("103", "*40*102")
        office << carol.gets("INVITE") >> carol.says(200, CAROLS) << carol.gets("ACK")
        await office.settled()
        office << carol.gets("BYE") >> carol.ok()
        office >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
        office << bob.gets("CANCEL") >> bob.ok() >> bob.says(487) << bob.gets("ACK")
        office.ends("forbidden", "cancelled")
