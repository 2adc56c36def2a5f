"""appliance/call/leg_options.py: what is offered, refused and required. In calls: also test_reliable, test_session_timer."""

from __future__ import annotations

import pytest

from appliance.call.leg_options import LegOptions
from appliance.errors import LocalError
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook

RELIABLE_OR_NOT_AT_ALL = LegOptions(required=("100rel",))


def test_a_caller_without_what_is_required_gets_421(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.exchange.options = LegOptions(required=("100rel", "timer"))
    book >> alice.invite("102", OFFER) << alice.gets(421, "Require: 100rel, timer") >> alice.ack_refusal()
    (
        book
        >> alice.again(OFFER, Supported="timer")
        << alice.gets(421, "Require: 100rel\r\n")
        >> alice.ack_refusal()
    )
    assert bob.invited is None
    book.ends()


@pytest.mark.parametrize("header", ["Supported", "Require"])
def test_a_caller_with_it_is_told_all_reliably(book: Playbook, alice: Phone, bob: Phone, header: str) -> None:
    book.exchange.options = RELIABLE_OR_NOT_AT_ALL
    book >> alice.invite("102", OFFER, **{header: "100rel"})
    book << bob.gets("INVITE", "Require: 100rel", "Supported: 100rel, timer") << alice.gets(100)
    # The callee obeys, and 180 without a description would not be sent reliably otherwise.
    book >> bob.says_reliably(180, 7) << bob.gets("PRACK") << alice.gets(180, "Require: 100rel", "RSeq")
    book >> bob.ok() >> alice.prack() << alice.gets(200)
    (
        book
        >> bob.says(200, ANSWER)
        << bob.gets("ACK", lacks=("Require",))
        << alice.gets(200, lacks=("Require",))
    )
    book >> alice.ack()
    # Within the dialog nothing needs it any more: a re-INVITE that does not name it is no worse.
    book >> alice.again(OFFER) << bob.gets("INVITE", lacks=("Require",)) << alice.gets(100)
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    book.ends("normal")


def test_a_callee_without_it_ends_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.exchange.options = RELIABLE_OR_NOT_AT_ALL
    (
        book
        >> alice.invite("102", OFFER, Supported="100rel")
        << bob.gets("INVITE", "Require: 100rel")
        << alice.gets(100)
    )
    book >> bob.says(420, Unsupported="100rel") << bob.gets("ACK") << alice.gets(500, lacks=("Unsupported",))
    (book >> alice.ack_refusal()).ends("failed")


def test_a_leg_that_cannot_use_it_does_not_require_it(book: Playbook, alice: Phone, bob: Phone) -> None:
    """Without an offer and with two phones there is nobody to answer an early one."""
    book.exchange.options = RELIABLE_OR_NOT_AT_ALL
    desk = book.phone("102")
    book >> alice.invite("102", Supported="100rel") << bob.gets("INVITE", lacks=("100rel",))
    book << desk.gets("INVITE", lacks=("100rel",)) << alice.gets(100) >> bob.says(486) << bob.gets("ACK")
    book >> desk.says(486) << desk.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.ends("busy")


def test_what_is_required_must_be_offered() -> None:
    with pytest.raises(LocalError):
        LegOptions(reliable=False, required=("100rel",))
    assert LegOptions(required=("100rel", "timer")).without_reliable().demands == (("Require", "timer"),)
    assert LegOptions().demands == ()
