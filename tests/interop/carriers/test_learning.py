"""Carriers that cannot stand something: the first call is saved by a second INVITE, and the next ones know.

Each is played whole to the running exchange; 405 and 501 to PRACK are in test_100rel.py, what explains what in
tests/lines/test_explanation.py, and what is never done in tests/call/test_retry.py.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.interop.exchange import running_exchange
from tests.peers.scripted_carrier import Carrier, Office
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

NUMBER = "13900000000"


def lessons(office: Office, way: str) -> list[tuple[str, str]]:
    """What is shown of a line or trunk, named as in routes."""
    kind, _, name = way.partition(":")
    return [(each["feature"], each["use"]) for each in office.show(kind + "s", name)["learned"]]


def learns(
    office: Office,
    way: str,
    carrier: Carrier,
    *,
    has: tuple[str, ...] = (),
    lacks: tuple[str, ...] = (),
    again: tuple[tuple[str, ...], tuple[str, ...]],
    number: str = NUMBER,
    offer: Any = None,
    **refusal: Any,
) -> None:
    """A call that is refused and tried again (`again`: what is in it then, and what is not), and one more."""
    stage, alice = office.stage, office.stage.phone()
    prefix = office.route(f"{way}")
    status = refusal.pop("status")
    has_then, lacks_then = again
    offered = offer(alice) if offer is not None else alice.offer()
    stage.call(alice, prefix + number, offered) << carrier.gets("INVITE", *has, lacks=lacks)
    stage >> carrier.says(status, **refusal) << carrier.gets("ACK")
    stage << carrier.gets("INVITE", *has_then, lacks=lacks_then)
    answers(office, alice, carrier)
    stage.call(alice, prefix + number, offered) << carrier.gets("INVITE", *has_then, lacks=lacks_then)
    answers(office, alice, carrier)
    assert [each["cause"] for each in stage.records(alice.number)] == ["normal", "normal"]


def answers(office: Office, caller: ScriptedPhone, carrier: Carrier) -> None:
    """The carrier takes the call, with an offer or an answer, and the caller ends it."""
    office.talk(caller, carrier).hang_up(caller, carrier)


@pytest.mark.parametrize("tag", ["timer", "100rel"])
def test_420(office: Office, tag: str) -> None:
    carrier = office.carrier()
    way = f"line:{office.line(carrier)}"
    learns(office, way, carrier, has=(tag,), again=((), (tag,)), status=420, Unsupported=tag)
    assert lessons(office, way) == [(tag, "without")]


@pytest.mark.parametrize("status", [404, 484])
def test_one_that_refuses_user_phone(office: Office, status: int) -> None:
    carrier = office.carrier()
    way = f"line:{office.line(carrier, uri_parameter='user=phone')}"
    learns(office, way, carrier, has=(";user=phone",), again=((), (";user=phone",)), status=status)
    assert lessons(office, way) == [("user-phone", "without")]


@pytest.mark.parametrize("status", [404, 484])
def test_one_that_needs_user_phone(office: Office, status: int) -> None:
    carrier = office.carrier()
    way = f"line:{office.line(carrier)}"
    learns(office, way, carrier, lacks=(";user=phone",), again=((";user=phone",), ()), status=status)
    assert lessons(office, way) == [("user-phone", "with")]


def test_one_that_does_not_know_tel(office: Office) -> None:
    carrier = office.carrier()
    way = f"trunk:{office.trunk(carrier, number_format='tel')}"
    learns(
        *(office, way, carrier),
        has=(f"INVITE tel:{NUMBER};phone-context=",),
        again=((f"INVITE sip:{NUMBER}@{carrier.here.partition(':')[0]}",), ("tel:",)),
        status=416,
    )
    assert lessons(office, way) == [("tel", "without")]


@pytest.mark.parametrize("status", [404, 484])
def test_one_that_wants_no_plus(office: Office, status: int) -> None:
    carrier = office.carrier()
    way = f"trunk:{office.trunk(carrier, number_format='e164')}"
    plain = f"INVITE sip:{NUMBER}@", f"To: <sip:{NUMBER}@"
    learns(office, way, carrier, has=(f"INVITE sip:+{NUMBER}@",), again=(plain, ("sip:+",)), status=status)
    assert lessons(office, way) == [("plus", "without")]


@pytest.mark.parametrize("status", [488, 606])
def test_one_that_stumbles_over_codecs(office: Office, status: int) -> None:
    carrier = office.carrier()
    way = f"line:{office.line(carrier)}"
    learns(
        *(office, way, carrier),
        has=("RTP/AVP 9 8 18\r\n",),
        again=(("RTP/AVP 8\r\n",), ()),
        offer=lambda alice: alice.offer().replace(b"RTP/AVP 8", b"RTP/AVP 9 8 18"),
        status=status,
        Warning='305 carrier "Incompatible media format"',
    )
    assert lessons(office, way) == [("codecs", "without")]


@pytest.mark.parametrize("status", [488, 415])
def test_one_that_wants_to_offer_itself(office: Office, status: int) -> None:
    """The caller has the answer to its own offer, and the carrier that to its own."""
    carrier = office.carrier()
    way = f"line:{office.line(carrier)}"
    learns(office, way, carrier, has=("m=audio",), again=((), ("m=audio", "100rel")), status=status)
    assert lessons(office, way) == [("early-offer", "without")]


def test_sound_after_a_late_offer(office: Office) -> None:
    """Both hear each other, though neither has answered the other's own words."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    name = office.line(carrier)
    stage.exchange.perform("lines", "pin", name, {"feature": "early-offer"})
    stage.call(alice, office.route(f"line:{name}") + NUMBER, alice.offer())
    (
        stage
        << carrier.gets("INVITE", lacks=("m=audio",))
        >> carrier.says(200, carrier.offer())
        << carrier.gets("ACK")
    )
    told_carrier = carrier.body
    stage << alice.gets(200) >> alice.ack()
    alice.sound.say(alice.body, b"from the caller")
    assert carrier.sound.hears() == b"from the caller"
    carrier.sound.say(told_carrier, b"from outside")
    assert alice.sound.hears() == b"from outside"
    stage.hang_up(alice, carrier).ends(alice, "normal")


