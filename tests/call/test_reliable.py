"""Provisional responses that must arrive, on each leg by itself: RFC 3262, RFC 6337 §2.1 and §3.1.

X-08 of the private branch exchange's own flows. The machines alone: tests/sip/dialog/test_reliable.py.
"""

from __future__ import annotations

import pytest

from appliance.call.leg_options import LegOptions
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp

EARLY = sdp("10.2.2.2", 5000)
OTHER = sdp("10.3.3.3", 6000, "a=ptime:20")


@pytest.fixture
def bob(book: Playbook) -> Phone:
    """A phone that rings longer than anybody waits for a PRACK."""
    return book.phone("102", ring_seconds=60)


def ends_normally(book: Playbook, alice: Phone, bob: Phone) -> None:
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")


def test_x_08_reliable_on_both_legs(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER, Supported="100rel")
        << bob.gets("INVITE", "Supported: 100rel, timer", "PRACK")
        << alice.gets(100)
        >> bob.says_reliably(183, 9, EARLY)
        << bob.gets("PRACK", "RAck: 9 1 INVITE", lacks=("Contact", "Content-Type"))
        << alice.gets(183, "Require: 100rel", "RSeq: ", "192.0.2.1", "PRACK")
        >> bob.ok()
        >> alice.prack()
        << alice.gets(200)
        # §13.2.1: the answer is known on both sides, and not said again.
        >> bob.says(200)
        << bob.gets("ACK")
        << alice.gets(200, lacks=("Content-Type", "Require"))
        >> alice.ack()
    ).quiet()
    ends_normally(book, alice, bob)


def test_reliable_from_the_callee_alone(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says_reliably(183, 9, EARLY)
        << bob.gets("PRACK")
        << alice.gets(183, "192.0.2.1", lacks=("RSeq", "Require"))
        >> bob.ok()
        >> bob.says(200)
        << bob.gets("ACK")
        # What came unreliably was no answer: here it is.
        << alice.gets(200, "application/sdp", "192.0.2.1")
        >> alice.ack()
    ).quiet()
    ends_normally(book, alice, bob)


def test_reliable_to_the_caller_alone(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER, Supported="timer, 100rel")
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180, lacks=("RSeq",))  # nothing in it is worth a PRACK
        >> bob.says(183, EARLY)
        << alice.gets(183, "RSeq", "Require: 100rel")
        >> alice.prack()
        << alice.gets(200)
        >> bob.says(183, EARLY)
        << alice.gets(183, lacks=("RSeq", "Content-Type"))  # the caller has it for certain
        >> bob.says(200, EARLY)
        << bob.gets("ACK")
        << alice.gets(200, lacks=("Content-Type",))
        >> alice.ack()
    ).quiet()
    ends_normally(book, alice, bob)


def test_required_by_the_caller(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER, Require="100rel")
        << bob.gets("INVITE", lacks=("Require",))
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180, "RSeq")
        >> bob.says(182)  # waits until the one before has arrived
        >> alice.prack()
        << alice.gets(200)
        << alice.gets(182, "RSeq")
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200, "Content-Type")  # no PRACK is needed first: there was no session in it
        >> alice.prack()
        << alice.gets(200)
        >> alice.ack()
    ).quiet()
    ends_normally(book, alice, bob)


def test_lost_prack_of_ours(book: Playbook, alice: Phone, bob: Phone) -> None:
    early = bob.says_reliably
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> early(183, 9, EARLY) << bob.gets("PRACK") << alice.gets(183)
    book >> early(183, 9, EARLY)  # again: not told again, and the PRACK repeats itself
    (book.quiet().waits(0.5) << bob.gets("PRACK") >> bob.ok() >> early(183, 11, EARLY)).quiet()
    (book >> early(180, 10) << bob.gets("PRACK", "RAck: 10 1 INVITE") << alice.gets(180) >> bob.ok()).quiet()
    (book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()).ends("busy")


def test_lost_prack_of_the_caller(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY) << alice.gets(183, "RSeq")
    for wait in (0.5, 1, 2, 4, 8):
        book.waits(wait) << alice.gets(183, "RSeq")
    # RFC 3262 §3: no 2xx before the PRACK, as the 183 described the session.
    (book >> bob.says(200, EARLY) << bob.gets("ACK")).quiet()
    (book >> alice.prack() << alice.gets(200) << alice.gets(200) >> alice.ack()).quiet()
    ends_normally(book, alice, bob)


def test_no_prack_at_all(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY) << alice.gets(183, "RSeq")
    book.waits(31.9)
    book.wiretap.sent.clear()
    book.waits(0.1) << alice.gets(504) << bob.gets("CANCEL")
    (book >> alice.ack_refusal() >> bob.ok() >> bob.says(487) << bob.gets("ACK")).ends("lost")


