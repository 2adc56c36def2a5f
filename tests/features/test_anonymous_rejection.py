"""Anonymous call rejection (RFC 5079)."""

from __future__ import annotations

from appliance.call.cause import Cause
from appliance.call.decision import ToExtension
from appliance.call.events import Dialled
from appliance.call.verdict import Refuse
from tests.call.playbook import OFFER, Phone
from tests.features.office import Office


def test_who_hides_is_refused_and_who_does_not_rings(office: Office, alice: Phone, bob: Phone) -> None:
    hidden = Dialled("", "", "102", 70, None, (), way_in="line:carrier")
    assert office.services.reached(ToExtension("102"), hidden) is None
    office.set("anonymous-rejection", "102", enabled=True)
    assert office.services.reached(ToExtension("102"), hidden) == Refuse(Cause.ANONYMOUS)
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy")


async def test_by_code(office: Office, bob: Phone) -> None:
    async with office.serving():
        for code, enabled in (("*77", True), ("*87", False)):
            office >> bob.invite(code, OFFER)
            await office.settled()
            office << bob.gets(100) << bob.gets(200) >> bob.ack()
            office.waits(2)
            await office.settled()
            office << bob.gets("BYE") >> bob.ok()
            assert office.setting("anonymous-rejection", "102").enabled is enabled
        office.ends("normal", "normal")