def test_never_after_sound_from_outside(office: Office) -> None:
    """An announcement was heard: to begin anew would only repeat it."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    name = office.line(carrier, uri_parameter="user=phone")
    stage.call(alice, office.route(f"line:{name}") + NUMBER, alice.offer()) << carrier.gets("INVITE")
    told = carrier.body
    stage >> carrier.says(183, carrier.offer()) << alice.gets(183)
    carrier.sound.say(told, b"no such number")
    assert alice.sound.hears() == b"no such number"
    stage >> carrier.says(404) << carrier.gets("ACK") << alice.gets(404) >> alice.ack_refusal()
    stage.ends(alice, "not_found")
    assert lessons(office, f"line:{name}") == []


def test_a_prack_that_nobody_knows(office: Office) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    name = office.line(carrier)
    prefix = office.route(f"line:{name}")
    stage.call(alice, prefix + NUMBER, alice.offer()) << carrier.gets("INVITE", "100rel")
    first = carrier.newest()
    stage >> carrier.says_reliably(183, 7, carrier.offer()) << carrier.gets("PRACK")
    stage << alice.gets(183) >> carrier.ok(481) << carrier.gets("CANCEL") >> carrier.ok()
    stage >> carrier.says(487, to=first) << carrier.gets("INVITE", lacks=("100rel", "PRACK"))
    stage << carrier.gets("ACK")
    office.answers(alice, carrier)
    assert lessons(office, f"line:{name}") == [("100rel", "without")]


def test_a_person_forgets_and_pins(office: Office) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    name = office.line(carrier)
    prefix = office.route(f"line:{name}")
    perform = stage.exchange.perform
    shown = perform("lines", "pin", name, {"feature": "timer"})
    assert [(each["feature"], each["said"], each["pinned"]) for each in shown["learned"]] == [
        ("timer", "", True)
    ]
    stage.call(alice, prefix + NUMBER, alice.offer()) << carrier.gets("INVITE", lacks=("timer",))
    answers(office, alice, carrier)
    assert perform("lines", "forget", name, {"feature": "timer"})["learned"] == []
    stage.call(alice, prefix + NUMBER, alice.offer()) << carrier.gets("INVITE", "timer")
    answers(office, alice, carrier)


def test_what_was_learned_survives_a_restart(tmp_path: Path) -> None:
    """Found out, told on the pages, and known to the next process; a line that comes again begins anew."""
    began = time.time()
    with running_exchange(tmp_path) as exchange, Stage(exchange) as stage, Office(stage) as office:
        carrier = office.carrier()
        values = {"name": "a", "account": "+862412345678", "password": "p", "server": carrier.here}
        exchange.perform("lines", "add", None, values)
        stage << carrier.gets("REGISTER") >> carrier.registers()
        office.wait("lines", "a", "registered")
        exchange.perform("routes", "add", None, {"name": "out", "pattern": "8X.", "to": "line:a", "strip": 1})
        alice = stage.phone()
        stage.call(alice, "8" + NUMBER, alice.offer()) << carrier.gets("INVITE", "timer")
        stage >> carrier.says(420, Unsupported="timer") << carrier.gets("ACK")
        stage << carrier.gets("INVITE", lacks=("timer",))
        answers(office, alice, carrier)
        learned = office.show("lines", "a")["learned"]
        (lesson,) = learned
        assert lesson["said"] == "420 Bad Extension to INVITE"
        assert lesson["at"][:10] == time.strftime("%Y-%m-%d", time.gmtime(began))
    with running_exchange(tmp_path) as exchange:
        assert exchange.perform("lines", "show", "a")["learned"] == learned
        exchange.perform("routes", "remove", "out")
        exchange.perform("lines", "remove", "a")
        exchange.perform("lines", "add", None, values)
        assert exchange.perform("lines", "show", "a")["learned"] == []
