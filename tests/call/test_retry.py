"""What a carrier cannot stand, played whole: the call is tried once more without it, and the line remembers.

appliance/call/way_out.py, trying.py, sip_leg_late_offer.py; which feature explains what: tests/lines/test_explanation.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from appliance.lines.feature import Habit
from appliance.lines.learned import LESSON_SECONDS
from tests.call.outside_world import OutsideWorld, Server, line, route, trunk
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp

EARLY = sdp("203.0.113.1", 6000)
WIDE = OFFER.replace(b"RTP/AVP 8", b"RTP/AVP 9 8 18 101") + b"a=rtpmap:101 telephone-event/8000\r\n"


@pytest.fixture
def world(book: Playbook, alice: Phone) -> OutsideWorld:
    return OutsideWorld(book)


def habits(world: OutsideWorld, way: str = "line:a") -> set[Habit]:
    return set(world.learned.habits(way))


def out(
    book: Playbook, caller: Phone, server: Server, *contains: str, offer: bytes = OFFER, **lacks: Any
) -> None:
    """A call that has come as far as a server outside."""
    book >> caller.invite("9555", offer) << server.gets("INVITE", *contains, **lacks) << caller.gets(100)


def again(
    book: Playbook, server: Server, status: int, *contains: str, lacks: tuple[str, ...] = (), **said: Any
) -> None:
    """It refuses, and gets the call once more."""
    book >> server.says(status, **said) << server.gets("ACK") << server.gets("INVITE", *contains, lacks=lacks)


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


def refused(book: Playbook, caller: Phone, server: Server, status: int, told: int = 0, **said: Any) -> None:
    """And that was it."""
    book >> server.says(status, **said) << server.gets("ACK") << caller.gets(told or status)
    book >> caller.ack_refusal()


# --- 100rel, and what is never done


def demanded(book: Playbook, alice: Phone, carrier: Server, status: int = 183) -> None:
    """The carrier demands 100rel, and does not know our PRACK."""
    out(book, alice, carrier, "Supported: 100rel")
    book >> carrier.says_reliably(status, 7, EARLY) << carrier.gets("PRACK", "RAck: 7 1 INVITE")
    book << alice.gets(status)


@pytest.mark.parametrize("status", [403, 405, 501])
def test_the_first_call_is_saved_and_the_next_ones_do_not_offer_it(
    book: Playbook, world: OutsideWorld, alice: Phone, status: int
) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    demanded(book, alice, carrier)
    first = carrier.invited
    book >> carrier.ok(status) << carrier.gets("CANCEL")
    book << carrier.gets("INVITE", lacks=("100rel", "PRACK"))
    second = carrier.invited
    book >> carrier.ok() >> carrier.says(487, to=first) << carrier.gets("ACK")
    assert (book.exchange.calls_by("line:a"), habits(world)) == (1, set()), "nothing has worked yet"
    book >> carrier.says(180, to=second) << alice.gets(180)
    (lesson,) = world.learned.of("line:a")
    assert lesson.habit == Habit("100rel", on=False)
    assert (lesson.said.partition(" ")[0], lesson.said[-9:], lesson.at) == (
        str(status),
        " to PRACK",
        world.now,
    )
    taken(book, alice, carrier)
    assert (book.records[0].way_out, book.records[0].answered_by) == ("line:a", "555")
    out(book, alice, carrier, lacks=("100rel", "PRACK"))
    taken(book, alice, carrier)
    book.ends("normal", "normal")


def test_a_caller_who_has_the_answer_of_the_first_try_for_certain(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    """What the second one answers is another dialog's to the caller, as if a proxy had forked: RFC 3261 §12.1.2."""
    carrier = world.line(line())
    world.routes(route("line:a"))
    offer = OFFER.replace(b"RTP/AVP 8", b"RTP/AVP 8 0")
    book >> alice.invite("9555", offer, Supported="100rel") << carrier.gets("INVITE", "100rel")
    book << alice.gets(100) >> carrier.says_reliably(183, 7, EARLY) << carrier.gets("PRACK")
    book << alice.gets(183, "RSeq", "RTP/AVP 8") >> alice.prack() << alice.gets(200)
    first, before = carrier.invited, alice.remote
    book >> carrier.ok(405) << carrier.gets("CANCEL") << carrier.gets("INVITE", lacks=("100rel",))
    second = carrier.invited
    book >> carrier.ok() >> carrier.says(487, to=first) << carrier.gets("ACK")
    book >> carrier.says(200, EARLY.replace(b"AVP 8", b"AVP 0"), to=second, tag="new") << carrier.gets("ACK")
    book << alice.gets(200, "RTP/AVP 0") >> alice.ack()
    assert alice.remote != before
    (book >> alice.bye() << alice.gets(200) << carrier.gets("BYE") >> carrier.ok()).ends("normal")


