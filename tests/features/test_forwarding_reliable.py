"""181 to a caller who acknowledges what goes on before the answer: RFC 3262 §3, one response at a time, each in its turn."""

from __future__ import annotations

import msgspec
import pytest

from tests.call.playbook import ANSWER, OFFER, Phone, sdp
from tests.features.office import Office

EARLY = sdp("10.9.9.9", 5600)
OTHER = sdp("10.3.3.3", 6000, "a=ptime:20")
FIRST = 'username="102", contact="103"'
SECOND = 'username="103", contact="104"'


@pytest.fixture
def dave(office: Office, bob: Phone, carol: Phone) -> Phone:
    """Where a chain of two steps ends."""
    office.set("forwarding", "102", always="103")
    office.set("forwarding", "103", always="104")
    return office.phone("104", "Dave")


def hangs_up(office: Office, alice: Phone, other: Phone) -> None:
    office >> alice.bye() << alice.gets(200) << other.gets("BYE") >> other.ok()
    office.ends("normal")


@pytest.mark.parametrize("wish", ["Supported", "Require"])
def test_each_step_waits_for_the_prack_of_the_one_before(
    office: Office, alice: Phone, dave: Phone, wish: str
) -> None:
    """And the ringing for both."""
    office >> alice.invite("102", OFFER, **{wish: "100rel"})
    office << alice.gets(181, "Require: 100rel", FIRST) << dave.gets("INVITE")
    first = rseq(alice)
    office >> dave.says(180)
    office.quiet()
    office >> alice.prack() << alice.gets(200) << alice.gets(181, "Require: 100rel", SECOND)
    assert rseq(alice) == first + 1
    office >> alice.prack() << alice.gets(200) << alice.gets(180, "Require: 100rel")
    assert rseq(alice) == first + 2
    office >> alice.prack() << alice.gets(200)
    office >> dave.says(200, ANSWER) << dave.gets("ACK") << alice.gets(200) >> alice.ack()
    hangs_up(office, alice, dave)


def rseq(phone: Phone) -> int:
    assert phone.reliable is not None
    return int(phone.reliable.headers.get("RSeq") or "0")


def test_a_lost_step_is_repeated(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.set("forwarding", "102", always="103")
    office >> alice.invite("102", OFFER, Supported="100rel") << alice.gets(181) << carol.gets("INVITE")
    office >> carol.says(180) << alice.gets(180, lacks=("RSeq",))
    office.waits(0.5) << alice.gets(181, FIRST)
    office >> alice.prack() << alice.gets(200)
    office.waits(20).quiet()
    office >> carol.says(200, ANSWER) << carol.gets("ACK") << alice.gets(200) >> alice.ack()
    hangs_up(office, alice, carol)


def test_early_sound_comes_in_its_turn(office: Office, alice: Phone, dave: Phone) -> None:
    office >> alice.invite("102", OFFER, Supported="100rel") << alice.gets(181, FIRST) << dave.gets("INVITE")
    office >> dave.says(183, EARLY)
    office.quiet()
    office >> alice.prack() << alice.gets(200) << alice.gets(181, SECOND, lacks=("application/sdp",))
    office >> alice.prack() << alice.gets(200) << alice.gets(183, "application/sdp", "RSeq")
    # §3: the answer waits for whoever has not acknowledged a description.
    office >> dave.says(200, EARLY) << dave.gets("ACK")
    office.quiet()
    office >> alice.prack() << alice.gets(200) << alice.gets(200, lacks=("application/sdp",)) >> alice.ack()
    hangs_up(office, alice, dave)


def test_the_answer_waits_for_no_step(office: Office, alice: Phone, dave: Phone) -> None:
    """The caller hears of all of them, in order, and has the answer at once."""
    office >> alice.invite("102", OFFER, Supported="100rel") << alice.gets(181, FIRST) << dave.gets("INVITE")
    office >> dave.says(180) >> dave.says(200, ANSWER) << dave.gets("ACK")
    office << alice.gets(181, SECOND, lacks=("RSeq",)) << alice.gets(200) >> alice.ack()
    office >> alice.prack() << alice.gets(200)
    office.waits(10).quiet()
    hangs_up(office, alice, dave)


def test_a_caller_who_takes_nothing_unreliably_hears_no_more(
    office: Office, alice: Phone, dave: Phone
) -> None:
    """§3: Require: 100rel. The answer is worth more than who sent the call on."""
    office >> alice.invite("102", OFFER, Require="100rel") << alice.gets(181, FIRST) << dave.gets("INVITE")
    office >> dave.says(200, ANSWER) << dave.gets("ACK") << alice.gets(200) >> alice.ack()
    hangs_up(office, alice, dave)


def test_the_last_one_refuses_while_a_step_waits(office: Office, alice: Phone, dave: Phone) -> None:
    office >> alice.invite("102", OFFER, Supported="100rel") << alice.gets(181, FIRST) << dave.gets("INVITE")
    office >> dave.says(486) << dave.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    office >> alice.prack() << alice.gets(481)
    office.waits(40).quiet()
    office.ends("busy")


def test_the_caller_gives_up_while_a_step_waits(office: Office, alice: Phone, dave: Phone) -> None:
    office >> alice.invite("102", OFFER, Supported="100rel") << alice.gets(181, FIRST) << dave.gets("INVITE")
    office >> dave.says(180) >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
    office << dave.gets("CANCEL") >> dave.ok() >> dave.says(487) << dave.gets("ACK")
    office.waits(40).quiet()
    office.ends("cancelled")


def test_no_prack_at_all(office: Office, alice: Phone, dave: Phone) -> None:
    """After 64 T1 the caller is taken for gone."""
    office >> alice.invite("102", OFFER, Supported="100rel") << alice.gets(181, FIRST) << dave.gets("INVITE")
    office >> dave.says(100)
    office.waits(31.9)
    office.wiretap.sent.clear()
    office.waits(0.2) << alice.gets(504) << dave.gets("CANCEL")
    office >> alice.ack_refusal() >> dave.ok() >> dave.says(487) << dave.gets("ACK")
    office.ends("lost")


def test_who_was_rung_reliably_before_the_step(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """A settled description of the first one; the second one's makes another dialog."""
    office.set("forwarding", "102", no_answer="103")
    office >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says_reliably(183, 4, EARLY) << bob.gets("PRACK") << alice.gets(183) >> bob.ok()
    office >> alice.prack() << alice.gets(200)
    office.waits(30) << bob.gets("CANCEL") << alice.gets(181, FIRST, "RSeq") << carol.gets("INVITE")
    office >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    office >> alice.prack() << alice.gets(200)
    first = alice.remote
    office >> carol.says(200, OTHER) << carol.gets("ACK") << alice.gets(200, "a=ptime:20") >> alice.ack()
    assert alice.remote != first
    hangs_up(office, alice, carol)


def test_who_waits_long_hears_of_each_step_once(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """RFC 3261 §13.3.1.1 wants something said every minute: that it goes on."""
    office.extensions["103"] = msgspec.structs.replace(office.extensions["103"], ring_seconds=90)
    office.set("forwarding", "102", always="103")
    office >> alice.invite("102", OFFER) << alice.gets(181, FIRST) << carol.gets("INVITE") >> carol.says(100)
    office.waits(61) << alice.gets(183, "Session Progress", lacks=("Call-Info",))
    office >> carol.says(200, ANSWER) << carol.gets("ACK") << alice.gets(200) >> alice.ack()
    hangs_up(office, alice, carol)