def test_no_prack_while_the_callee_talks(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY) << alice.gets(183, "RSeq") >> bob.says(200) << bob.gets("ACK")
    book.waits(31.9)
    book.wiretap.sent.clear()
    book.waits(0.1) << alice.gets(504) << bob.gets("BYE", "cause=27")
    (book >> alice.ack_refusal() >> bob.ok()).ends("lost")


def test_prack_that_matches_nothing(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY) << alice.gets(183)
    book >> alice.prack(RAck="1 1 INVITE") << alice.gets(481)
    book >> alice.prack(RAck="what") << alice.gets(400)
    book >> alice.prack() << alice.gets(200) >> alice.prack() << alice.gets(481)
    book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.ends("busy")


def test_prack_without_100rel(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(180) << alice.gets(180) >> alice.prack() << alice.gets(481)
    (book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()).ends("busy")


@pytest.mark.parametrize(("status", "wait"), [(405, 0.0), (501, 0.0), (481, 2.0), (488, 0.0)])
def test_prack_refused_by_the_callee(
    book: Playbook, alice: Phone, bob: Phone, status: int, wait: float
) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says_reliably(183, 9, EARLY) << bob.gets("PRACK") << alice.gets(183)
    book >> bob.ok(status)
    book.waits(wait) << bob.gets("CANCEL") << alice.gets(500, "PRACK Refused", "cause=111")
    (book >> alice.ack_refusal() >> bob.ok() >> bob.says(487) << bob.gets("ACK")).ends("prack_refused")


def test_481_to_a_prack_that_crossed_the_final_response(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says_reliably(183, 9, EARLY) << bob.gets("PRACK") << alice.gets(183)
    book >> bob.ok(481) >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.ends("busy")


def test_no_answer_to_prack(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says_reliably(183, 9, EARLY) << bob.gets("PRACK") << alice.gets(183)
    book.waits(31.9)
    book.wiretap.sent.clear()
    book.waits(0.1) << bob.gets("CANCEL") << alice.gets(408) >> alice.ack_refusal() >> bob.ok()
    (book >> bob.says(487) << bob.gets("ACK")).ends("unreachable")


def test_a_refused_prack_after_the_answer_says_nothing(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says_reliably(180, 9) << bob.gets("PRACK", "RAck: 9") << alice.gets(180)
    prack = bob.asked
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    bob.asked = prack
    (book >> bob.ok(481)).quiet()
    book.waits(5).quiet()
    ends_normally(book, alice, bob)


# --- without 100rel


def test_a_leg_without_100rel(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.exchange.options = LegOptions(reliable=False)
    book >> alice.invite("102", OFFER, Supported="100rel")
    book << bob.gets("INVITE", "Supported: timer", lacks=("100rel", "PRACK")) << alice.gets(100)
    # Demanded anyway: as if it had not been. No PRACK goes out, the 183 is processed.
    book >> bob.says_reliably(183, 9, EARLY) << alice.gets(183, "192.0.2.1", lacks=("RSeq", "PRACK"))
    book >> bob.says_reliably(183, 9, EARLY) << alice.gets(183)
    book >> alice.prack() << alice.gets(405, lacks=("PRACK,",))
    book >> bob.says(200, EARLY) << bob.gets("ACK", lacks=("PRACK",)) << alice.gets(200, lacks=("PRACK",))
    book >> alice.ack()
    ends_normally(book, alice, bob)


def test_x_08_required_by_the_caller_of_a_leg_without(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.exchange.options = LegOptions(reliable=False, timer=None)
    invite = alice.invite("102", OFFER, Require="100rel, timer")
    book >> invite << alice.gets(420, "Unsupported: 100rel, timer") >> alice.ack_refusal()
    book.ends()


# --- the offer comes from the callee


def test_offer_in_a_reliable_response_and_answer_in_prack(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", Supported="100rel") << bob.gets("INVITE", "100rel") << alice.gets(100)
    book >> bob.says_reliably(183, 9, EARLY) << alice.gets(183, "RSeq", "192.0.2.1", lacks=("10.2.2.2",))
    book >> alice.prack(OFFER) << alice.gets(200)
    book << bob.gets("PRACK", "RAck: 9 1 INVITE", "192.0.2.1", lacks=("10.1.1.1",)) >> bob.ok()
    book >> bob.says(200, EARLY) << bob.gets("ACK", lacks=("Content-Type",))
    book << alice.gets(200, lacks=("Content-Type",)) >> alice.ack()
    book.quiet()
    ends_normally(book, alice, bob)


def test_a_prack_without_the_answer_ends_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", Supported="100rel") << bob.gets("INVITE", "100rel") << alice.gets(100)
    book >> bob.says_reliably(183, 9, EARLY) << alice.gets(183, "RSeq") >> alice.prack()
    book << alice.gets(200) << alice.gets(488) << bob.gets("CANCEL")
    (book >> alice.ack_refusal() >> bob.ok() >> bob.says(487) << bob.gets("ACK")).ends("media")


def test_an_early_offer_that_cannot_be_read(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", Supported="100rel") << bob.gets("INVITE", "100rel") << alice.gets(100)
    book >> bob.says_reliably(183, 9, b"rubbish") << alice.gets(183, lacks=("RSeq",))
    book << alice.gets(488) << bob.gets("CANCEL") >> alice.ack_refusal()
    (book >> bob.ok() >> bob.says(487) << bob.gets("ACK")).ends("media")


@pytest.mark.parametrize("supported", ["", "100rel"])
def test_without_an_offer_only_a_caller_with_100rel_and_one_phone_take_an_early_one(
    book: Playbook, alice: Phone, bob: Phone, supported: str
) -> None:
    if supported:
        book.phone("102")
    book >> alice.invite("102", Supported=supported) << bob.gets("INVITE", lacks=("100rel", "PRACK"))
    assert book.wiretap.sent
    book.wiretap.sent.clear()
    (book >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()).quiet()
    book.ends("cancelled")


def test_an_unreliable_description_is_no_offer(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", Require="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY) << alice.gets(183, "RSeq", lacks=("Content-Type",))
    book >> alice.prack() << alice.gets(200)
    book >> bob.says(200, EARLY) << alice.gets(200, "Content-Type") >> alice.ack(OFFER)
    book << bob.gets("ACK", "192.0.2.1")
    ends_normally(book, alice, bob)


# --- a new offer in PRACK


def test_offer_in_prack(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says_reliably(183, 9, EARLY) << bob.gets("PRACK") << alice.gets(183) >> bob.ok()
    held = sdp("10.1.1.1", 4000, "a=inactive")
    book >> alice.prack(held) << bob.gets("UPDATE", "a=inactive")
    # The callee picks up before the answer: the caller's 200 waits for it.
    (book >> bob.says(200) << bob.gets("ACK")).quiet()
    book >> bob.ok(200, sdp("10.2.2.2", 5000, "a=inactive")) << alice.gets(200, "a=inactive")
    book << alice.gets(200, "INVITE", lacks=("Content-Type",)) >> alice.ack()
    ends_normally(book, alice, bob)


def test_offer_in_prack_refused(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    early = bob.says_reliably(183, 9, EARLY, Allow="INVITE, ACK, BYE, PRACK")
    book >> early << bob.gets("PRACK") << alice.gets(183) >> bob.ok()
    book >> alice.prack(OTHER) << alice.gets(488)  # the callee takes no UPDATE
    book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.ends("busy")


# --- what else may come


def test_descriptions_that_nobody_asked_for(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says_reliably(183, 9, EARLY) << bob.gets("PRACK") << alice.gets(183) >> bob.ok()
    # The answer has come: neither a reliable response nor another can bring a second one.
    book >> bob.says_reliably(183, 10, OTHER) << bob.gets("PRACK") << alice.gets(183, lacks=("ptime",))
    book >> bob.ok() >> bob.says(183, OTHER) << alice.gets(183, lacks=("Content-Type",))
    book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.ends("busy")


def test_cancel_while_the_answer_waits_for_a_prack(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY) << alice.gets(183, "RSeq")
    (book >> bob.says(200) << bob.gets("ACK")).quiet()
    book >> alice.cancel() << alice.gets(200) << alice.gets(487) << bob.gets("BYE")
    (book >> alice.ack_refusal() >> bob.ok()).ends("cancelled")


def test_the_callee_hangs_up_while_the_answer_waits_for_a_prack(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY) << alice.gets(183, "RSeq")
    book >> bob.says(200) << bob.gets("ACK") >> bob.bye() << bob.gets(200) << alice.gets(487)
    (book >> alice.ack_refusal()).ends("normal")


def test_more_forks_than_there_can_be_get_no_prack(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    for at in range(8):
        book >> bob.says_reliably(180, 5, tag=f"fork{at}") << bob.gets("PRACK") << alice.gets(180) >> bob.ok()
    book >> bob.says_reliably(180, 5, tag="fork8") << alice.gets(180)
    book.quiet()
    (book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()).ends("busy")


def test_prack_with_an_offer_while_the_callee_has_none_to_answer(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY) << alice.gets(183, "RSeq")
    # The callee has not answered for certain: it cannot be asked anything new yet.
    book >> alice.prack(OTHER) << alice.gets(491)
    book >> bob.says(200, EARLY) << bob.gets("ACK") << alice.gets(200, lacks=("Content-Type",)) >> alice.ack()
    ends_normally(book, alice, bob)
