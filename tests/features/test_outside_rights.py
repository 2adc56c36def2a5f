"""Calls that services send outside: in the rights of whoever sends them on, and in nobody else's.

What a caller may do himself: tests/call/test_dial_plan.py.
"""

from __future__ import annotations

import msgspec
import pytest

from appliance.sip.message import Request, Response
from tests.call.outside_world import OutsideWorld, Server, line, route, trunk
from tests.call.playbook import ANSWER, OFFER, Phone, Sends
from tests.features.office import Office

MOBILE = "0911555"


@pytest.fixture
def world(office: Office, alice: Phone, bob: Phone, carol: Phone) -> OutsideWorld:
    """A line that numbers from 0 on leave by, for rights of 3 and more."""
    return OutsideWorld(office, out_prefix="")


@pytest.fixture
def carrier(world: OutsideWorld) -> Server:
    made = world.line(line(shows="extension"))
    world.routes(route("line:a", pattern="0X.", level=3))
    return made


@pytest.fixture
def provider(world: OutsideWorld, carrier: Server) -> Server:
    """Somebody who calls from outside, and reaches 102."""
    (made,) = world.trunk(trunk("hq", incoming="102"), ("203.0.113.99", 5060))
    world.routes(route("line:a", pattern="0X.", level=3))
    return made


def give(office: Office, **levels: int) -> None:
    for number, level in levels.items():
        extension = office.extensions[number.removeprefix("x")]
        office.extensions[extension.number] = msgspec.structs.replace(extension, level=level)


def moved(phone: Phone, contact: str, status: int = 302) -> Sends:
    sends = phone.says(status)
    sends.message.headers.set("Contact", contact)
    return sends


def goes_out(office: Office, alice: Phone, carrier: Server) -> None:
    office >> carrier.says(200, ANSWER) << carrier.gets("ACK") << alice.gets(200) >> alice.ack()
    office >> alice.bye() << alice.gets(200) << carrier.gets("BYE") >> carrier.ok()
    office.quiet()


def test_forwarded_outside_in_the_forwarder_s_rights(
    office: Office, carrier: Server, alice: Phone, bob: Phone
) -> None:
    """The caller has none; the carrier hears who sends the call on."""
    give(office, x101=0, x102=3)
    office.set("forwarding", "102", always=MOBILE)
    office >> alice.invite("102", OFFER) << alice.gets(181, f'username="102", contact="{MOBILE}"')
    (
        office
        << carrier.gets(
            "INVITE",
            f"INVITE sip:{MOBILE}@sip.example SIP/2.0",
            'From: "Alice A." <sip:101@',
            'Diversion: "Bob" <sip:102@sip.example>;reason=unconditional;counter=1',
            f"History-Info: <sip:102@sip.example>;index=1, <sip:{MOBILE}@sip.example;cause=302>;index=1.1;mp=1",
        )
    )
    goes_out(office, alice, carrier)
    office.ends("normal")
    assert (office.records[0].way_out, office.records[0].answered_by) == ("line:a", MOBILE)


