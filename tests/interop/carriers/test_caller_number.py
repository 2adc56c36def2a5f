"""Whose number a carrier is shown, who may use a line, and how many calls it bears.

RFC 3323, RFC 3325 (CLIR).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers.scripted_carrier import Carrier, Office
from tests.peers.stage import ScriptedPhone

pytestmark = pytest.mark.interop

NUMBER = "+862412345678"
HIDDEN = 'From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag='


def busy(office: Office, alice: ScriptedPhone, carrier: Carrier) -> None:
    """The carrier has the INVITE and refuses it."""
    stage = office.stage
    stage >> carrier.says(486) << carrier.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"shows": "extension"}, "{number}"),
        ({"shows": "outside"}, NUMBER),
        ({"shows": "fixed", "caller_number": "+862400000000"}, "+862400000000"),
        ({"shows": "outside", "caller_cut": 3, "caller_prefix": "0"}, "02412345678"),
        ({"shows": "extension", "caller_prefix": "+86248888"}, "+86248888{number}"),
        ({"from_user": "+862499999999"}, "+862499999999"),
    ],
    ids=["extension", "outside", "fixed", "cut", "prefix", "from"],
)
def test_the_number_on_a_line(office: Office, settings: dict[str, Any], shown: str) -> None:
    carrier, alice = office.carrier(), office.stage.phone()
    prefix = office.route(f"line:{office.line(carrier, account=NUMBER, domain='ims.example', **settings)}")
    office.stage.call(alice, f"{prefix}139", alice.offer())
    user = shown.format(number=alice.number)
    office.stage << carrier.gets("INVITE", f"<sip:{user}@ims.example>;tag=", lacks=("Privacy",))
    busy(office, alice, carrier)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({}, "{number}"),
        ({"shows": "fixed", "caller_number": "555"}, "555"),
        ({"caller_cut": 1, "caller_prefix": "77"}, "77{cut}"),
    ],
    ids=["extension", "fixed", "cut and prefix"],
)
def test_the_number_on_a_trunk(office: Office, settings: dict[str, Any], shown: str) -> None:
    peer, alice = office.carrier(), office.stage.phone()
    prefix = office.route(f"trunk:{office.trunk(peer, **settings)}")
    office.stage.call(alice, f"{prefix}139", alice.offer())
    user = shown.format(number=alice.number, cut=alice.number[1:])
    office.stage << peer.gets("INVITE", f"<sip:{user}@{office.stage.exchange.sip[0]}>;tag=")
    busy(office, alice, peer)


@pytest.mark.parametrize("kind", ["line", "trunk"])
def test_a_hidden_number(office: Office, kind: str) -> None:
    """The carrier is told who it is; nobody behind it (RFC 3323 §4.1.1.3, RFC 3325 §9.1, §9.2)."""
    carrier, alice = office.carrier(), office.stage.phone()
    if kind == "line":
        name, own = office.line(carrier, account=NUMBER, hide_caller=True), NUMBER
    else:
        name, own = office.trunk(carrier, hide_caller=True), alice.number
    office.stage.call(alice, f"{office.route(f'{kind}:{name}')}139", alice.offer())
    office.stage << carrier.gets("INVITE", HIDDEN, "Privacy: id\r\n", f"<sip:{own}@")
    identity = carrier.header("P-Preferred-Identity" if kind == "line" else "P-Asserted-Identity") or ""
    assert f"<sip:{own}@" in identity
    busy(office, alice, carrier)


@pytest.mark.parametrize(
    ("privacy", "shown", "kept"),
    [
        ("full", HIDDEN, ""),
        ("uri", HIDDEN, ""),
        ("name", "From: <sip:+8613912345678@", "+8613912345678"),
        ("off", 'From: "Mr. X" <sip:+8613912345678@', "+8613912345678"),
    ],
)
def test_a_caller_whose_carrier_withholds_him(office: Office, privacy: str, shown: str, kept: str) -> None:
    """Neither phones nor the record get what the Remote-Party-ID says is for nobody."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    office.line(carrier, account=NUMBER, incoming=alice.number)
    party = f'"Mr. X" <sip:+8613912345678@ims.example>;party=calling;privacy={privacy}'
    stage >> carrier.calls(carrier.contact_of_line(), Remote_Party_ID=party) << carrier.gets(100)
    hidden = () if kept else ("13912345678",)
    stage << alice.gets("INVITE", shown, lacks=(*hidden, "Remote-Party-ID")) >> alice.says(486)
    stage << alice.gets("ACK") << carrier.gets(486) >> carrier.ack_refusal()
    stage.quiet().exchange.wait_idle()
    records = stage.exchange.perform("records", "list", None, {"number": alice.number})
    assert [(each["from_number"], each["from_name"]) for each in records] == [
        (kept, "Mr. X" if privacy in ("off", "uri") else "")
    ]


