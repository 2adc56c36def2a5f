"""Each feature that a carrier cannot stand, and the one that it may need: the call is saved, and the next ones know.

appliance/call/way_out.py, sip_leg_late_offer.py; which feature explains what: tests/lines/test_explanation.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from appliance.lines.feature import Habit
from appliance.lines.learned import LESSON_SECONDS
from tests.call.outside_world import OutsideWorld, Server, line, route, trunk
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp
from tests.call.retries import WIDE, again, habits, out, refused, taken


@pytest.fixture
def world(book: Playbook, alice: Phone) -> OutsideWorld:
    return OutsideWorld(book)


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
