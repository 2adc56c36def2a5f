"""Click to dial: the exchange rings an extension, then whom it wants to talk to (RFC 3725; RFC 5359 §2.18)."""

from __future__ import annotations

import pytest

from appliance.call.inbound import RefusedError
from tests.call.playbook import ANSWER, OFFER, Phone
from tests.features.office import Office


def test_5359_2_18_both_answer(office: Office, alice: Phone, bob: Phone) -> None:
    call_id = office.exchange.dial("101", "102")
    office << alice.gets("INVITE", 'From: "Bob" <sip:102@', "m=audio") >> alice.says(180)
    assert [(each.id, each.state) for each in office.exchange.calls()] == [(call_id, "dialling")]
    (
        office
        >> alice.says(200, OFFER)
        << alice.gets("ACK")
        << bob.gets("INVITE", 'From: "Alice A." <sip:101@', lacks=("Diversion",))
        >> bob.says(180)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets("INVITE")
        >> alice.says(200, OFFER)
        << alice.gets("ACK")
    )
    office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()
    office.ends("normal")
    record = office.records[0]
    assert (record.id, record.from_number, record.to_number, record.answered_by) == (
        call_id,
        "101",
        "102",
        "102",
    )


def test_whoever_wants_to_call_does_not_answer(office: Office, alice: Phone, bob: Phone) -> None:
    office.exchange.dial("101", "102")
    (office << alice.gets("INVITE") >> alice.says(486) << alice.gets("ACK")).ends("busy")


def test_the_other_one_is_busy(office: Office, alice: Phone, bob: Phone) -> None:
    office.exchange.dial("101", "102")
    office << alice.gets("INVITE") >> alice.says(200, OFFER) << alice.gets("ACK")
    office << bob.gets("INVITE") >> bob.says(486) << bob.gets("ACK") << alice.gets("BYE") >> alice.ok()
    office.ends("busy")


def test_an_administrator_hangs_up_meanwhile(office: Office, alice: Phone, bob: Phone) -> None:
    call_id = office.exchange.dial("101", "102")
    office << alice.gets("INVITE") >> alice.says(180)
    assert office.exchange.hang_up(call_id)
    (office << alice.gets("CANCEL") >> alice.ok() >> alice.says(487) << alice.gets("ACK")).ends(
        "administrator"
    )


def test_nobody_is_there_to_be_rung(office: Office, bob: Phone) -> None:
    with pytest.raises(RefusedError):
        office.exchange.dial("101", "102")
    assert not len(office.exchange)
