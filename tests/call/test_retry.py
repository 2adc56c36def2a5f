"""What a carrier cannot stand, played whole: the call is tried once more without it, and the line remembers.

appliance/call/way_out.py, trying.py. 100rel, and what is never done; the other features: test_retry_habits.py.
"""

from __future__ import annotations

import pytest

from appliance.lines.feature import Habit
from tests.call.outside_world import OutsideWorld, Server, line, route, trunk
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook
from tests.call.retries import EARLY, WIDE, again, habits, out, refused, taken


@pytest.fixture
def world(book: Playbook, alice: Phone) -> OutsideWorld:
    return OutsideWorld(book)


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
    (leg,) = call.calling.ringing.legs
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


# --- beside it


def test_what_a_person_forgets_while_it_rings_is_forgotten(
    book: Playbook, world: OutsideWorld, alice: Phone
) -> None:
    carrier = world.line(line(uri_parameter="user=phone"))
    world.routes(route("line:a"))
    out(book, alice, carrier)
    again(book, carrier, 404, lacks=("user=phone",))
    book >> carrier.says(180) << alice.gets(180)
    world.learned.keep("line:a", world.learned.forgotten("line:a", None))
    taken(book, alice, carrier)
    assert habits(world) == set()
    book.ends("normal")


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
