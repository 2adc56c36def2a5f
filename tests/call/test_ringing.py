"""Several phones, forks, and phones that say nothing: RFC 3261 §16.7, RFC 3326."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.call.cause import Cause, Ending, ending_of
from appliance.call.destination import Destination
from appliance.call.events import Dialled, HungUp
from appliance.call.ringing import best_of
from appliance.call.router import Plan
from appliance.call.sip_leg_outbound import MAX_FORKS
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook


def test_3665_3_6_a_phone_may_not_send_the_caller_elsewhere(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(302)
        << bob.gets("ACK")
        << alice.gets(480, lacks=("Contact: <sip:102@198",))
        >> alice.ack_refusal()
    ).ends("unavailable")


def test_3665_3_8_late_200_crosses_the_cancel(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> alice.cancel()
        << alice.gets(200)
        << alice.gets(487)
        << bob.gets("CANCEL")
        >> alice.ack_refusal()
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << bob.gets("BYE")
        >> bob.ok()
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
    ).ends("cancelled")


def test_3665_3_10_silent_phone(book: Playbook, alice: Phone) -> None:
    bob = book.phone("102", ring_seconds=60)
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    for wait in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        book.waits(wait) << bob.gets("INVITE")
    (book.waits(0.5) << alice.gets(408) >> alice.ack_refusal()).ends("unreachable")


def test_3665_3_10_ring_time_is_shorter(book: Playbook, alice: Phone) -> None:
    bob = book.phone("102", ring_seconds=10)
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
    ).waits(10)
    (
        book
        << bob.gets("CANCEL", "Reason: Q.850;cause=19")
        << alice.gets(480, "Reason: Q.850;cause=19")
        >> alice.ack_refusal()
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).ends("no_answer")


def test_transport_failure_is_told_at_once(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.wiretap.dead.add(bob.address)
    (book >> alice.invite("102", OFFER) << alice.gets(100)).waits(0)
    (book << alice.gets(408) >> alice.ack_refusal()).ends("unreachable")


def test_x_01_two_phones_one_answers(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> second.says(180)  # the caller knows already
        >> second.says(200, ANSWER)
        << second.gets("ACK")
        << bob.gets("CANCEL", 'Reason: SIP;cause=200;text="Call completed elsewhere"')
        << alice.gets(200)
        >> alice.ack()
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).quiet()
    assert book.relay.open_ports == 4
    (book >> alice.bye() << alice.gets(200) << second.gets("BYE") >> second.ok()).ends("normal")


def test_x_01_both_answer_at_once(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> second.says(200, ANSWER)
        << second.gets("ACK")
        << second.gets("BYE")
        >> second.ok()
        >> alice.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")


def test_best_of_two_failures(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> bob.says(486)
        << bob.gets("ACK")
        >> second.says(500)
        << second.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")


def test_6xx_speaks_for_all(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> second.says(180)
        << alice.gets(180)
        >> bob.says(603)
        << bob.gets("ACK")
        << second.gets("CANCEL")
        << alice.gets(603)
        >> alice.ack_refusal()
        >> second.ok()
        >> second.says(487)
        << second.gets("ACK")
    ).ends("refused")


def test_x_02_cancel_before_anything(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> alice.cancel()
        << alice.gets(200)
        << alice.gets(487)
        >> alice.ack_refusal()
        >> bob.says(180)
        << bob.gets("CANCEL")
        >> bob.ok()
        >> bob.says(487)
        << bob.gets("ACK")
    ).ends("cancelled")


def test_forked_behind_one_binding(book: Playbook, alice: Phone, bob: Phone) -> None:
    """Several early dialogs from one INVITE; the second 2xx is acknowledged and ended."""
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180, tag="one")
        << alice.gets(180)
        >> bob.says(183, ANSWER, tag="two")
        << alice.gets(183)
        >> bob.says(200, ANSWER, tag="two")
        << bob.gets("ACK", "tag=two")
        << alice.gets(200)
        >> bob.says(200, ANSWER, tag="one")
        << bob.gets("ACK", "tag=one")
        << bob.gets("BYE", "tag=one")
        >> bob.ok()
        >> alice.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE", "tag=two")
        >> bob.ok()
    ).ends("normal")


def test_a_2xx_without_a_usable_contact(book: Playbook, alice: Phone, bob: Phone) -> None:
    """What we send then goes where the INVITE went."""
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    answer = bob.says(200, ANSWER)
    answer.message.headers.set("Contact", "<nonsense")
    (
        book
        >> answer
        << bob.gets("ACK", f"ACK sip:102@198.51.100.7:{bob.address[1]}")
        << alice.gets(200)
        >> alice.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE", f"BYE sip:102@198.51.100.7:{bob.address[1]}")
        >> bob.ok()
    ).ends("normal")


def test_a_2xx_whose_route_cannot_be_read(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    (book >> bob.says(200, ANSWER, Record_Route="<<<") << alice.gets(500) >> alice.ack_refusal()).ends(
        "failed"
    )


def test_two_phones_cannot_be_heard_at_once(book: Playbook, alice: Phone, bob: Phone) -> None:
    second = book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << alice.gets(100)
        >> bob.says(183, ANSWER)
        << alice.gets(183, "m=audio")
        >> second.says(183, ANSWER)  # the first is heard already
        >> bob.says(486)
        << bob.gets("ACK")
        >> second.says(183, ANSWER)  # and now the second
        << alice.gets(183, "m=audio")
        >> second.says(486)
        << second.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")


def test_early_sound_that_cannot_be_read(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(183, b"rubbish")
        << alice.gets(183, lacks=("rubbish",))
        >> bob.says(486)
        << bob.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")


def test_no_more_forks_than_make_sense(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    for at in range(20):
        book >> bob.says(180, tag=f"fork{at}") << alice.gets(180)
    assert len(book.endpoint._dialogs) == 1 + MAX_FORKS
    book >> bob.says(200, ANSWER, tag="one") << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    for at in range(MAX_FORKS):
        book >> bob.says(200, ANSWER, tag=f"late{at}") << bob.gets("ACK") << bob.gets("BYE") >> bob.ok()
    (book >> bob.says(200, ANSWER, tag="one too many")).quiet()


def test_one_phone_cannot_be_rung(book: Playbook, alice: Phone) -> None:
    """Its failure counts like its answer; the other one goes on."""
    book = Playbook(ports=(30_000, 30_003))
    alice, first, second = book.phone("101"), book.phone("102"), book.phone("102")
    (
        book
        >> alice.invite("102", OFFER)
        << first.gets("INVITE")
        << alice.gets(100)
        >> first.says(486)
        << first.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")
    assert second.invited is None


@pytest.mark.parametrize(
    ("statuses", "best"),
    [
        ([486, 480], 486),
        ([480, 408], 480),
        ([500, 404], 404),
        ([603, 486], 603),
        ([600, 603], 600),
        ([487, 488], 488),
        ([500, 502], 500),
    ],
)
def test_best_of(statuses: list[int], best: int) -> None:
    assert best_of([HungUp(ending_of(status, "")) for status in statuses]).ending.status == best


def test_any_answer_outdoes_none() -> None:
    silent = HungUp(Ending.of(Cause.UNREACHABLE))
    broken = HungUp(ending_of(500, ""))
    assert best_of([silent, broken]) is broken


def one_after_the_other(book: Playbook, dialled: Dialled, one: Phone, other: Phone) -> Plan:
    """The other is rung when the one cannot be reached."""
    plans = [
        Plan(each.number, [Destination.of(*book.bindings[each.number])], 60.0, dialled)
        for each in (one, other)
    ]
    return replace(plans[0], otherwise=plans[1], fail_over_on=frozenset({Cause.UNREACHABLE}))


def test_3665_3_4_who_says_nothing_is_given_up_for_the_next(
    book: Playbook, alice: Phone, bob: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = book.phone("103")
    monkeypatch.setattr(
        book.exchange.router, "route", lambda dialled: one_after_the_other(book, dialled, bob, carol)
    )
    (book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)).waits(6)
    for _ in range(3):
        book << bob.gets("INVITE")
    (
        book
        << carol.gets("INVITE")
        >> bob.says(200, ANSWER)  # too late
        << bob.gets("ACK")
        << bob.gets("BYE")
        >> bob.ok()
        >> carol.says(486)
        << carol.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")


def test_3665_3_4_who_says_anything_is_waited_for(
    book: Playbook, alice: Phone, bob: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = book.phone("103")
    monkeypatch.setattr(
        book.exchange.router, "route", lambda dialled: one_after_the_other(book, dialled, bob, carol)
    )
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100) >> bob.says(100)
    book.waits(59).quiet()
    (
        book
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.ack()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    ).ends("normal")
