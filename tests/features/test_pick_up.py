"""Pick-up, as each phone sees it (RFC 5359 §2.16)."""

from __future__ import annotations

from tests.call.playbook import OFFER, Phone, sdp
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