def test_a_carrier_that_knows_no_extensions_hears_its_own_number(
    office: Office, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    carrier = world.line(line(shows="outside"))
    world.routes(route("line:a", pattern="0X."))
    office.set("forwarding", "102", always=MOBILE)
    office >> alice.invite("102", OFFER) << alice.gets(181)
    office << carrier.gets("INVITE", "<sip:a00@sip.example>;reason=", lacks=("sip:102@",))
    goes_out(office, alice, carrier)
    office.ends("normal")


def test_the_caller_s_right_is_not_the_forwarder_s(
    office: Office, carrier: Server, alice: Phone, bob: Phone
) -> None:
    give(office, x101=9, x102=2)
    office.set("forwarding", "102", always=MOBILE)
    office >> alice.invite("102", OFFER) << alice.gets(403) >> alice.ack_refusal()
    office.ends("forbidden")
    assert [(each.by, each.to) for each in office.records[0].steps] == [("102", MOBILE)]


@pytest.mark.parametrize("right", [2, 3])
@pytest.mark.parametrize("status", [300, 301, 302, 305, 380])
def test_a_3xx_outside(
    office: Office, carrier: Server, alice: Phone, bob: Phone, right: int, status: int
) -> None:
    give(office, x101=9, x102=right)
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> moved(bob, f"<sip:{MOBILE}@198.51.100.7>", status) << bob.gets("ACK")
    if right == 3:
        office << alice.gets(181, MOBILE) << carrier.gets("INVITE", ";reason=deflection;")
        goes_out(office, alice, carrier)
        office.ends("normal")
    else:
        office << alice.gets(403, lacks=("Contact", MOBILE)) >> alice.ack_refusal()
        office.ends("forbidden")


@pytest.mark.parametrize("status", [300, 301, 302, 305, 380])
def test_a_3xx_of_a_carrier_is_never_followed(
    office: Office, carrier: Server, alice: Phone, bob: Phone, status: int
) -> None:
    give(office, x101=9, x102=9)
    office >> alice.invite(MOBILE, OFFER) << carrier.gets("INVITE") << alice.gets(100)
    office >> moved(carrier, "<sip:102@x>", status) << carrier.gets("ACK")
    office << alice.gets(480, lacks=("sip:102",)) >> alice.ack_refusal()
    # Nor when an extension has sent the call there.
    office.set("forwarding", "102", always=MOBILE)
    office >> alice.invite("102", OFFER) << alice.gets(181) << carrier.gets("INVITE")
    office >> moved(carrier, "<sip:0666@x>", status) << carrier.gets("ACK")
    office << alice.gets(480) >> alice.ack_refusal()
    office.ends("unavailable", "unavailable")


def test_two_steps_are_paid_by_the_last(office: Office, carrier: Server, alice: Phone, bob: Phone) -> None:
    give(office, x101=9, x102=9, x103=0)
    office.set("forwarding", "102", always="103")
    office.set("forwarding", "103", always=MOBILE)
    office >> alice.invite("102", OFFER) << alice.gets(403) >> alice.ack_refusal()
    office.ends("forbidden")
    assert len(office.records[0].steps) == 2


def test_somebody_outside_comes_out_again_by_a_forwarding_alone(
    office: Office, carrier: Server, provider: Server, bob: Phone
) -> None:
    give(office, x102=3)
    office >> provider.invite(MOBILE, OFFER) << bob.gets("INVITE") << provider.gets(100)
    office >> bob.says(486) << bob.gets("ACK") << provider.gets(486) >> provider.ack_refusal()
    office.set("forwarding", "102", busy=MOBILE)
    office >> provider.invite("102", OFFER) << bob.gets("INVITE") << provider.gets(100)
    office >> bob.says(486) << bob.gets("ACK") << provider.gets(181) << carrier.gets("INVITE")
    goes_out(office, provider, carrier)
    office.ends("busy", "normal")
    assert (office.records[1].way_in, office.records[1].way_out) == ("trunk:hq", "line:a")


def test_somebody_outside_who_shows_our_number_is_sent_on_all_the_same(
    office: Office, provider: Server, bob: Phone, carol: Phone
) -> None:
    """Nobody escapes a forwarding by the number he claims to call from."""
    office.set("forwarding", "102", always="103")
    provider.number = "103"
    office >> provider.invite("102", OFFER) << provider.gets(181) << carol.gets("INVITE")
    office >> carol.says(486) << carol.gets("ACK") << provider.gets(486) >> provider.ack_refusal()
    office.ends("busy")


def test_codes_are_not_for_callers_from_outside(
    office: Office, provider: Server, world: OutsideWorld
) -> None:
    world.live_trunks["hq"].trunk = trunk("hq", incoming="*28")
    office >> provider.invite("*28", OFFER) << provider.gets(404) >> provider.ack_refusal()
    office.ends("not_found")
    assert not office.setting("night-mode").enabled


# --- groups and time conditions


@pytest.mark.parametrize("level", [2, 3])
def test_a_member_outside_is_rung_in_the_group_s_right(
    office: Office, carrier: Server, alice: Phone, bob: Phone, level: int
) -> None:
    give(office, x101=0)
    office.set("groups", "600", members=("102", MOBILE), level=level)
    office >> alice.invite("600", OFFER) << bob.gets("INVITE")
    if level == 3:
        office << carrier.gets("INVITE", f"sip:{MOBILE}@")
    office << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)
    if level == 3:
        office >> carrier.says(200, ANSWER) << carrier.gets("ACK") << bob.gets("CANCEL") << alice.gets(200)
        office >> alice.ack() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
        office >> alice.bye() << alice.gets(200) << carrier.gets("BYE") >> carrier.ok()
        office.ends("normal")
        assert office.records[0].way_out == "line:a"
    else:
        office >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
        office.ends("busy")


