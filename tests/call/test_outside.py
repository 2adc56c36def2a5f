"""appliance/call/outside.py with the exchange: calls that leave by lines and trunks, and come in by them."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.config.route import FAIL_OVER_DEFAULT
from appliance.errors import PeerError
from appliance.sip.transport.flow import Flow
from tests.call.outside_world import OutsideWorld, Server, line, route, trunk
from tests.call.playbook import ANSWER, EXCHANGE, OFFER, Phone, Playbook, sdp

EARLY = sdp("203.0.113.1", 6000)
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'


@pytest.fixture
def world(book: Playbook, alice: Phone) -> OutsideWorld:
    return OutsideWorld(book)


def last(book: Playbook) -> tuple[str, str, str]:
    record = book.records[-1]
    return record.way_in, record.way_out, record.cause


def out(book: Playbook, caller: Phone, number: str, server: Server) -> None:
    """A call that has come as far as a server outside."""
    book >> caller.invite(number, OFFER) << server.gets("INVITE") << caller.gets(100)


def taken(book: Playbook, caller: Phone, server: Server) -> None:
    """It is answered there, and ends."""
    (
        book
        >> server.says(200, ANSWER)
        << server.gets("ACK")
        << caller.gets(200)
        >> caller.ack()
        >> caller.bye()
        << caller.gets(200)
        << server.gets("BYE")
        >> server.ok()
    )


# --- out


def test_out_by_a_line(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    (
        book
        >> alice.invite("9555", OFFER)
        << carrier.gets("INVITE", "INVITE sip:555@sip.example SIP/2.0", "<sip:a00@sip.example>;tag=")
        << alice.gets(100)
        >> carrier.says(180)
        << alice.gets(180)
    )
    assert (book.exchange.calls_by("line:a"), book.exchange.busy_state("101")) == (1, "busy")
    taken(book, alice, carrier)
    assert book.exchange.calls_by("line:a") == 0
    assert book.records[0].answered_by == "555"
    assert last(book) == ("", "line:a", "normal")
    book.ends("normal")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_the_next_line_when_the_carrier_is_at_fault(
    book: Playbook, world: OutsideWorld, alice: Phone, status: int
) -> None:
    first, second = world.line(line("a")), world.line(line("b"))
    world.routes(route("line:a", "line:b"))
    out(book, alice, "9555", first)
    book >> first.says(status) << first.gets("ACK") << second.gets("INVITE")
    assert (book.exchange.calls_by("line:a"), book.exchange.calls_by("line:b")) == (0, 1)
    taken(book, alice, second)
    assert last(book) == ("", "line:b", "normal")
    book.ends("normal")


@pytest.mark.parametrize(
    ("status", "chosen", "cause"),
    [
        (486, FAIL_OVER_DEFAULT, "busy"),
        (410, FAIL_OVER_DEFAULT, "not_found"),
        (603, FAIL_OVER_DEFAULT, "refused"),
        (503, (), "overload"),
        (503, ("busy",), "overload"),
    ],
)
def test_no_next_line_where_the_route_does_not_say_so(
    book: Playbook, world: OutsideWorld, alice: Phone, status: int, chosen: tuple[str, ...], cause: str
) -> None:
    first, _ = world.line(line("a")), world.line(line("b"))
    world.routes(route("line:a", "line:b", fail_over_on=chosen))
    out(book, alice, "9555", first)
    # RFC 3261 §16.7 step 6: a 503 of theirs is none of ours.
    book >> first.says(status) << first.gets("ACK") << alice.gets(480 if status == 503 else status)
    assert last(book) == ("", "line:a", cause)
    (book >> alice.ack_refusal()).ends(cause)


def test_the_next_line_when_the_callee_is_busy_if_the_route_says_so(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    first, second = world.line(line("a")), world.line(line("b"))
    world.routes(route("line:a", "line:b", fail_over_on=("busy",)))
    out(book, alice, "9555", first)
    book >> first.says(486) << first.gets("ACK") << second.gets("INVITE") >> second.says(486)
    book << second.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    assert last(book) == ("", "line:b", "busy")
    book.ends("busy")


def test_the_next_line_after_early_media(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    """What the first one played is over; the caller hears that the second one rings, and what that plays."""
    first, second = world.line(line("a")), world.line(line("b"))
    world.routes(route("line:a", "line:b"))
    out(book, alice, "9555", first)
    book >> first.says(183, EARLY) << alice.gets(183, "m=audio") >> first.says(180) << alice.gets(180)
    book >> first.says(500) << first.gets("ACK") << second.gets("INVITE")
    assert book.exchange.calls()[0].state == "dialling"
    book >> second.says(180) << alice.gets(180) >> second.says(183, EARLY) << alice.gets(183, "m=audio")
    taken(book, alice, second)
    book.ends("normal")


def test_a_line_whose_ringing_takes_too_long(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    first, second = world.line(line("a")), world.line(line("b"))
    world.routes(route("line:a", "line:b", fail_over_on=("no_answer",)))
    out(book, alice, "9555", first)
    book >> first.says(180) << alice.gets(180)
    book.waits(59)
    book.waits(2) << alice.gets(180)
    book.waits(60) << alice.gets(180)
    book.waits(59) << first.gets("CANCEL") << second.gets("INVITE") << alice.gets(180)
    book >> first.ok() >> first.says(487) << first.gets("ACK")
    taken(book, alice, second)
    assert last(book) == ("", "line:b", "normal")
    book.ends("normal")


def test_the_next_peer_of_a_trunk(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    first, second = world.trunk(trunk(max_calls=1), ("192.0.2.9", 5060), ("192.0.2.10", 5060))
    carrier = world.line(line())
    world.routes(route("trunk:hq", "line:a", fail_over_on=("busy",)))
    out(book, alice, "9555", first)
    book >> first.says(503) << first.gets("ACK") << second.gets("INVITE", "sip:555@192.0.2.10")
    assert book.exchange.calls_by("trunk:hq") == 1
    book >> second.says(486) << second.gets("ACK") << carrier.gets("INVITE")
    taken(book, alice, carrier)
    assert last(book) == ("", "line:a", "normal")
    book.ends("normal")


def test_a_peer_that_says_who_is_called_is_busy_is_believed(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    first, _ = world.trunk(trunk(), ("192.0.2.9", 5060), ("192.0.2.10", 5060))
    world.routes(route("trunk:hq"))
    out(book, alice, "9555", first)
    (book >> first.says(486) << first.gets("ACK") << alice.gets(486) >> alice.ack_refusal()).ends("busy")


def test_no_line_is_there(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    world.line(line(), up=False)
    world.routes(route("line:a"))
    book >> alice.invite("9555", OFFER) << alice.gets(503, "Q.850;cause=38") >> alice.ack_refusal()
    assert last(book) == ("", "", "line_down")
    book.ends("line_down")


def test_a_line_that_is_down_is_passed_over(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    world.line(line("a"), up=False)
    second = world.line(line("b"))
    world.routes(route("line:a", "line:b", fail_over_on=()))
    out(book, alice, "9555", second)
    taken(book, alice, second)
    book.ends("normal")


def test_a_full_line(book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone) -> None:
    carrier = world.line(line(max_calls=1))
    world.routes(route("line:a"))
    out(book, alice, "9555", carrier)
    first = carrier.invited
    book >> bob.invite("9556", OFFER) << bob.gets(503, "Q.850;cause=34") >> bob.ack_refusal()
    assert last(book) == ("", "", "line_full")
    book >> carrier.says(486, to=first) << carrier.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    out(book, bob, "9556", carrier)
    book >> carrier.says(180) << bob.gets(180)
    book >> bob.cancel() << bob.gets(200) << bob.gets(487) << carrier.gets("CANCEL") >> bob.ack_refusal()
    (book >> carrier.ok() >> carrier.says(487) << carrier.gets("ACK")).ends("line_full", "busy", "cancelled")


def test_a_line_that_filled_up_meanwhile_is_passed_over(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    """It had room when the call began."""
    first, second, third = (world.line(each) for each in (line("a"), line("b", max_calls=1), line("c")))
    world.routes(route("line:a", "line:b", "line:c"), route("line:b", name="two", pattern="2X."))
    out(book, alice, "9555", first)
    out(book, bob, "9222", second)
    book >> first.says(503) << first.gets("ACK") << third.gets("INVITE")
    assert [book.exchange.calls_by(f"line:{name}") for name in "abc"] == [0, 1, 1]
    taken(book, alice, third)
    taken(book, bob, second)
    book.ends("normal", "normal")


def test_an_emergency_call_leaves_by_a_full_line_and_a_private_one(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    carrier = world.line(line(max_calls=1, extensions=("102",)))
    world.routes(route("line:a"))
    out(book, bob, "9555", carrier)
    first = carrier.invited
    out(book, alice, "9112", carrier)
    assert book.exchange.calls_by("line:a") == 2
    assert [each.emergency for each in book.exchange.calls()] == [False, True]
    taken(book, alice, carrier)
    assert last(book) == ("", "line:a", "normal")
    book >> carrier.says(486, to=first) << carrier.gets("ACK") << bob.gets(486) >> bob.ack_refusal()
    book.ends("normal", "busy")
    assert [each.emergency for each in book.records] == [True, False]


def test_an_emergency_call_is_let_into_a_full_exchange() -> None:
    book = Playbook(max_calls=1)
    alice, bob = book.phone("101"), book.phone("102")
    world = OutsideWorld(book)
    carrier = world.line(line())
    world.routes(route("line:a"))
    out(book, bob, "9555", carrier)
    first = carrier.invited
    book >> alice.invite("9556", OFFER) << alice.gets(503, "Retry-After") >> alice.ack_refusal()
    out(book, alice, "112", carrier)
    taken(book, alice, carrier)
    book >> carrier.says(486, to=first) << carrier.gets("ACK") << bob.gets(486) >> bob.ack_refusal()
    book.ends("overload", "normal", "busy")


def test_an_emergency_call_to_the_gatekeeper_is_let_into_a_full_exchange(
    caplog: pytest.LogCaptureFixture,
) -> None:
    book = Playbook(max_calls=1)
    alice, bob, gate = book.phone("101"), book.phone("102"), book.phone("103")
    world = OutsideWorld(book)
    carrier = world.line(line())
    world.routes(route("line:a"), route("extension:103", name="help", pattern="112", emergency=True))
    out(book, bob, "9555", carrier)
    first = carrier.invited
    book >> alice.invite("112", OFFER) << gate.gets("INVITE") << alice.gets(100)
    assert "emergency call of 101 to 112" in caplog.text
    book >> gate.says(200, ANSWER) << gate.gets("ACK") << alice.gets(200) >> alice.ack()
    book >> alice.bye() << alice.gets(200) << gate.gets("BYE") >> gate.ok()
    book >> carrier.says(486, to=first) << carrier.gets("ACK") << bob.gets(486) >> bob.ack_refusal()
    book.ends("normal", "busy")
    assert [each.emergency for each in book.records] == [True, False]


def test_an_emergency_call_that_finds_no_way_is_said(
    book: Playbook, world: OutsideWorld, alice: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    world.line(line(), up=False)
    world.routes(route("line:a"))
    book >> alice.invite("112", OFFER) << alice.gets(503) >> alice.ack_refusal()
    book.ends("line_down")
    assert book.records[0].emergency
    assert "emergency call of 101 to 112 failed: line_down" in caplog.text


def test_an_emergency_call_tries_all_there_is(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    first, second = world.line(line("a")), world.line(line("b"))
    world.routes(route("line:a", fail_over_on=()))
    out(book, alice, "112", first)
    book >> first.says(603) << first.gets("ACK") << second.gets("INVITE", "sip:112@sip.example")
    taken(book, alice, second)
    book.ends("normal")


def test_a_private_line(book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone) -> None:
    carrier = world.line(line(extensions=("102",)))
    world.routes(route("line:a"))
    book >> alice.invite("9555", OFFER) << alice.gets(403) >> alice.ack_refusal()
    out(book, bob, "9555", carrier)
    taken(book, bob, carrier)
    book.ends("forbidden", "normal")


def test_a_hidden_caller(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line(hide_caller=True))
    (hq,) = world.trunk(trunk(hide_caller=True), ("192.0.2.9", 5060))
    world.routes(route("line:a"), route("trunk:hq", name="hq", pattern="7X."))
    own = 'P-Preferred-Identity: "Alice A." <sip:a00@sip.example>'
    book >> alice.invite("9555", OFFER)
    book << carrier.gets("INVITE", f"From: {ANONYMOUS};tag=", own, "Privacy: id") << alice.gets(100)
    taken(book, alice, carrier)
    # RFC 3325 §9.1: a server that trusts us is told as a server is.
    asserted = 'P-Asserted-Identity: "Alice A." <sip:101@192.0.2.1>'
    book >> alice.invite("777", OFFER)
    book << hq.gets("INVITE", f"From: {ANONYMOUS};tag=", asserted, "Privacy: id") << alice.gets(100)
    taken(book, alice, hq)
    book.ends("normal", "normal")


def test_a_phone_that_asks_to_be_hidden(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    book >> alice.invite("9555", OFFER, Privacy="user;id")
    (
        book
        << carrier.gets(
            "INVITE",
            f"From: {ANONYMOUS};tag=",
            "P-Preferred-Identity:",
            "Privacy: user;id",
            lacks=("Privacy: id",),
        )
        << alice.gets(100)
    )
    taken(book, alice, carrier)
    book.ends("normal")


@pytest.mark.parametrize(
    ("settings", "number", "uri"),
    [
        ({"number_format": "e164"}, "98624555", "sip:+8624555@192.0.2.9"),
        ({"number_format": "tel", "domain": "hq.example:5070"}, "9555", "tel:555;phone-context=hq.example"),
        (
            {"number_format": "tel", "domain": "[2001:db8::1]:5070"},
            "9555",
            "tel:555;phone-context=[2001:db8::1]",
        ),
        ({"number_format": "tel"}, "9+8624555", "tel:+8624555"),
        ({"uri_parameter": "user=phone"}, "9555", "sip:555@192.0.2.9;user=phone"),
    ],
)
def test_number_formats(
    book: Playbook, world: OutsideWorld, alice: Phone, settings: dict[str, Any], number: str, uri: str
) -> None:
    (hq,) = world.trunk(trunk(**settings), ("192.0.2.9", 5060))
    world.routes(route("trunk:hq", pattern="."))
    book >> alice.invite(number, OFFER) << hq.gets("INVITE", f"INVITE {uri} SIP/2.0") << alice.gets(100)
    taken(book, alice, hq)
    book.ends("normal")


# --- in


def in_by(server: Server, number: str, **headers: str) -> Any:
    server.domain = "192.0.2.1"
    return server.invite(number, OFFER, **headers)


def met(book: Playbook, server: Server, callee: Phone, *shown: str) -> None:
    """A call from outside rings a phone, which takes it and ends it."""
    (
        book
        << callee.gets("INVITE", *shown)
        << server.gets(100)
        >> callee.says(200, ANSWER)
        << callee.gets("ACK")
        << server.gets(200)
        >> server.ack()
        >> callee.bye()
        << callee.gets(200)
        << server.gets("BYE")
        >> server.ok()
    )


def test_in_by_a_line_to_an_extension(book: Playbook, world: OutsideWorld, bob: Phone) -> None:
    carrier = world.line(line(incoming="102", account="+86245550000"))
    world.routes()
    book >> in_by(carrier, "+86245550000", P_Asserted_Identity='"Mr. X" <sip:+8613900000000@ims.example>')
    met(book, carrier, bob, '"Mr. X" <sip:+8613900000000@192.0.2.1>')
    record = book.records[0]
    assert (record.from_number, record.to_number, record.answered_by) == ("+8613900000000", "102", "102")
    assert last(book) == ("line:a", "", "normal")
    book.ends("normal")


def test_a_number_of_ones_own(book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone) -> None:
    carrier = world.line(line(incoming="101", numbers=("8624102=102",)))
    world.routes()
    book >> in_by(carrier, "+8624102")
    met(book, carrier, bob)
    book >> in_by(carrier, "a00", P_Called_Party_ID="<sip:+8624102@ims.example>")
    met(book, carrier, bob)
    book >> in_by(carrier, "+8624999")
    met(book, carrier, alice)
    book.ends("normal", "normal", "normal")


def test_a_number_that_nobody_has(book: Playbook, world: OutsideWorld) -> None:
    carrier = world.line(line())
    world.routes()
    book >> in_by(carrier, "+8624999") << carrier.gets(404) >> carrier.ack_refusal()
    assert last(book) == ("line:a", "", "not_found")
    book.ends("not_found")


def test_who_calls_hides(book: Playbook, world: OutsideWorld, bob: Phone) -> None:
    carrier = world.line(line(incoming="102"))
    world.routes()
    book >> in_by(carrier, "a00", P_Asserted_Identity="<sip:+8613900000000@ims.example>", Privacy="id")
    met(book, carrier, bob, f"From: {ANONYMOUS};tag=")
    assert book.records[0].from_number == ""
    book.ends("normal")


def test_who_calls_hides_and_goes_on_by_a_trunk(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    """RFC 3325 §7: another server that is trusted is told; the record is not."""
    carrier = world.line(line(incoming="9555"))
    (hq,) = world.trunk(trunk(), ("192.0.2.9", 5060))
    world.routes(route("trunk:hq", callers=("line:a",)))
    asserted = "P-Asserted-Identity: <sip:+8613900000000@192.0.2.1>"
    book >> in_by(carrier, "a00", P_Asserted_Identity="<sip:+8613900000000@ims.example>", Privacy="id")
    book << hq.gets("INVITE", f"From: {ANONYMOUS};tag=", asserted, "Privacy: id") << carrier.gets(100)
    taken(book, carrier, hq)
    assert book.records[0].from_number == ""
    book.ends("normal")


def test_in_by_a_full_line(book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone) -> None:
    """A call out counts as one in does. Without Retry-After: the carrier would bring us no call at all meanwhile."""
    carrier = world.line(line(incoming="102", max_calls=1))
    world.routes(route("line:a"))
    out(book, alice, "9555", carrier)
    again = Server("a00", carrier.address, book.random)
    (
        book
        >> in_by(again, "a00")
        << again.gets(503, "Q.850;cause=34", lacks=("Retry-After",))
        >> again.ack_refusal()
    )
    assert last(book) == ("line:a", "", "line_full")
    taken(book, alice, carrier)
    book >> in_by(again, "a00")
    met(book, again, bob)
    book.ends("line_full", "normal", "normal")


def test_a_stranger_with_an_extensions_number_keeps_nobody_busy(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    (hq,) = world.trunk(trunk(), ("192.0.2.9", 5060))
    hq.number = "101"
    world.routes()
    book >> in_by(hq, "102")
    assert [book.exchange.busy_state(number) for number in ("101", "102")] == ["idle", "ringing"]
    met(book, hq, bob, "<sip:101@192.0.2.1>")
    book.ends("normal")


@pytest.mark.parametrize("number", ["9555", "555", "9112", "112", "0049555", "+49555"])
@pytest.mark.parametrize("by", ["line", "trunk"])
def test_toll_fraud(book: Playbook, world: OutsideWorld, by: str, number: str) -> None:
    """A call from outside never leaves by a route that does not name where it came from."""
    thief = world.line(line()) if by == "line" else world.trunk(trunk(), ("192.0.2.9", 5060))[0]
    world.line(line("b"))
    world.routes(
        route("line:b", pattern="."),
        route("line:b", name="abroad", pattern="00.", callers=("trunk:other", "1XX")),
        route("line:b", name="help", pattern="112", emergency=True),
    )
    book >> in_by(thief, number)
    book << thief.gets(403) >> thief.ack_refusal()
    assert last(book)[1:] == ("", "forbidden")
    book.ends("forbidden")


def test_transit_where_a_route_names_the_trunk(book: Playbook, world: OutsideWorld) -> None:
    (hq,) = world.trunk(trunk(), ("192.0.2.9", 5060))
    carrier = world.line(line(shows="extension"))
    world.routes(route("line:a", pattern="0X.", callers=("trunk:hq",), strip=1))
    hq.number = "205"
    book >> in_by(hq, "0555") << carrier.gets("INVITE", "sip:555@", "<sip:205@sip.example>") << hq.gets(100)
    assert [book.exchange.calls_by(way) for way in ("trunk:hq", "line:a")] == [1, 1]
    taken(book, hq, carrier)
    assert last(book) == ("trunk:hq", "line:a", "normal")
    book.ends("normal")


# --- phones at the address of a line or trunk


def at_a_trunk(world: OutsideWorld, phone: Phone, *ports: int) -> None:
    world.trunk(trunk(), *((phone.address[0], port) for port in ports or (5061,)))
    world.routes(route("trunk:hq"))


def test_a_registered_phone_at_a_trunks_address_is_asked_who_it_is(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    at_a_trunk(world, alice, 5099)
    book >> alice.invite("102", OFFER, Authorization="none") << alice.gets(401) >> alice.ack_refusal()
    assert book.records == [], "a challenge makes no record"
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    assert last(book) == ("", "", "busy")


def test_credentials_for_our_realm_are_an_extensions_wherever_they_come_from(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    at_a_trunk(world, alice, 5099)
    moved = Phone("101", (alice.address[0], 7777), book.random)
    book >> moved.invite("102", OFFER, Authorization="none") << moved.gets(401) >> moved.ack_refusal()
    book >> moved.invite("102", OFFER, Authorization="101") << bob.gets("INVITE") << moved.gets(100)
    book >> bob.says(486) << bob.gets("ACK") << moved.gets(486) >> moved.ack_refusal()
    assert last(book) == ("", "", "busy")


def test_without_either_it_is_the_trunks(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    """The other office has a 101 as well, at another port than our phone."""
    at_a_trunk(world, alice, 5099)
    other = Server("101", (alice.address[0], 5099), book.random)
    book >> in_by(other, "102")
    met(book, other, bob)
    assert last(book) == ("trunk:hq", "", "normal")


def test_a_phone_beside_a_peer_may_call_over_another_connection(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    """A softphone on the other server's machine, which calls from another port than it registered from."""
    at_a_trunk(world, alice, 5099)
    moved = Phone("101", (alice.address[0], 7777), book.random)
    book >> moved.invite("102", OFFER) << bob.gets("INVITE") << moved.gets(100)
    book >> bob.says(486) << bob.gets("ACK") << moved.gets(486) >> moved.ack_refusal()
    assert last(book) == ("", "", "busy")


