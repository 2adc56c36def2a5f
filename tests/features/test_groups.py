"""Groups: who is rung, in which order, and what comes then.

Not tested here: members outside (test_outside_rights.py).
"""

from __future__ import annotations

from copy import copy
from itertools import pairwise

import pytest

from appliance.errors import ConfigError
from tests.call.playbook import ANSWER, OFFER, Phone
from tests.features.office import Office

THREE = ("102", "103", "104")


@pytest.fixture
def dave(office: Office, bob: Phone, carol: Phone) -> Phone:
    return office.phone("104", "Dave")


@pytest.fixture
def erin(office: Office, dave: Phone) -> Phone:
    return office.phone("105", "Erin")


def is_taken(office: Office, caller: Phone, callee: Phone, *others: Phone) -> None:
    """The callee answers, the others ring no more, and the call ends."""
    office >> callee.says(200, ANSWER) << callee.gets("ACK")
    for each in others:
        office << each.gets("CANCEL", "Call completed elsewhere")
    office << caller.gets(200) >> caller.ack()
    for each in others:
        office >> each.ok() >> each.says(487) << each.gets("ACK")
    office >> caller.bye() << caller.gets(200) << callee.gets("BYE") >> callee.ok()
    office.quiet()


def refuses(office: Office, phone: Phone, status: int = 486) -> None:
    office >> phone.says(status) << phone.gets("ACK")


def rung(office: Office, caller: Phone, *phones: Phone) -> None:
    """A call to 600 that rings one after the other, each of whom is busy."""
    office >> caller.invite("600", OFFER) << phones[0].gets("INVITE") << caller.gets(100)
    for phone, then in pairwise(phones):
        refuses(office, phone)
        office << then.gets("INVITE")
    refuses(office, phones[-1])
    office << caller.gets(486) >> caller.ack_refusal()


# --- who is rung