def test_a_line_for_one_call_takes_one_member(office: Office, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line(max_calls=1))
    world.routes(route("line:a", pattern="0X."))
    office.set("groups", "600", members=("011", "022"))
    office >> alice.invite("600", OFFER) << carrier.gets("INVITE", "sip:011@") << alice.gets(100)
    office >> carrier.says(486) << carrier.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy")


def test_a_line_that_is_full_by_then_is_passed_over(
    office: Office, world: OutsideWorld, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """The group's own destination still counts."""
    carrier = world.line(line(max_calls=1))
    world.routes(route("line:a", pattern="0X."))
    office.set("groups", "600", members=("103", "011"), strategy="linear", busy_to="102", no_answer_to="102")
    office >> alice.invite("600", OFFER) << carol.gets("INVITE") << alice.gets(100)
    first = carol.invited
    office >> carol.invite("022", OFFER) << carrier.gets("INVITE") << carol.gets(100)
    office >> carol.says(486, to=first) << carol.gets("ACK")
    office << alice.gets(181, 'username="600", contact="102"') << bob.gets("INVITE")
    office >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    office >> carrier.says(486) << carrier.gets("ACK") << carol.gets(486) >> carol.ack_refusal()
    office.ends("busy", "busy")


def test_whoever_is_put_through_takes_one_call_of_their_line(
    office: Office, world: OutsideWorld, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """The call that they left waits for news of the transfer, and yet leaves room for somebody else."""
    carrier = world.line(line(incoming="102", max_calls=2))
    world.routes()
    office >> carrier.invite("a00", OFFER) << bob.gets("INVITE") << carrier.gets(100)
    office >> bob.says(200, ANSWER) << bob.gets("ACK") << carrier.gets(200) >> carrier.ack()
    office >> bob.ask("REFER", Refer_To="<sip:103@192.0.2.1>") << bob.gets(202) << bob.gets("NOTIFY")
    office << carol.gets("INVITE") >> bob.ok()
    assert office.exchange.calls_by("line:a") == 1
    office >> carol.says(486) << carol.gets("ACK") << bob.gets("NOTIFY", "486 Busy Here") >> bob.ok()
    assert office.exchange.calls_by("line:a") == 1
    office >> bob.bye() << bob.gets(200) << carrier.gets("BYE") >> carrier.ok()
    assert office.exchange.calls_by("line:a") == 0
    office.ends("busy", "normal")


def test_time_condition_to_group_to_outside(
    office: Office, carrier: Server, provider: Server, world: OutsideWorld, bob: Phone
) -> None:
    """From outside, by day to a group whose member is rung, and after that out again in the group's right."""
    office.set("groups", "600", title="Sales", members=("102",), no_answer_to=MOBILE, level=3)
    office.set("time-conditions", "900", hours=("mon-fri 08:00-18:00",), open_to="600", closed_to=MOBILE)
    world.live_trunks["hq"].trunk = trunk("hq", incoming="900")
    office >> provider.invite("900", OFFER) << bob.gets("INVITE", lacks=("Diversion", "History-Info"))
    office << provider.gets(100) >> bob.says(180) << provider.gets(180)
    office.waits(20) << bob.gets("CANCEL") << provider.gets(181, f'username="600", contact="{MOBILE}"')
    office << carrier.gets("INVITE", 'Diversion: "Sales" <sip:600@')
    office >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    goes_out(office, provider, carrier)
    # A time condition has the lowest right.
    office.now = office.now.replace(hour=20)
    office >> provider.invite("900", OFFER) << provider.gets(403) >> provider.ack_refusal()
    office.ends("normal", "forbidden")


def test_a_second_destination_of_a_route_tells_of_its_own_steps(
    office: Office, world: OutsideWorld, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """Each of them is forwarded; the record has what was tried, in its order."""
    dave, erin = office.phone("104"), office.phone("105")
    world.routes(route("extension:102", "extension:103", pattern="77", fail_over_on=("busy",)))
    office.set("forwarding", "102", busy="104")
    office.set("forwarding", "103", always="105")
    office >> alice.invite("77", OFFER) << bob.gets("INVITE") << alice.gets(100)
    (
        office
        >> bob.says(486)
        << bob.gets("ACK")
        << alice.gets(181, '"102", contact="104"')
        << dave.gets("INVITE")
    )
    office >> dave.says(486) << dave.gets("ACK")
    office << alice.gets(181, '"103", contact="105"') << erin.gets("INVITE", lacks=("sip:102",))
    office >> erin.says(486) << erin.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy")
    assert [(each.by, each.to) for each in office.records[0].steps] == [("102", "104"), ("103", "105")]


def test_a_forwarding_that_cannot_be_leaves_the_route_s_next(
    office: Office, world: OutsideWorld, alice: Phone, bob: Phone, carol: Phone
) -> None:
    world.routes(route("extension:102", "extension:103", pattern="77", fail_over_on=("busy",)))
    office.set("forwarding", "102", busy="999")
    office >> alice.invite("77", OFFER) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(486) << bob.gets("ACK") << carol.gets("INVITE")
    office >> carol.says(486) << carol.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    office.ends("busy")


@pytest.mark.parametrize(("keeps", "most"), [(True, 2), (False, 34)])
def test_x_23_a_trunk_that_sends_all_back(
    office: Office, world: OutsideWorld, alice: Phone, bob: Phone, keeps: bool, most: int
) -> None:
    """Each time round makes one call of one, from and to the same numbers: it ends where our mark comes back, or else when
    these are too many."""
    (peer,) = world.trunk(trunk("hq", incoming="102"), ("203.0.113.99", 5060))
    world.routes(route("trunk:hq", pattern="0X."))
    office.set("forwarding", "102", always=MOBILE)
    office >> alice.invite("102", OFFER) << alice.gets(181)
    rounds = 0
    while True:
        flow, message = office.wiretap.sent.popleft()
        assert flow.remote == peer.address
        if isinstance(message, Response):
            if message.status >= 300:
                break
            continue
        assert message.method == "INVITE"
        rounds += 1
        peer.take(message)
        if not keeps:
            message.headers.remove("Branchbox-Passed")
        assert office >> Sends(peer, sent_back(message, rounds))
    assert message.status == 482
    assert rounds == most
    assert office.exchange.calls() != []
    for call in office.exchange.calls():
        assert office.exchange.hang_up(call.id)
    office.wiretap.sent.clear()
    assert {each.cause for each in office.records} == {"loop", "administrator"}
    office.waits(200)
    assert office.endpoint.transactions == 0


def sent_back(invite: Request, serial: int) -> Request:
    """The same call, from the other side's server."""
    headers = invite.headers.copy()
    headers.set("Via", f"SIP/2.0/UDP 203.0.113.99:5060;branch=z9hG4bK-{serial}")
    headers.set("Max-Forwards", str(invite.max_forwards))
    headers.set("Call-ID", f"round-{serial}@203.0.113.99")
    headers.set("Contact", "<sip:peer@203.0.113.99:5060>")
    return Request("INVITE", "sip:102@192.0.2.1", headers, invite.body)


@pytest.mark.parametrize(("outside", "told"), [(False, ()), (True, ('username="102", contact="103"',))])
def test_a_caller_by_a_line_learns_of_no_numbers(
    office: Office, world: OutsideWorld, bob: Phone, carol: Phone, outside: bool, told: tuple[str, ...]
) -> None:
    carrier = world.line(line(incoming="102"))
    office.set("forwarding", "102", always="103")
    office.set("forwarding-notice", outside=outside)
    (
        office
        >> carrier.invite("100", OFFER)
        << carrier.gets(181, *told, lacks=() if outside else ("103", "Call-Info"))
    )
    office << carol.gets("INVITE")
    office >> carol.says(486) << carol.gets("ACK") << carrier.gets(486) >> carrier.ack_refusal()
    office.ends("busy")
