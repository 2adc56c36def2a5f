"""Forwarding, as each phone sees it (RFC 5359 §2.7 to §2.9), and what it says of it.

Not tested here: reliable 181 (test_forwarding_reliable.py), outside numbers and rights (test_outside_rights.py), real sockets
(tests/interop/features).
"""

from __future__ import annotations

import msgspec
import pytest

from appliance.call.diversion import Forwarding
from appliance.errors import ConfigError
from tests.call.playbook import ANSWER, OFFER, Phone, Sends, sdp
from tests.features.office import Office

TO_CAROL = 'Call-Info: purpose=forwarding, username="102", contact="103"'
BY_THE_GRAMMAR = '<sip:103@192.0.2.1>;purpose=forwarding;username="102";contact="103"'
WHEN = ("always", "busy", "no_answer", "not_registered")
EARLY = sdp("10.9.9.9", 5600)


@pytest.fixture
def dave(office: Office) -> Phone:
    return office.phone("104", "Dave")


def steps(office: Office) -> list[tuple[str, str, str]]:
    return [(each.by, each.to, each.why) for each in office.records[-1].steps]


def moved(phone: Phone, contact: str) -> Sends:
    """The phone sends its call to somebody else."""
    sends = phone.says(302)
    sends.message.headers.set("Contact", contact)
    return sends


def is_taken(office: Office, caller: Phone, callee: Phone) -> None:
    """The callee that rings answers, and the call ends."""
    office >> callee.says(200, ANSWER) << callee.gets("ACK") << caller.gets(200) >> caller.ack()
    office >> caller.bye() << caller.gets(200) << callee.gets("BYE") >> callee.ok()
    office.quiet()


def test_5359_2_7_all_calls(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.set("forwarding", "102", always="103")
    (
        office
        >> alice.invite("102", OFFER)
        << alice.gets(181, "SIP/2.0 181 Call Is Being Forwarded", TO_CAROL)
        << carol.gets(
            "INVITE",
            "<sip:101@192.0.2.1>",
            'Diversion: "Bob" <sip:102@192.0.2.1>;reason=unconditional;counter=1',
            "History-Info: <sip:102@192.0.2.1>;index=1, <sip:103@192.0.2.1;cause=302>;index=1.1;mp=1",
        )
    )
    (office >> carol.says(200, ANSWER) << carol.gets("ACK") << alice.gets(200, lacks=("Diversion",)))
    office >> alice.ack() >> alice.bye() << alice.gets(200) << carol.gets("BYE") >> carol.ok()
    office.ends("normal")
    record = office.records[0]
    assert (record.to_number, record.answered_by) == ("102", "103")
    assert steps(office) == [("102", "103", "unconditional")]


@pytest.mark.parametrize(
    ("status", "when"), [(486, "busy"), (480, "busy"), (603, "busy"), (408, "no_answer")]
)
def test_5359_2_8_busy(
    office: Office, alice: Phone, bob: Phone, carol: Phone, status: int, when: str
) -> None:
    """The caller never hears the 486."""
    office.set("forwarding", "102", **{when: "103"})
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)
    reason = when.replace("no_answer", "no-answer").replace("busy", "user-busy")
    (
        office
        >> bob.says(status)
        << bob.gets("ACK")
        << alice.gets(181, TO_CAROL)
        << carol.gets("INVITE", f";reason={reason};", lacks=("Reason",))
        >> carol.says(180)
        << alice.gets(180)
    )
    is_taken(office, alice, carol)
    office.ends("normal")
    assert steps(office) == [("102", "103", reason)]


def test_5359_2_9_no_answer(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """After the extension's own ring time; whoever picks up too late is acknowledged and hung up on."""
    office.set("forwarding", "102", no_answer="103")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)
    office.waits(29.9).quiet()
    (
        office.waits(0.2)
        << bob.gets("CANCEL", 'Reason: Q.850;cause=19;text="No Answer"')
        << alice.gets(181, TO_CAROL)
        << carol.gets("INVITE", ";reason=no-answer;", ";cause=408>;index=1.1")
    )
    office >> bob.ok() >> bob.says(200, ANSWER) << bob.gets("ACK") << bob.gets("BYE") >> bob.ok()
    office >> carol.says(180) << alice.gets(180)
    is_taken(office, alice, carol)
    office.ends("normal")
    assert office.records[0].answered_by == "103"