def test_a_prack_that_nobody_knows(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    """481 may have crossed the final response: that is waited for first."""
    carrier = world.line(line())
    world.routes(route("line:a"))
    demanded(book, alice, carrier)
    first = carrier.invited
    (book >> carrier.ok(481)).quiet()
    book.waits(2.0) << carrier.gets("CANCEL") << carrier.gets("INVITE", lacks=("100rel", "PRACK"))
    second = carrier.invited
    book >> carrier.ok() >> carrier.says(487, to=first) << carrier.gets("ACK")
    book >> carrier.says(180, to=second) << alice.gets(180)
    taken(book, alice, carrier)
    assert habits(world) == {Habit("100rel", on=False)}
    book.ends("normal")


@pytest.mark.parametrize(("status", "blamed"), [(504, True), (500, True), (480, False), (404, False)])
def test_a_carrier_that_does_not_know_the_prack_and_gives_up(
    book: Playbook, world: OutsideWorld, alice: Phone, status: int, *, blamed: bool
) -> None:
    carrier = world.line(line(uri_parameter="a=b;user=phone"))
    world.learned.worked("line:a", frozenset({"user-phone", "100rel", "timer"}))
    world.routes(route("line:a"))
    demanded(book, alice, carrier)
    book >> carrier.ok(481)
    if blamed:
        again(book, carrier, status, lacks=("100rel",))
        taken(book, alice, carrier)
        book.waits(5)
        book.ends("normal")
    else:
        refused(book, alice, carrier, status)
        book.waits(5)
        assert len(book.records) == 1


def test_never_a_second_retry(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line(uri_parameter="user=phone"))
    world.routes(route("line:a"))
    out(book, alice, carrier, "user=phone")
    again(book, carrier, 420, lacks=("Supported: 100rel, timer",), Unsupported="100rel")
    refused(book, alice, carrier, 404)
    assert habits(world) == set()
    book.ends("not_found")


def test_never_after_the_callee_rang_but_the_next_call_begins_without(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    demanded(book, alice, carrier, 180)
    first = carrier.invited
    book >> carrier.ok(405) << carrier.gets("CANCEL") << alice.gets(500) >> alice.ack_refusal()
    book >> carrier.ok() >> carrier.says(487, to=first) << carrier.gets("ACK")
    assert habits(world) == set()
    out(book, alice, carrier, lacks=("100rel", "PRACK"))
    book >> carrier.says(180) << alice.gets(180)
    assert [each.said for each in world.learned.of("line:a")] == ["405 Method Not Allowed to PRACK"]
    taken(book, alice, carrier)
    book.ends("prack_refused", "normal")


def test_a_suspicion_that_does_not_help_is_given_up(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    demanded(book, alice, carrier, 180)
    first = carrier.invited
    book >> carrier.ok(405) << carrier.gets("CANCEL") << alice.gets(500) >> alice.ack_refusal()
    book >> carrier.ok() >> carrier.says(487, to=first) << carrier.gets("ACK")
    out(book, alice, carrier, lacks=("100rel", "PRACK"))
    refused(book, alice, carrier, 421, 500, Require="100rel")
    out(book, alice, carrier, "100rel")
    taken(book, alice, carrier)
    assert habits(world) == set()
    book.ends("prack_refused", "failed", "normal")


@pytest.mark.parametrize("status", [404, 488, 420])
def test_never_after_ringing_whatever_is_said(
    book: Playbook, world: OutsideWorld, alice: Phone, status: int
) -> None:
    carrier = world.line(line(uri_parameter="user=phone"))
    world.routes(route("line:a"))
    out(book, alice, carrier, offer=WIDE)
    book >> carrier.says(180) << alice.gets(180)
    refused(book, alice, carrier, status, 500 if status == 420 else 0, Unsupported="timer")
    assert len(book.records) == 1
    assert habits(world) == set()


def test_never_after_sound_from_the_far_end(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line(uri_parameter="user=phone"))
    world.routes(route("line:a"))
    out(book, alice, carrier)
    book >> carrier.says(183, EARLY) << alice.gets(183)
    (call,) = book.exchange._calls.values()
    (leg,) = call.ringing.legs
    pair = leg.media._pairs[0]
    assert pair is not None
    pair.rtp.packets += 1
    refused(book, alice, carrier, 404)
    book.ends("not_found")


def test_early_sound_that_never_came_does_not_hinder(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    carrier = world.line(line(uri_parameter="user=phone"))
    world.routes(route("line:a"))
    out(book, alice, carrier)
    book >> carrier.says(183, EARLY) << alice.gets(183)
    again(book, carrier, 404, lacks=("user=phone",))
    taken(book, alice, carrier)
    book.ends("normal")


# --- each of the others


USER_PHONE = {"uri_parameter": "user=phone"}


@pytest.mark.parametrize(
    ("status", "said", "settings", "feature"),
    [
        (420, {"Unsupported": "100rel"}, {}, "100rel"),
        (420, {"Unsupported": "timer"}, {}, "timer"),
        (420, {"Unsupported": "timer"}, {}, "Session-Expires"),
        (404, {}, USER_PHONE, "user=phone"),
        (484, {}, USER_PHONE, "user=phone"),
        (400, {}, USER_PHONE, "user=phone"),
    ],
)
def test_a_line_without(status: int, said: dict[str, str], settings: dict[str, Any], feature: str) -> None:
    book = Playbook()
    alice, world = book.phone("101"), OutsideWorld(book)
    carrier = world.line(line(**settings))
    world.routes(route("line:a"))
    out(book, alice, carrier, feature)
    again(book, carrier, status, lacks=(feature,), **said)
    taken(book, alice, carrier)
    assert [each.on for each in world.learned.of("line:a")] == [False]
    out(book, alice, carrier, lacks=(feature,))
    taken(book, alice, carrier)
    book.ends("normal", "normal")


@pytest.mark.parametrize("status", [404, 484, 400])
def test_a_line_that_needs_user_phone(book: Playbook, world: OutsideWorld, alice: Phone, status: int) -> None:
    """400 may be a session timer as well; of the two that was seen to work first."""
    carrier = world.line(line())
    world.routes(route("line:a"))
    if status == 400:
        world.learned.worked("line:a", frozenset({"timer", "100rel", "user-phone", "early-offer"}))
    out(book, alice, carrier, lacks=("user=phone",))
    again(book, carrier, status, "INVITE sip:555@sip.example;user=phone SIP/2.0")
    taken(book, alice, carrier)
    assert habits(world) == {Habit("user-phone", on=True)}
    out(book, alice, carrier, ";user=phone SIP/2.0")
    refused(book, alice, carrier, 404)
    book.ends("normal", "not_found")


def test_a_trunk_is_never_thought_to_need_it(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    (hq,) = world.trunk(trunk(), ("192.0.2.9", 5060))
    world.routes(route("trunk:hq"))
    out(book, alice, hq)
    refused(book, alice, hq, 404)
    world.learned.keep("trunk:hq", world.learned.pinned("trunk:hq", "user-phone", on=True))
    out(book, alice, hq, "INVITE sip:555@192.0.2.9;user=phone SIP/2.0")
    taken(book, alice, hq)
    book.ends("not_found", "normal")


def test_a_wrong_number_costs_a_second_invite_until_a_call_came_about(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    out(book, alice, carrier)
    again(book, carrier, 404, ";user=phone SIP/2.0")
    refused(book, alice, carrier, 404)
    assert habits(world) == set()
    out(book, alice, carrier)
    taken(book, alice, carrier)
    out(book, alice, carrier)
    refused(book, alice, carrier, 404)
    book.ends("not_found", "normal", "not_found")


@pytest.mark.parametrize(
    ("number_format", "number", "status", "written"),
    [
        ("tel", "9+862455500000", 416, ("tel:+862455500000", "sip:+862455500000@192.0.2.9")),
        ("tel", "9555", 416, ("tel:555;phone-context=192.0.2.9", "sip:555@192.0.2.9")),
        ("e164", "9862455500000", 484, ("sip:+862455500000@192.0.2.9", "sip:862455500000@192.0.2.9")),
        ("e164", "9862455500000", 404, ("sip:+862455500000@192.0.2.9", "sip:862455500000@192.0.2.9")),
        ("sip", "9+862455500000", 404, ("sip:+862455500000@192.0.2.9", "sip:862455500000@192.0.2.9")),
    ],
)
def test_how_a_number_is_written(
    number_format: str, number: str, status: int, written: tuple[str, str]
) -> None:
    book = Playbook()
    alice, world = book.phone("101"), OutsideWorld(book)
    (hq,) = world.trunk(trunk(number_format=number_format), ("192.0.2.9", 5060))
    world.routes(route("trunk:hq", pattern="."))
    first, second = written
    book >> alice.invite(number, OFFER) << hq.gets("INVITE", f"INVITE {first} SIP", f"To: <{first}>")
    book << alice.gets(100)
    again(book, hq, status, f"INVITE {second} SIP", f"To: <{second}>")
    taken(book, alice, hq)
    book >> alice.invite(number, OFFER) << hq.gets("INVITE", f"INVITE {second} SIP") << alice.gets(100)
    taken(book, alice, hq)
    assert [each.to_number for each in book.records] == [number, number], "as it was dialled"
    book.ends("normal", "normal")


@pytest.mark.parametrize("status", [488, 606])
def test_codecs(book: Playbook, world: OutsideWorld, alice: Phone, status: int) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    out(book, alice, carrier, "RTP/AVP 9 8 18 101", offer=WIDE)
    again(book, carrier, status, "RTP/AVP 8 101\r\n", "telephone-event")
    taken(book, alice, carrier)
    assert habits(world) == {Habit("codecs", on=False)}
    out(book, alice, carrier, "RTP/AVP 8 101\r\n", offer=WIDE)
    book >> carrier.says(200, ANSWER) << carrier.gets("ACK") << alice.gets(200) >> alice.ack()
    # What the caller offers later is cut as well.
    book >> alice.again(WIDE) << carrier.gets("INVITE", "RTP/AVP 8 101\r\n") << alice.gets(100)
    book >> carrier.says(200, ANSWER) << carrier.gets("ACK") << alice.gets(200) >> alice.ack()
    book >> alice.bye() << alice.gets(200) << carrier.gets("BYE") >> carrier.ok()
    book.ends("normal", "normal")


THEIRS = sdp("203.0.113.9", 7000, "a=rtpmap:96 telephone-event/8000").replace(b"AVP 8", b"AVP 0 8 96")


def test_early_offer(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    out(book, alice, carrier)
    again(book, carrier, 488, lacks=("Content-Type", "100rel"))
    late_offer(book, alice, carrier)
    assert habits(world) == {Habit("early-offer", on=False)}
    out(book, alice, carrier, lacks=("Content-Type",))
    late_offer(book, alice, carrier)
    book.ends("normal", "normal")


def late_offer(book: Playbook, alice: Phone, carrier: Server) -> None:
    """They offer, our ACK answers, and the caller gets an answer to its own offer."""
    book >> carrier.says(183, THEIRS) << alice.gets(183, "m=audio 3", "RTP/AVP 8\r\n")
    book >> carrier.says(200, THEIRS) << alice.gets(200, "m=audio 3", "RTP/AVP 8\r\n", lacks=("203.0.113.9",))
    book << carrier.gets("ACK", "application/sdp", "m=audio 3", "RTP/AVP 8\r\n", lacks=("10.1.1.1",))
    book >> alice.ack() >> alice.bye() << alice.gets(200) << carrier.gets("BYE") >> carrier.ok()


def test_a_late_offer_that_nobody_can_use(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line())
    world.routes(route("line:a"))
    out(book, alice, carrier)
    again(book, carrier, 488, lacks=("Content-Type",))
    book >> carrier.says(200, THEIRS.replace(b"0 8 96", b"18")) << carrier.gets("ACK") << carrier.gets("BYE")
    book << alice.gets(488) >> alice.ack_refusal() >> carrier.ok()
    assert habits(world) == set()
    book.ends("media")


def test_a_late_offer_that_never_comes(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line())
    world.learned.keep("line:a", world.learned.pinned("line:a", "early-offer", on=False))
    world.routes(route("line:a"))
    out(book, alice, carrier, lacks=("Content-Type",))
    book >> carrier.says(200) << carrier.gets("ACK") << carrier.gets("BYE") << alice.gets(488)
    (book >> alice.ack_refusal() >> carrier.ok()).ends("media")


def test_a_wrong_number_with_a_plus_rings_no_stranger(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    """Without the + it would be somebody's local number."""
    (hq,) = world.trunk(trunk(), ("192.0.2.9", 5060))
    world.routes(route("trunk:hq", pattern="."))
    book >> alice.invite("9+49301234", OFFER) << hq.gets("INVITE", "sip:+49301234@") << alice.gets(100)
    refused(book, alice, hq, 404)
    book.ends("not_found")


def test_a_caller_who_offers_nothing_is_not_held_back(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    carrier = world.line(line())
    world.learned.keep("line:a", world.learned.pinned("line:a", "early-offer", on=False))
    world.routes(route("line:a"))
    book >> alice.invite("9555") << carrier.gets("INVITE", lacks=("Content-Type",)) << alice.gets(100)
    book >> carrier.says(200, THEIRS) << alice.gets(200, "RTP/AVP 0 8 96")
    book >> alice.ack(ANSWER) << carrier.gets("ACK", "application/sdp")
    (book >> alice.bye() << alice.gets(200) << carrier.gets("BYE") >> carrier.ok()).ends("normal")


def test_one_that_takes_100rel_after_all(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line())
    world.learned.note("line:a", (Habit("100rel", on=False),), "405 to PRACK")
    world.routes(route("line:a"))
    out(book, alice, carrier, lacks=("100rel",))
    again(book, carrier, 421, "Supported: 100rel", Require="100rel")
    taken(book, alice, carrier)
    assert habits(world) == set()
    book.ends("normal")


def test_after_a_month_it_is_tried_again(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line())
    world.learned.note("line:a", (Habit("timer", on=False),), "420 to INVITE")
    world.routes(route("line:a"))
    out(book, alice, carrier, lacks=("timer",))
    taken(book, alice, carrier)
    world.now += LESSON_SECONDS
    out(book, alice, carrier, "timer")
    taken(book, alice, carrier)
    book.ends("normal", "normal")


@pytest.mark.parametrize("said", ["", "305 carrier"])
def test_what_is_pinned_is_not_tried_otherwise(
    book: Playbook, world: OutsideWorld, alice: Phone, said: str
) -> None:
    carrier = world.line(line())
    for feature in ("codecs", "early-offer"):
        world.learned.keep("line:a", world.learned.pinned("line:a", feature, on=True))
    world.routes(route("line:a"))
    out(book, alice, carrier, "RTP/AVP 9 8 18 101", offer=WIDE)
    refused(book, alice, carrier, 488, Warning=said or "399 carrier")
    book.ends("media")


# --- beside it


def test_the_next_destination_after_a_retry_in_vain(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    first, second = world.line(line("a")), world.line(line("b"))
    world.routes(route("line:a", "line:b", fail_over_on=("failed", "bad_request")))
    out(book, alice, first, "100rel")
    again(book, first, 420, lacks=("100rel",), Unsupported="100rel")
    book >> first.says(500) << first.gets("ACK") << second.gets("INVITE", "100rel")
    # One retry a call: the second line's trouble is for its own calls to find out.
    refused(book, alice, second, 420, 500, Unsupported="100rel")
    assert book.records[0].way_out == "line:b"
    assert (habits(world), habits(world, "line:b")) == (set(), set())
    book.ends("failed")


def test_a_peer_of_a_trunk_is_tried_again_itself(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    first, second = world.trunk(trunk(), ("192.0.2.9", 5060), ("192.0.2.10", 5060))
    world.routes(route("trunk:hq"))
    out(book, alice, first)
    again(book, first, 420, lacks=("timer",), Unsupported="timer")
    book >> first.says(503) << first.gets("ACK") << second.gets("INVITE", "timer")
    taken(book, alice, second)
    assert habits(world, "trunk:hq") == set()
    book.ends("normal")


def test_a_full_line_stays_full_in_a_retry(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    carrier = world.line(line(max_calls=1, uri_parameter="user=phone"))
    world.routes(route("line:a"))
    out(book, alice, carrier)
    again(book, carrier, 404, lacks=("user=phone",))
    assert book.exchange.calls_by("line:a") == 1
    book >> bob.invite("9556", OFFER) << bob.gets(503, "Q.850;cause=34") >> bob.ack_refusal()
    taken(book, alice, carrier)
    assert book.exchange.calls_by("line:a") == 0
    book.ends("line_full", "normal")


def test_a_caller_who_gives_up_in_the_retry(book: Playbook, world: OutsideWorld, alice: Phone) -> None:
    carrier = world.line(line(uri_parameter="user=phone"))
    world.routes(route("line:a"))
    out(book, alice, carrier)
    again(book, carrier, 404, lacks=("user=phone",))
    book >> carrier.says(180) << alice.gets(180)
    book >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
    book << carrier.gets("CANCEL") >> carrier.ok() >> carrier.says(487) << carrier.gets("ACK")
    assert habits(world) == {Habit("user-phone", on=False)}, "it rang"
    book.ends("cancelled")


@pytest.mark.parametrize("requires", [False, True])
def test_what_comes_in_has_it_where_it_must(
    book: Playbook, world: OutsideWorld, bob: Phone, *, requires: bool
) -> None:
    carrier = world.line(line(incoming="102"))
    world.learned.note("line:a", (Habit("100rel", on=False), Habit("timer", on=False)), "420 to INVITE")
    world.routes()
    carrier.domain = "192.0.2.1"
    tags = "100rel, timer"
    asked = {"Supported": tags, "Session-Expires": "1800", **({"Require": tags} if requires else {})}
    book >> carrier.invite("a00", OFFER, **asked) << bob.gets("INVITE") << carrier.gets(100)
    book >> bob.says(183, ANSWER)
    if requires:
        book << carrier.gets(183, "Require: 100rel") >> carrier.prack() << carrier.gets(200)
    else:
        book << carrier.gets(183, lacks=("100rel",))
    book >> bob.says(200, ANSWER) << bob.gets("ACK")
    if requires:
        book << carrier.gets(200, "Session-Expires: 1800")
    else:
        book << carrier.gets(200, lacks=("Session-Expires",))
    book >> carrier.ack() >> carrier.bye() << carrier.gets(200) << bob.gets("BYE") >> bob.ok()
    book.ends("normal")


def test_phones_of_ours_are_not_tried_again(
    book: Playbook, world: OutsideWorld, alice: Phone, bob: Phone
) -> None:
    book >> alice.invite("102", WIDE) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(488) << bob.gets("ACK") << alice.gets(488) >> alice.ack_refusal()
    book.ends("media")