def test_only_the_address_says_whose_a_call_is_where_no_such_phone_is_registered(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    at_a_trunk(world, alice, 5099)
    other = Server("103", (alice.address[0], 7777), book.random)
    book >> in_by(other, "102")
    met(book, other, bob)
    assert last(book) == ("trunk:hq", "", "normal")


def test_a_phone_at_a_carriers_address(book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone) -> None:
    world.line(line(incoming="102"), (alice.address[0], 5099))
    world.routes()
    for port, way in ((7777, ""), (5099, "line:a")):
        caller = Server("101", (alice.address[0], port), book.random)
        book >> in_by(caller, "102") << bob.gets("INVITE") << caller.gets(100)
        book >> bob.says(486) << bob.gets("ACK") << caller.gets(486) >> caller.ack_refusal()
        assert last(book) == (way, "", "busy"), port


# --- what is counted


def counted(book: Playbook) -> dict[tuple[str, str], int]:
    return {(each.by, each.cause): each.calls for each in book.exchange.refusals.all()}


def test_what_a_trunk_or_line_is_refused_is_counted(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    carrier, (hq,) = world.line(line(max_calls=1)), world.trunk(trunk(), ("192.0.2.9", 5060))
    world.routes(route("line:a", pattern="5X."))
    for number, status in (("999", 404), ("555", 403), ("999", 404)):
        book >> in_by(hq, number) << hq.gets(status) >> hq.ack_refusal()
    out(book, alice, "9555", carrier)
    again = Server("a00", carrier.address, book.random)
    book >> in_by(again, "a00") << again.gets(503) >> again.ack_refusal()
    taken(book, alice, carrier)
    book >> in_by(hq, "102")
    met(book, hq, bob)
    assert counted(book) == {
        ("line:a", "line_full"): 1,
        ("trunk:hq", "forbidden"): 1,
        ("trunk:hq", "not_found"): 2,
    }
    assert book.exchange.refusals.of("trunk:hq") == {"forbidden": 1, "not_found": 2}


def test_who_has_the_other_end(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    """Of a flow over which something comes that names nobody."""
    carrier = world.line(line())
    (peer,) = world.trunk(trunk(), ("192.0.2.9", 5060))
    outside = book.exchange.router.around.outside
    assert outside is not None
    assert outside.way_at(carrier.flow("tcp")) == "line:a"
    assert outside.way_at(peer.flow()) == "trunk:hq"
    assert outside.way_at(peer.flow("wss")) == outside.way_at(Flow("udp", EXCHANGE, alice.address)) == ""


@pytest.mark.parametrize(
    ("header", "text", "status", "cause"),
    [
        ("Require", "wings", 420, "bad_request"),
        ("Max-Forwards", "0", 483, "loop"),
        ("Max-Forwards", "none", 400, "bad_request"),
        ("Contact", "<sip:1@[", 400, "bad_request"),
    ],
)
def test_a_call_that_is_refused_for_what_stands_in_it(
    book: Playbook, world: OutsideWorld, header: str, text: str, status: int, cause: str
) -> None:
    (peer,) = world.trunk(trunk(incoming="101"), ("192.0.2.9", 5060))
    call = peer.invite("101", OFFER)
    call.message.headers.set(header, text)
    book >> call << peer.gets(status)
    assert last(book) == ("trunk:hq", "", cause)
    assert (book.records[0].status, book.records[0].to_number) == (status, "101")
    assert book.exchange.refusals.of("trunk:hq") == {cause: 1}


def test_strangers_are_counted_and_phones_that_are_asked_are_not(
    book: Playbook, world: OutsideWorld, alice: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each phone of ours is asked before it proves anything, and again when what it proves with has aged."""
    stranger = Phone("101", ("203.0.113.99", 5060), book.random)
    stale = False

    def verify(request: Any) -> str:
        raise PeerError(401, "Unauthorized", (("WWW-Authenticate", f"Digest stale={str(stale).lower()}"),))

    monkeypatch.setattr(book, "verify", verify)
    for caller, proof in ((alice, {}), (stranger, {}), (stranger, {"Authorization": "guess"})):
        book >> caller.invite("102", OFFER, **proof) << caller.gets(401) >> caller.ack_refusal()
    stale = True
    book >> alice.invite("102", OFFER, Authorization="old") << alice.gets(401) >> alice.ack_refusal()
    assert counted(book) == {("stranger", "no_credentials"): 1, ("stranger", "wrong_password"): 1}
    assert book.records == []


def test_a_browser_at_a_trunks_address_is_a_phone(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    at_a_trunk(world, alice, 5099)
    outside = book.exchange.router.around.outside
    assert outside is not None
    invite = alice.invite("102", OFFER).message
    server = Server("101", alice.address, book.random)
    for transport, knows in (("udp", True), ("tcp", True), ("tls", True), ("ws", False), ("wss", False)):
        found = outside.caller(invite, server.flow(transport))  # type: ignore[arg-type]  # an INVITE is a request
        assert (found is not None) is knows, transport


# --- what happens to a line that has calls


def test_a_line_that_goes_away_leaves_its_calls_alone(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    carrier = world.line(line(max_calls=2))
    world.routes(route("line:a"))
    out(book, alice, "9555", carrier)
    del world.live_lines["a"]
    book >> bob.invite("9556", OFFER) << bob.gets(503) >> bob.ack_refusal()
    assert book.exchange.calls_by("line:a") == 1
    taken(book, alice, carrier)
    assert book.exchange.calls_by("line:a") == 0
    book.ends("line_down", "normal")