def test_not_registered(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.bindings.clear()
    dave = office.phone("104")
    office.set("forwarding", "102", not_registered="104", busy="103")
    office >> alice.invite("102", OFFER) << alice.gets(181, 'username="102", contact="104"')
    office << dave.gets("INVITE", ";reason=unavailable;")
    is_taken(office, alice, dave)
    office.ends("normal")


def test_a_phone_that_is_gone_counts_as_not_registered(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    office.set("forwarding", "102", not_registered="103")
    office.wiretap.dead.add(bob.address)
    office >> alice.invite("102", OFFER) << alice.gets(100)
    office.waits(0) << alice.gets(181, TO_CAROL) << carol.gets("INVITE")
    is_taken(office, alice, carol)
    office.ends("normal")


def test_a_phone_that_says_nothing_counts_as_not_registered(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    office.extensions["102"] = msgspec.structs.replace(office.extensions["102"], ring_seconds=60)
    office.set("forwarding", "102", not_registered="103")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office.waits(31.9)
    office.wiretap.sent.clear()  # it was asked again and again
    office.waits(0.2) << alice.gets(181, TO_CAROL) << carol.gets("INVITE")
    is_taken(office, alice, carol)
    office.ends("normal")


def test_a_chain_tells_of_each_step_in_order(
    office: Office, alice: Phone, bob: Phone, carol: Phone, dave: Phone
) -> None:
    office.set("forwarding", "102", always="103")
    office.set("forwarding", "103", busy="104")
    office >> alice.invite("102", OFFER) << alice.gets(181, TO_CAROL) << carol.gets("INVITE")
    office >> carol.says(486) << carol.gets("ACK")
    (
        office
        << alice.gets(181, 'Call-Info: purpose=forwarding, username="103", contact="104"', lacks=('"102"',))
        << dave.gets(
            "INVITE",
            'Diversion: "Carol" <sip:103@192.0.2.1>;reason=user-busy;counter=1\r\n'
            'Diversion: "Bob" <sip:102@192.0.2.1>;reason=unconditional;counter=1\r\n',
            "<sip:102@192.0.2.1>;index=1, <sip:103@192.0.2.1;cause=302>;index=1.1;mp=1,"
            " <sip:104@192.0.2.1;cause=486>;index=1.1.1;mp=1.1",
        )
    )
    is_taken(office, alice, dave)
    office.ends("normal")
    assert steps(office) == [("102", "103", "unconditional"), ("103", "104", "user-busy")]


@pytest.mark.parametrize("first", WHEN)
@pytest.mark.parametrize("second", WHEN)
def test_from_each_forwarding_to_each(
    office: Office, alice: Phone, dave: Phone, first: str, second: str
) -> None:
    bob, carol = office.phone("102"), office.phone("103")
    office.set("forwarding", "102", **{first: "103"})
    office.set("forwarding", "103", **{second: "104"})
    for number, when in (("102", first), ("103", second)):
        office.extensions[number] = msgspec.structs.replace(office.extensions[number], ring_seconds=5)
        if when == "not_registered":
            office.bindings[number].clear()
    office >> alice.invite("102", OFFER)
    begun = comes_to(office, alice, bob, first, begun=False)
    office << alice.gets(181, 'username="102", contact="103"')
    comes_to(office, alice, carol, second, begun=begun or first in {"always", "not_registered"})
    office << alice.gets(181, 'username="103", contact="104"') << dave.gets("INVITE")
    is_taken(office, alice, dave)
    office.waits(60)
    office.wiretap.sent.clear()  # phones that were cancelled say nothing more
    office.ends("normal")
    assert [(by, to) for by, to, _ in steps(office)] == [("102", "103"), ("103", "104")]


def comes_to(office: Office, alice: Phone, phone: Phone, when: str, *, begun: bool) -> bool:
    """The call is at the phone, and what it is forwarded for happens; whether the caller had something to hear."""
    if when in {"always", "not_registered"}:
        return False
    office << phone.gets("INVITE")
    if not begun:
        office << alice.gets(100)
    if when == "busy":
        office >> phone.says(486) << phone.gets("ACK")
    else:
        office >> phone.says(180) << alice.gets(180)
        office.waits(5) << phone.gets("CANCEL") >> phone.ok()
    return True


@pytest.mark.usefixtures("bob", "carol")
def test_a_chain_at_once_tells_of_each_step(office: Office, alice: Phone, dave: Phone) -> None:
    office.set("forwarding", "102", always="103")
    office.set("forwarding", "103", always="104")
    (
        office
        >> alice.invite("102", OFFER)
        << alice.gets(181, TO_CAROL)
        << alice.gets(181, 'username="103", contact="104"')
        << dave.gets("INVITE")
    )
    is_taken(office, alice, dave)
    office.ends("normal")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("minisipserver", [TO_CAROL[11:]]),
        ("rfc3261", [BY_THE_GRAMMAR]),
        ("both", [TO_CAROL[11:], BY_THE_GRAMMAR]),
        ("none", []),
    ],
)
def test_the_form_of_the_notice(
    office: Office, alice: Phone, bob: Phone, carol: Phone, form: str, says: list[str]
) -> None:
    office.set("forwarding", "102", always="103")
    office.set("forwarding-notice", call_info=form)
    office >> alice.invite("102", OFFER) << alice.gets(181)
    assert alice.last is not None
    assert alice.last.headers.get_all("Call-Info") == says
    assert {Forwarding.parse(each) for each in says} <= {Forwarding("102", "103")}
    office << carol.gets("INVITE", lacks=("Call-Info",))
    is_taken(office, alice, carol)
    office.ends("normal")


# --- the phone itself sends calls on


@pytest.mark.parametrize("contact", ["<sip:103@198.51.100.7:5090>", "sip:103@elsewhere.example", "<tel:103>"])
def test_a_3xx_of_a_phone(office: Office, alice: Phone, bob: Phone, carol: Phone, contact: str) -> None:
    """It goes to the number that it names, wherever the phone says that this is."""
    office.set("forwarding", "102", busy="104")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    (
        office
        >> moved(bob, contact)
        << bob.gets("ACK")
        << alice.gets(181, TO_CAROL, lacks=("elsewhere",))
        << carol.gets("INVITE", ";reason=deflection;", ";cause=480>")
    )
    is_taken(office, alice, carol)
    office.ends("normal")
    assert steps(office) == [("102", "103", "deflection")]


def test_a_3xx_that_names_nobody_is_no_answer_of_use(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """It is as if the phone took no calls now: the extension's own forwarding says what comes then."""
    office.set("forwarding", "102", busy="103")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> moved(bob, "<sip:elsewhere.example>") << bob.gets("ACK")
    office << alice.gets(181, TO_CAROL) << carol.gets("INVITE", ";reason=user-busy;")
    is_taken(office, alice, carol)
    office.ends("normal")


def test_a_3xx_speaks_for_all_phones_of_its_extension(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    other = office.phone("102")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << other.gets("INVITE") << alice.gets(100)
    office >> other.says(180) << alice.gets(180)
    office >> moved(bob, "<sip:103@x>") << bob.gets("ACK") << other.gets("CANCEL")
    office << alice.gets(181, TO_CAROL) << carol.gets("INVITE")
    office >> other.ok() >> other.says(487) << other.gets("ACK")
    is_taken(office, alice, carol)
    office.ends("normal")


def test_a_3xx_to_a_wild_number_breaks_no_header(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> moved(bob, "<sip:1%0D%0AX-Evil:%201@x>") << bob.gets("ACK")
    office << alice.gets(404, lacks=("Evil",)) >> alice.ack_refusal()
    office.ends("not_found")


# --- where it ends


def test_a_loop_ends_at_once(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """X-23: nobody is rung, and the record says where it went."""
    office.set("forwarding", "102", always="103")
    office.set("forwarding", "103", always="102")
    office >> alice.invite("102", OFFER) << alice.gets(482, "Loop Detected") >> alice.ack_refusal()
    office.ends("loop")
    assert steps(office) == [("102", "103", "unconditional"), ("103", "102", "unconditional")]


def test_a_loop_after_somebody_rang(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.set("forwarding", "102", busy="103")
    office.set("forwarding", "103", always="102")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(486) << bob.gets("ACK") << alice.gets(482) >> alice.ack_refusal()
    office.ends("loop")
    assert steps(office) == [("102", "103", "user-busy"), ("103", "102", "unconditional")]


def test_more_than_five_steps_are_too_many(office: Office, alice: Phone, bob: Phone) -> None:
    last = [office.phone(str(number)) for number in range(201, 207)][-2]
    office.set("forwarding", "102", always="201")
    for number in range(201, 206):
        office.set("forwarding", str(number), always=str(number + 1))
    office >> alice.invite("102", OFFER) << alice.gets(483, "Reason: Q.850;cause=25") >> alice.ack_refusal()
    office.set("forwarding", "205", always="")
    office >> alice.invite("102", OFFER)
    for _ in range(5):
        office << alice.gets(181)
    office << last.gets("INVITE", "Max-Forwards: 64")
    is_taken(office, alice, last)
    office.ends("forwards", "normal")
    assert [len(each.steps) for each in office.records] == [6, 5]


def test_a_call_with_no_hops_left_goes_no_further(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    office.set("forwarding", "102", always="103")
    invite = alice.invite("102", OFFER)
    invite.message.headers.set("Max-Forwards", "2")
    office >> invite << alice.gets(482) >> alice.ack_refusal()
    office.ends("loop")


def test_the_secretary_reaches_the_chief(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """Whoever calls are sent on to is not sent back to himself."""
    office.set("forwarding", "102", always="101", busy="101")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy")
    assert steps(office) == []


def test_one_s_own_number_is_busy(office: Office, alice: Phone, bob: Phone) -> None:
    """X-23. Its forwarding holds for whoever dials it."""
    office >> alice.invite("101", OFFER) << alice.gets(486) >> alice.ack_refusal()
    office.set("forwarding", "101", busy="102")
    office >> alice.invite("101", OFFER) << alice.gets(181) << bob.gets("INVITE")
    is_taken(office, alice, bob)
    office.ends("busy", "normal")


@pytest.mark.parametrize("target", ["102", "1 03", "x", "0" * 65])
def test_where_no_call_can_go_cannot_be_set(office: Office, bob: Phone, target: str) -> None:
    with pytest.raises(ConfigError):
        office.set("forwarding", "102", always=target)


def test_forwarded_to_a_number_that_is_not_there(office: Office, alice: Phone, bob: Phone) -> None:
    office.set("forwarding", "102", always="999")
    office >> alice.invite("102", OFFER) << alice.gets(404) >> alice.ack_refusal()
    office.ends("not_found")
    assert steps(office) == [("102", "999", "unconditional")]


def test_forwarded_to_a_code_sets_nothing(office: Office, alice: Phone, bob: Phone) -> None:
    office.set("forwarding", "102", always="*78")
    office >> alice.invite("102", OFFER) << alice.gets(403) >> alice.ack_refusal()
    office.ends("forbidden")
    assert not office.setting("do-not-disturb", "101").enabled


# --- somebody goes away in the middle


def test_the_caller_gives_up_between_the_steps(
    office: Office, alice: Phone, bob: Phone, carol: Phone, dave: Phone
) -> None:
    office.set("forwarding", "102", busy="103")
    office.set("forwarding", "103", no_answer="104")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(486) << bob.gets("ACK") << alice.gets(181) << carol.gets("INVITE")
    office >> carol.says(180) << alice.gets(180)
    office >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
    office << carol.gets("CANCEL") >> carol.ok() >> carol.says(487) << carol.gets("ACK")
    office.waits(70).ends("cancelled")
    assert steps(office) == [("102", "103", "user-busy")]


def test_a_cancel_crosses_the_forwarding(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """The 486 comes when the caller has given up: nobody else is rung."""
    office.set("forwarding", "102", busy="103")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)
    office >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
    office << bob.gets("CANCEL") >> bob.says(486) << bob.gets("ACK") >> bob.ok()
    office.ends("cancelled")
    assert steps(office) == []


def test_the_target_vanishes(office: Office, alice: Phone, bob: Phone, carol: Phone, dave: Phone) -> None:
    office.set("forwarding", "102", always="103")
    office.set("forwarding", "103", not_registered="104")
    office.wiretap.dead.add(carol.address)
    office >> alice.invite("102", OFFER) << alice.gets(181)
    office.waits(0) << alice.gets(181) << dave.gets("INVITE")
    office.wiretap.dead.add(dave.address)
    office.waits(0.5) << alice.gets(408) >> alice.ack_refusal()
    office.ends("unreachable")


def test_the_caller_vanishes_in_the_talk(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.set("forwarding", "102", always="103")
    office >> alice.invite("102", OFFER) << alice.gets(181) << carol.gets("INVITE")
    office >> carol.says(200, ANSWER) << carol.gets("ACK") << alice.gets(200) >> alice.ack()
    office.wiretap.dead.add(alice.address)
    office >> carol.bye() << carol.gets(200)
    office.ends("normal")


def test_early_sound_of_one_who_is_busy_then(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """What the second one says is another dialog's, as if the exchange were a proxy that forks (RFC 3261 §13.2.1)."""
    office.set("forwarding", "102", busy="103")
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(183, EARLY) << alice.gets(183)
    first = alice.remote
    office >> bob.says(486) << bob.gets("ACK") << alice.gets(181, TO_CAROL) << carol.gets("INVITE")
    office >> carol.says(183, EARLY) << alice.gets(183)
    assert alice.remote != first
    is_taken(office, alice, carol)
    office.ends("normal")


# --- by code


@pytest.mark.parametrize(
    ("code", "off", "when"),
    [
        ("*72", "*73", "always"),
        ("*90", "*91", "busy"),
        ("*92", "*93", "no_answer"),
        ("*94", "*95", "not_registered"),
    ],
)
async def test_set_and_taken_back_by_code(
    office: Office, alice: Phone, bob: Phone, code: str, off: str, when: str
) -> None:
    for dials, holds in ((code + "103", "103"), (code + "104%23", "104"), (off, "")):
        async with office.serving():
            await dialled(office, bob, dials)
        assert getattr(office.setting("forwarding", "102"), when) == holds
    office.ends("normal", "normal", "normal")


@pytest.mark.parametrize("dials", ["*72", "*72102", "*72%23"])
async def test_a_code_that_cannot_be_is_refused_by_a_tone(office: Office, bob: Phone, dials: str) -> None:
    async with office.serving():
        await dialled(office, bob, dials)
    assert office.setting("forwarding", "102").always == ""
    office.ends("normal")


async def test_codes_are_what_the_box_is_set_to(office: Office, alice: Phone, bob: Phone) -> None:
    office.set("codes", "forward_all_on", code="*21*")
    async with office.serving():
        await dialled(office, bob, "*21*103%23")
    assert office.setting("forwarding", "102").always == "103"
    office >> bob.invite("*72104", OFFER) << bob.gets(404) >> bob.ack_refusal()
    office.ends("normal", "not_found")


async def dialled(office: Office, phone: Phone, number: str) -> None:
    """Dial a code, hear its tone, and be hung up on."""
    office >> phone.invite(number, OFFER) << phone.gets(100)
    await office.settled()
    office << phone.gets(200) >> phone.ack()
    await office.settled()
    office.waits(2)
    await office.settled()
    office << phone.gets("BYE") >> phone.ok()
