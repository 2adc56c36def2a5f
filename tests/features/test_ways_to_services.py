"""Numbers of services are destinations as extensions are: of routes, and of lines."""

from __future__ import annotations

import pytest

from appliance.config.route import Route
from tests.call.outside_world import OutsideWorld, line
from tests.call.playbook import ANSWER, OFFER, Phone
from tests.features.office import Office


@pytest.mark.parametrize(
    ("to", "replace"), [("extension:600", ""), ("extension", "600"), ("feature:groups", "600")]
)
def test_a_route_leads_to_a_group(
    office: Office, alice: Phone, bob: Phone, carol: Phone, to: str, replace: str
) -> None:
    """A number of a service is as good a destination as an extension's."""
    office.set("groups", "600", members=("102",))
    world = OutsideWorld(office, out_prefix="")
    sales = Route(name="sales", pattern="77", to=(to,), replace=replace)
    office.config.edit(lambda now: now.with_item("routes", sales))
    world.routes(sales)
    office >> alice.invite("77", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy")


def test_a_line_leads_to_a_group(office: Office, bob: Phone, carol: Phone) -> None:
    """And so to whatever else has a number."""
    office.set("groups", "600", members=("102", "103"))
    carrier = OutsideWorld(office, out_prefix="").line(line(incoming="600"))
    office >> carrier.invite("100", OFFER) << bob.gets("INVITE") << carol.gets("INVITE") << carrier.gets(100)
    office >> carol.says(180) << carrier.gets(180) >> bob.says(200, ANSWER) << bob.gets("ACK")
    (
        office
        << carol.gets("CANCEL")
        << carrier.gets(200)
        >> carrier.ack()
        >> carol.ok()
        >> carol.says(487)
        << carol.gets("ACK")
    )
    office >> carrier.bye() << carrier.gets(200) << bob.gets("BYE") >> bob.ok()
    office.ends("normal")
