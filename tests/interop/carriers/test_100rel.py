"""Carriers with 100rel: one that demands it and refuses our PRACK, and one that must not hear of it.

RFC 3262 §3, §4.
"""

from __future__ import annotations

import pytest

from tests.peers.scripted_carrier import Office

pytestmark = pytest.mark.interop


def test_a_carrier_that_must_not_hear_of_it(office: Office) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    prefix = office.route(f"line:{office.line(carrier, no_100rel=True)}")
    stage.call(alice, f"{prefix}139", alice.offer()) << carrier.gets("INVITE", lacks=("100rel", "PRACK"))
    office.answers(alice, carrier)


def test_a_carrier_that_keeps_to_it(office: Office) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    prefix = office.route(f"line:{office.line(carrier)}")
    stage.call(alice, f"{prefix}139", alice.offer()) << carrier.gets("INVITE", "100rel", "PRACK")
    stage >> carrier.says_reliably(183, 7, carrier.offer()) << carrier.gets("PRACK", "RAck: 7 1 INVITE")
    stage >> carrier.ok() << alice.gets(183)
    office.answers(alice, carrier)


@pytest.mark.parametrize("refusal", [403, 405, 501])
def test_a_carrier_that_refuses_what_it_demands(office: Office, refusal: int) -> None:
    """The call is tried once more without, and the next one knows."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    name = office.line(carrier)
    prefix = office.route(f"line:{name}")
    stage.call(alice, f"{prefix}139", alice.offer()) << carrier.gets("INVITE", "100rel")
    first = carrier.newest()
    stage >> carrier.says_reliably(183, 7, carrier.offer()) << carrier.gets("PRACK")
    stage << alice.gets(183) >> carrier.ok(refusal) << carrier.gets("CANCEL") >> carrier.ok()
    stage >> carrier.says(487, to=first) << carrier.gets("INVITE", lacks=("100rel", "PRACK"))
    stage << carrier.gets("ACK")
    office.answers(alice, carrier)
    (lesson,) = office.show("lines", name)["learned"]
    assert (lesson["feature"], lesson["use"], lesson["pinned"]) == ("100rel", "without", False)
    assert (lesson["said"].split()[0], lesson["said"].split()[-1]) == (str(refusal), "PRACK")
    stage.call(alice, f"{prefix}139", alice.offer()) << carrier.gets("INVITE", lacks=("100rel",))
    stage >> carrier.says(486) << carrier.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "normal", "busy")