# --- how many, and who


def second_call(office: Office, prefix: str, first: Carrier) -> tuple[ScriptedPhone, ScriptedPhone]:
    """One call occupies the way; who talks, and another phone."""
    stage = office.stage
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, f"{prefix}139", alice.offer()) << first.gets("INVITE")
    office.talk(alice, first)
    return alice, bob


def test_a_full_line(office: Office) -> None:
    """No more calls than the carrier sold, out or in; when one has ended there is room again."""
    stage, carrier = office.stage, office.carrier()
    name = office.line(carrier, account=NUMBER, max_calls=1, incoming=stage.phone().number)
    prefix = office.route(f"line:{name}")
    alice, bob = second_call(office, prefix, carrier)
    stage.call(bob, f"{prefix}138", bob.offer(), until=503) >> bob.ack_refusal()
    other = office.carrier(host=carrier.line.address[0])
    stage >> other.calls(f"sip:{NUMBER}@ims.example") << other.gets(503) >> other.ack_refusal()
    stage.hang_up(alice, carrier).ends(alice, "normal")
    stage.ends(other, "line_full")
    assert office.show("lines", name)["calls"] == 0
    stage.call(bob, f"{prefix}138", bob.offer()) << carrier.gets("INVITE")
    office.talk(bob, carrier).hang_up(bob, carrier).ends(bob, "line_full", "normal")


def test_a_full_trunk_has_the_next_way_take_the_call(office: Office) -> None:
    stage, first, second = office.stage, office.carrier(), office.carrier()
    ways = office.trunk(first, max_calls=1), office.trunk(second)
    prefix = office.route(*(f"trunk:{name}" for name in ways))
    alice, bob = second_call(office, prefix, first)
    stage.call(bob, f"{prefix}138", bob.offer()) << second.gets("INVITE")
    office.talk(bob, second).hang_up(bob, second).hang_up(alice, first)
    for caller in (alice, bob):
        stage.ends(caller, "normal")


def test_an_emergency_call_finds_room_on_a_full_line(office: Office) -> None:
    stage, carrier = office.stage, office.carrier()
    name = office.line(carrier, account=NUMBER, max_calls=1)
    prefix = office.route(f"line:{name}")
    alice, bob = second_call(office, prefix, carrier)
    stage.call(bob, "112", bob.offer()) << carrier.gets("INVITE", "INVITE sip:112@")
    office.talk(bob, carrier).hang_up(bob, carrier).hang_up(alice, carrier)
    for caller in (alice, bob):
        stage.ends(caller, "normal")


def test_a_private_line(office: Office) -> None:
    """It is for some, but in an emergency for everybody."""
    stage, carrier = office.stage, office.carrier()
    alice, bob = stage.phone(), stage.phone()
    name = office.line(carrier, account=NUMBER, extensions=alice.number)
    prefix = office.route(f"line:{name}")
    stage.call(bob, f"{prefix}139", bob.offer(), until=403) >> bob.ack_refusal()
    stage.ends(bob, "forbidden")
    stage.call(alice, f"{prefix}139", alice.offer()) << carrier.gets("INVITE")
    office.answers(alice, carrier)
    stage.call(bob, "112", bob.offer()) << carrier.gets("INVITE", "INVITE sip:112@")
    office.talk(bob, carrier).hang_up(bob, carrier).ends(bob, "forbidden", "normal")
