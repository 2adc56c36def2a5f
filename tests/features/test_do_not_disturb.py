"""Do not disturb, alone and with forwarding. As a member of a group: test_groups.py."""

from __future__ import annotations

import pytest

from tests.call.playbook import ANSWER, OFFER, Phone
from tests.features.office import Office
from tests.features.test_forwarding import dialled, is_taken


@pytest.fixture
def quiet(office: Office, bob: Phone) -> Phone:
    """102, who wants no calls."""
    office.set("do-not-disturb", "102", enabled=True)
    return bob


def test_nobody_rings(office: Office, alice: Phone, quiet: Phone) -> None:
    office >> alice.invite("102", OFFER) << alice.gets(480, "Temporarily Unavailable") >> alice.ack_refusal()
    office.ends("unavailable")
    assert office.records[0].ended_by == "system"


def test_whoever_watches_is_told(office: Office, bob: Phone, carol: Phone) -> None:
    assert not office.services.wants_no_calls("102")
    office.set("do-not-disturb", "102", enabled=True)
    assert office.services.wants_no_calls("102")
    assert not office.services.wants_no_calls("101")
    office.set("do-not-disturb", "103", enabled=True)
    office.set("do-not-disturb", "102", enabled=False)
    assert not office.services.wants_no_calls("102")
    assert [each for each in office.lamps if each in ("102", "103")] == ["102", "103", "102"]


def test_whoever_wants_no_calls_may_call(office: Office, alice: Phone, quiet: Phone) -> None:
    office >> quiet.invite("101", OFFER) << alice.gets("INVITE") << quiet.gets(100)
    is_taken(office, quiet, alice)
    office.ends("normal")


def test_what_is_forwarded_when_busy_is_forwarded(
    office: Office, alice: Phone, quiet: Phone, carol: Phone
) -> None:
    office.set("forwarding", "102", busy="103")
    office >> alice.invite("102", OFFER) << alice.gets(181) << carol.gets("INVITE", ";reason=user-busy;")
    is_taken(office, alice, carol)
    office.ends("normal")


@pytest.mark.parametrize("when", ["no_answer", "not_registered"])
def test_other_forwardings_do_not_apply(
    office: Office, alice: Phone, quiet: Phone, carol: Phone, when: str
) -> None:
    office.set("forwarding", "102", **{when: "103"})
    office >> alice.invite("102", OFFER) << alice.gets(480) >> alice.ack_refusal()
    office.ends("unavailable")


def test_what_is_always_forwarded_disturbs_nobody(
    office: Office, alice: Phone, quiet: Phone, carol: Phone
) -> None:
    office.set("forwarding", "102", always="103", busy="104")
    office >> alice.invite("102", OFFER) << alice.gets(181) << carol.gets("INVITE", ";reason=unconditional;")
    is_taken(office, alice, carol)
    office.ends("normal")


def test_nobody_gets_round_it_by_a_forwarding(
    office: Office, alice: Phone, quiet: Phone, carol: Phone
) -> None:
    office.set("forwarding", "103", always="102")
    office >> alice.invite("103", OFFER) << alice.gets(480) >> alice.ack_refusal()
    office.ends("unavailable")
    assert [(each.by, each.to) for each in office.records[0].steps] == [("103", "102")]


def test_the_call_that_is_on_goes_on(office: Office, alice: Phone, bob: Phone) -> None:
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office.set("do-not-disturb", "102", enabled=True)
    office >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    office.ends("normal")


async def test_on_and_off_by_code(office: Office, bob: Phone) -> None:
    for code, enabled in (("*78", True), ("*79", False)):
        async with office.serving():
            await dialled(office, bob, code)
        assert office.setting("do-not-disturb", "102").enabled is enabled
    office.ends("normal", "normal")


async def test_a_code_with_something_behind_it_is_no_code(office: Office, bob: Phone) -> None:
    office >> bob.invite("*781", OFFER) << bob.gets(404) >> bob.ack_refusal()
    office.ends("not_found")
