"""Where anonymous call rejection meets another service: what becomes of a call from somebody who hides their number."""

from __future__ import annotations

import msgspec
import pytest

from appliance.call.cause import Cause
from appliance.call.decision import FromExtension
from appliance.call.events import Dialled
from appliance.call.inbound import RefusedError
from tests.call.playbook import Phone
from tests.features.office import Office

HIDDEN = Dialled("", "", "102", 70, None, (), way_in="line:carrier")


@pytest.fixture(autouse=True)
def _bob_takes_none(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.set("anonymous-rejection", "102", enabled=True)


def is_refused(office: Office, dialled: Dialled = HIDDEN, cause: Cause = Cause.ANONYMOUS) -> bool:
    with pytest.raises(RefusedError) as refused:
        office.exchange.router.route(dialled)
    return refused.value.ending.cause is cause


def rung(office: Office, dialled: Dialled) -> list[str]:
    return [each.occupies for each in office.exchange.router.route(dialled).targets]


def to(number: str) -> Dialled:
    return msgspec.structs.replace(HIDDEN, to_number=number)


@pytest.mark.parametrize("forwarding", ["always", "busy", "no_answer", "not_registered"])
def test_nothing_is_forwarded(office: Office, forwarding: str) -> None:
    office.set("forwarding", "102", **{forwarding: "103"})
    if forwarding == "not_registered":
        office.bindings.pop("102")
    assert is_refused(office)


def test_nobody_gets_round_it_by_a_forwarding(office: Office) -> None:
    office.set("forwarding", "103", always="102")
    assert is_refused(office, to("103"))


def test_who_wants_no_calls_at_all_says_why(office: Office) -> None:
    office.set("do-not-disturb", "102", enabled=True)
    assert is_refused(office)
    assert is_refused(office, msgspec.structs.replace(HIDDEN, from_number="0123"), Cause.UNAVAILABLE)


def test_such_a_member_is_not_rung(office: Office) -> None:
    office.set("groups", "600", members=("102", "103"))
    assert rung(office, to("600")) == ["103"]
    assert rung(office, msgspec.structs.replace(to("600"), from_number="0123")) == ["102", "103"]


def test_behind_a_time_condition(office: Office) -> None:
    office.set("time-conditions", "700", open_to="102", closed_to="102")
    assert is_refused(office, to("700"))


@pytest.mark.parametrize("payer", ["101", "103"])
def test_put_through_or_rung_back_by_whoever_does_it(office: Office, payer: str) -> None:
    """It is still they who would be talked to."""
    assert is_refused(office, msgspec.structs.replace(HIDDEN, payer=FromExtension(payer)))


def test_a_talk_that_is_not_to_wait(office: Office) -> None:
    office.set("phones", "102", call_waiting=False)
    assert is_refused(office)


def test_whoever_clicks_is_known(office: Office, bob: Phone) -> None:
    office.exchange.dial("102", "103")
    office << bob.gets("INVITE") >> bob.says(486) << bob.gets("ACK")
    clicked = Dialled("103", "Carol", "102", 70, None, ())
    assert rung(office, clicked) == ["102"]


async def test_nothing_rings_there_to_be_picked_up(office: Office, carol: Phone) -> None:
    assert is_refused(office)
    async with office.serving():
        office >> carol.invite("*40*102", b"")
        await office.settled()
        office << carol.gets(100) << carol.gets(404) >> carol.ack_refusal()