def test_all_ring_and_the_first_answer_wins(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    office.set("groups", "600", title="Sales", members=THREE)
    office >> alice.invite("600", OFFER)
    for each in (bob, carol, dave):
        office << each.gets("INVITE", 'From: "Alice A." <sip:101@192.0.2.1>', lacks=("Diversion",))
    office << alice.gets(100)
    office >> bob.says(180) << alice.gets(180) >> carol.says(180) >> dave.says(180)
    is_taken(office, alice, carol, bob, dave)
    office.ends("normal")
    record = office.records[0]
    assert (record.to_number, record.answered_by, record.steps) == ("600", "103", ())


def test_a_603_of_one_silences_nobody_else(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    """It speaks for all phones of its own number, and no further."""
    second = office.phone("102")
    office.set("groups", "600", members=THREE)
    office >> alice.invite("600", OFFER)
    for each in (bob, second, carol, dave):
        office << each.gets("INVITE")
    office << alice.gets(100) >> second.says(180) << alice.gets(180)
    refuses(office, bob, 603)
    office << second.gets("CANCEL") >> second.ok() >> second.says(487) << second.gets("ACK")
    office.quiet()
    refuses(office, carol, 486)
    is_taken(office, alice, dave)
    office.ends("normal")


def test_linear_begins_with_the_first_each_time(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    office.set("groups", "600", members=THREE, strategy="linear")
    for _ in range(2):
        rung(office, alice, bob, carol, dave)
    office.ends("busy", "busy")


def test_circular_begins_with_the_next_each_time(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    office.set("groups", "600", members=THREE, strategy="circular")
    rung(office, alice, bob, carol, dave)
    rung(office, alice, carol, dave, bob)
    rung(office, alice, dave, bob, carol)
    rung(office, alice, bob, carol, dave)
    office.ends(*["busy"] * 4)


def test_longest_idle_first(office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone) -> None:
    office.set("groups", "600", members=THREE, strategy="longest_idle")
    for callee in (bob, carol):
        office.waits(100) >> alice.invite(callee.number, OFFER) << callee.gets("INVITE") << alice.gets(100)
        is_taken(office, alice, callee)
    office.waits(100)
    rung(office, alice, dave, bob, carol)
    office.ends("normal", "normal", "busy")


def test_a_round_is_over_when_nobody_answers_in_time(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    """Each rings as long as the group says, not the extension."""
    office.set("groups", "600", members=("102", "103"), strategy="linear", ring_seconds=10)
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)
    office.waits(10) << bob.gets("CANCEL") << carol.gets("INVITE")
    office >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    office >> carol.says(180) << alice.gets(180)
    office.waits(10) << carol.gets("CANCEL") << alice.gets(480, "cause=19") >> alice.ack_refusal()
    office >> carol.ok() >> carol.says(487) << carol.gets("ACK")
    office.ends("no_answer")


def test_a_phone_that_says_nothing_holds_up_no_round(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    office.set("groups", "600", members=("102", "103"), strategy="linear", ring_seconds=30)
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office.waits(5.9)
    office.wiretap.sent.clear()
    office.waits(0.2) << carol.gets("INVITE")
    refuses(office, carol)
    office << alice.gets(486) >> alice.ack_refusal()
    office.waits(40)
    office.wiretap.sent.clear()
    office.ends("busy")


def test_who_is_in_a_call_is_left_in_peace(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    office.set("groups", "600", members=("102", "103"))
    office >> bob.invite("104", OFFER) << dave.gets("INVITE") << bob.gets(100)
    office >> dave.says(200, ANSWER) << dave.gets("ACK") << bob.gets(200) >> bob.ack()
    office >> alice.invite("600", OFFER) << carol.gets("INVITE") << alice.gets(100)
    refuses(office, carol)
    office << alice.gets(486) >> alice.ack_refusal()
    office.set("groups", "600", skip_busy=False)
    called = copy(bob)  # on the second line of his phone
    office >> alice.invite("600", OFFER) << called.gets("INVITE") << carol.gets("INVITE") << alice.gets(100)
    refuses(office, carol)
    refuses(office, called)
    office << alice.gets(486) >> alice.ack_refusal()
    office >> bob.bye() << bob.gets(200) << dave.gets("BYE") >> dave.ok()
    office.ends("busy", "busy", "normal")


def test_a_second_call_rings_where_the_first_one_does(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    """Nobody hears that it is busy while nobody is in a call; one after the other, whose phone is quiet comes first."""
    office.set("groups", "600", members=("102",))
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
    called = copy(bob)
    office >> dave.invite("600", OFFER) << called.gets("INVITE") << dave.gets(100)
    refuses(office, called)
    office << dave.gets(486) >> dave.ack_refusal()
    office.set("groups", "601", members=("102", "103"), strategy="linear")
    office >> dave.invite("601", OFFER) << carol.gets("INVITE") << dave.gets(100)
    refuses(office, carol)
    office << called.gets("INVITE")
    refuses(office, called)
    office << dave.gets(486) >> dave.ack_refusal()
    refuses(office, bob)
    office << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy", "busy", "busy")


def test_a_member_who_calls_the_group_is_not_rung(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    office.set("groups", "600", members=("101", "102", "103", "102"))
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << carol.gets("INVITE") << alice.gets(100)
    refuses(office, carol)
    is_taken(office, alice, bob)
    office.ends("normal")


def test_who_is_in_two_groups(office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone) -> None:
    office.set("groups", "600", members=("102", "103"))
    office.set("groups", "601", members=("103", "104"))
    for group, members in (("600", (bob, carol)), ("601", (carol, dave))):
        office >> alice.invite(group, OFFER)
        for each in members:
            office << each.gets("INVITE")
        office << alice.gets(100)
        for each in members:
            refuses(office, each)
        office << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy", "busy")


# --- what comes then


@pytest.fixture
def sales(office: Office, erin: Phone) -> None:
    """102 and 103; 104 when nobody is free, 105 when nobody answers."""
    office.set(
        "groups", "600", title="Sales", members=("102", "103"), ring_seconds=10, busy_to="104", no_answer_to="105"
    )  # fmt: skip


def goes_on(office: Office, alice: Phone, target: Phone, reason: str) -> None:
    office << alice.gets(181, f'username="600", contact="{target.number}"')
    office << target.gets("INVITE", f'Diversion: "Sales" <sip:600@192.0.2.1>;reason={reason};')
    is_taken(office, alice, target)
    office.ends("normal")


@pytest.mark.usefixtures("sales")
@pytest.mark.parametrize("second", [480, 486, 603])
def test_overflow(office: Office, alice: Phone, bob: Phone, carol: Phone, dave: Phone, second: int) -> None:
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << carol.gets("INVITE") << alice.gets(100)
    refuses(office, bob, 486)
    refuses(office, carol, second)
    goes_on(office, alice, dave, "user-busy")


@pytest.mark.usefixtures("sales")
def test_nobody_answers(office: Office, alice: Phone, bob: Phone, carol: Phone, erin: Phone) -> None:
    """One is busy, and the other one's phone rings in vain."""
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << carol.gets("INVITE") << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)
    refuses(office, carol)
    office.waits(10) << bob.gets("CANCEL") >> bob.ok()
    goes_on(office, alice, erin, "no-answer")


def test_somebody_rang_and_the_last_one_was_busy(
    office: Office, alice: Phone, erin: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    office.set(
        "groups", "600", members=("102", "103"), strategy="linear", ring_seconds=10, busy_to="104",
        no_answer_to="105",
    )  # fmt: skip
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)
    office.waits(10) << bob.gets("CANCEL") << carol.gets("INVITE")
    office >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    refuses(office, carol)
    office << alice.gets(181, 'contact="105"') << erin.gets("INVITE")
    is_taken(office, alice, erin)
    office.ends("normal")


def test_nobody_there_at_all(office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone) -> None:
    office.bindings["102"].clear()
    office.set("groups", "600", members=("102",))
    office >> alice.invite("600", OFFER) << alice.gets(480) >> alice.ack_refusal()
    office.set("groups", "600", busy_to="104")
    office >> alice.invite("600", OFFER) << alice.gets(181) << dave.gets("INVITE")
    is_taken(office, alice, dave)
    office.set("groups", "600", members=())
    office >> alice.invite("600", OFFER) << alice.gets(181) << dave.gets("INVITE")
    is_taken(office, alice, dave)
    office.ends("not_registered", "normal", "normal")


def test_out_of_hours(office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone) -> None:
    office.set("time-conditions", "900", hours=("mon-fri 08:00-18:00",), open_to="101")
    office.set("groups", "600", members=("102",), open="900", closed_to="104")
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
    is_taken(office, alice, bob)
    office.now = office.now.replace(hour=18)
    office >> alice.invite("600", OFFER) << alice.gets(181) << dave.gets("INVITE", ";reason=time-of-day;")
    is_taken(office, alice, dave)
    office.set("groups", "600", closed_to="")
    office >> alice.invite("600", OFFER) << alice.gets(480) >> alice.ack_refusal()
    office.ends("normal", "normal", "unavailable")


def test_from_group_to_group_and_round(office: Office, alice: Phone, carol: Phone, bob: Phone) -> None:
    office.set("groups", "600", members=("102",), busy_to="601")
    office.set("groups", "601", members=("103",), busy_to="600")
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
    refuses(office, bob)
    office << alice.gets(181, 'username="600", contact="601"') << carol.gets("INVITE")
    refuses(office, carol)
    office << alice.gets(482) >> alice.ack_refusal()
    office.ends("loop")
    assert len(office.records[0].steps) == 2


# --- with forwarding and do not disturb


def test_a_member_who_sends_calls_on_is_not_rung(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    """Nor is whom they are sent to; what is forwarded when busy rings as a member, and goes no further."""
    office.set("forwarding", "102", always="104")
    office.set("forwarding", "103", busy="104", no_answer="104")
    office.set("groups", "600", members=("102", "103"))
    office >> alice.invite("600", OFFER) << carol.gets("INVITE") << alice.gets(100)
    refuses(office, carol)
    office << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy")
    assert office.records[0].steps == ()


@pytest.mark.parametrize(
    ("when", "cause"),
    [("busy", "busy"), ("no_answer", "no_answer"), ("not_registered", "not_registered")],
)
@pytest.mark.usefixtures("dave")
def test_a_member_s_own_forwarding_goes_nowhere(
    office: Office, alice: Phone, bob: Phone, when: str, cause: str
) -> None:
    office.set("forwarding", "102", **{when: "104"})
    office.set("groups", "600", members=("102",), ring_seconds=10)
    if when == "not_registered":
        office.bindings["102"].clear()
        office >> alice.invite("600", OFFER)
    else:
        office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
        office >> bob.says(180) << alice.gets(180)
        if when == "busy":
            refuses(office, bob)
        else:
            office.waits(10) << bob.gets("CANCEL") >> bob.ok() >> bob.says(487)
    status = 486 if when == "busy" else 480
    if when == "no_answer":
        office << alice.gets(status) << bob.gets("ACK") >> alice.ack_refusal()
    else:
        office << alice.gets(status) >> alice.ack_refusal()
    office.ends(cause)
    assert office.records[0].steps == ()


def test_a_member_s_phone_that_sends_the_call_on_is_not_followed(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    """Nor does it speak for the member's other phones."""
    second = office.phone("102")
    office.set("groups", "600", members=("102", "103"))
    (
        office
        >> alice.invite("600", OFFER)
        << bob.gets("INVITE")
        << second.gets("INVITE")
        << carol.gets("INVITE")
    )
    office << alice.gets(100) >> second.says(180) << alice.gets(180)
    sends = bob.says(302)
    sends.message.headers.set("Contact", "<sip:104@x>")
    office >> sends << bob.gets("ACK")
    is_taken(office, alice, carol, second)
    office.ends("normal")


def test_a_member_who_wants_no_calls_is_not_rung(
    office: Office, alice: Phone, carol: Phone, bob: Phone
) -> None:
    office.set("do-not-disturb", "102", enabled=True)
    office.set("groups", "600", members=("102", "103"))
    office >> alice.invite("600", OFFER) << carol.gets("INVITE") << alice.gets(100)
    is_taken(office, alice, carol)
    office.set("do-not-disturb", "103", enabled=True)
    office >> alice.invite("600", OFFER) << alice.gets(480) >> alice.ack_refusal()
    office.ends("normal", "not_registered")


def test_forwarded_to_a_group(office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone) -> None:
    office.set("forwarding", "102", always="600")
    office.set("groups", "600", title="Sales", members=("102", "103"), no_answer_to="104")
    office >> alice.invite("102", OFFER) << alice.gets(181, 'username="102", contact="600"')
    office << carol.gets("INVITE", 'Diversion: "Bob" <sip:102@192.0.2.1>;reason=unconditional')
    office >> carol.says(180) << alice.gets(180)
    office.waits(20) << carol.gets("CANCEL") << alice.gets(181, 'username="600", contact="104"')
    office << dave.gets(
        "INVITE",
        'Diversion: "Sales" <sip:600@192.0.2.1>;reason=no-answer;counter=1\r\nDiversion: "Bob"',
        "<sip:102@192.0.2.1>;index=1, <sip:600@192.0.2.1;cause=302>;index=1.1;mp=1, <sip:104@",
    )
    office >> carol.ok() >> carol.says(487) << carol.gets("ACK")
    is_taken(office, alice, dave)
    office.ends("normal")
    assert [(each.by, each.to) for each in office.records[0].steps] == [("102", "600"), ("600", "104")]


def test_overflow_to_a_forwarded_extension(
    office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone
) -> None:
    office.set("groups", "600", members=("102",), busy_to="103")
    office.set("forwarding", "103", always="104")
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
    refuses(office, bob)
    (
        office
        << alice.gets(181, '"600", contact="103"')
        << alice.gets(181, '"103", contact="104"')
        << dave.gets("INVITE")
    )
    is_taken(office, alice, dave)
    office.ends("normal")


# --- people go away


def test_the_caller_gives_up_between_two_rounds(
    office: Office, alice: Phone, carol: Phone, bob: Phone
) -> None:
    office.set("groups", "600", members=("102", "103"), strategy="linear", busy_to="101")
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << alice.gets(100)
    refuses(office, bob)
    office << carol.gets("INVITE") >> carol.says(180) << alice.gets(180)
    office >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
    office << carol.gets("CANCEL") >> carol.ok() >> carol.says(487) << carol.gets("ACK")
    office.waits(60).ends("cancelled")


def test_all_members_vanish(office: Office, alice: Phone, dave: Phone, carol: Phone, bob: Phone) -> None:
    office.set("groups", "600", members=("102", "103"), busy_to="104")
    office.wiretap.dead |= {bob.address, carol.address}
    office >> alice.invite("600", OFFER) << alice.gets(100)
    office.waits(0) << alice.gets(181) << dave.gets("INVITE")
    is_taken(office, alice, dave)
    office.ends("normal")


# --- settings


@pytest.mark.parametrize(
    "values",
    [
        {"members": ("600",)},
        {"members": ("x",)},
        {"members": tuple(str(number) for number in range(200, 251))},
        {"ring_seconds": 4},
        {"ring_seconds": 301},
        {"level": 10},
        {"busy_to": "600"},
        {"no_answer_to": "6 00"},
        {"open": "999"},
    ],
)
def test_what_cannot_be_set(office: Office, values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        office.set("groups", "600", **values)


def test_a_group_is_no_member(office: Office, bob: Phone) -> None:
    """It would ring nobody: a group is where calls go when it is the destination."""
    office.set("groups", "600", members=("102",))
    with pytest.raises(ConfigError):
        office.set("groups", "601", members=("102", "600"))
    office.set("groups", "601", members=("102",), busy_to="600")


def test_a_number_belongs_to_one(office: Office, bob: Phone) -> None:
    office.set("groups", "600", members=("102",))
    for area, number in (("groups", "102"), ("time-conditions", "600")):
        values = {"open_to": "102"} if area == "time-conditions" else {}
        with pytest.raises(ConfigError):
            office.set(area, number, **values)


def test_a_member_who_refused_rings_no_more(
    office: Office, alice: Phone, bob: Phone, carol: Phone, erin: Phone
) -> None:
    """The others ring on; who wants to reach this one meanwhile does, and nobody can pick up what rings elsewhere from there."""
    office.set("groups", "600", members=("102", "103"))
    office.set("phones", "102", call_waiting=False)
    exchange = office.exchange
    office >> alice.invite("600", OFFER) << bob.gets("INVITE") << carol.gets("INVITE") << alice.gets(100)
    assert [exchange.busy_state(each) for each in ("102", "103")] == ["ringing", "ringing"]
    refuses(office, bob)
    assert [exchange.busy_state(each) for each in ("102", "103")] == ["idle", "ringing"]
    assert (exchange.ringing_at("102"), exchange.ringing_at("103")) == (None, exchange.calls_of("103")[0])
    line = office.second_line(bob)
    office >> erin.invite("102", OFFER) << line.gets("INVITE") << erin.gets(100) >> line.says(200, ANSWER)
    office << line.gets("ACK") << erin.gets(200) >> erin.ack() >> erin.bye()
    office << erin.gets(200) << line.gets("BYE") >> line.ok()
    is_taken(office, alice, carol)
    office.ends("normal", "normal")
