"""Trunks: several peers, which may be silent or full, in order or in turn; how numbers are written; who is trusted.

RFC 3261 §11 (OPTIONS), §21.5.4 (503); RFC 3966.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers.scripted_carrier import Carrier, Office
from tests.peers.stage import ScriptedPhone

pytestmark = pytest.mark.interop

ASKING = 10
"Seconds between two OPTIONS: the least that may be set."


def dials(office: Office, trunk: str, number: str = "139", prepend: str = "") -> ScriptedPhone:
    alice = office.stage.phone()
    prefix = office.route(f"trunk:{trunk}", prepend=prepend)
    office.stage.call(alice, f"{prefix}{number}", alice.offer())
    return alice


@pytest.mark.parametrize("status", [503, 500])
def test_the_second_peer_takes_what_the_first_cannot(office: Office, status: int) -> None:
    first, second = office.carrier(), office.carrier()
    alice = dials(office, office.trunk(first, second))
    office.stage << first.gets("INVITE") >> first.says(status) << first.gets("ACK") << second.gets("INVITE")
    office.answers(alice, second)


def test_a_silent_first_peer(office: Office) -> None:
    """What it answers when it wakes up again is for nobody."""
    first, second = office.carrier(), office.carrier()
    alice = dials(office, office.trunk(first, second))
    office.stage << first.gets("INVITE") << second.gets("INVITE")
    office.answers(alice, second)


@pytest.mark.parametrize(("status", "cause"), [(486, "busy"), (404, "not_found"), (603, "refused")])
def test_what_the_number_says_is_no_fault_of_the_peer(office: Office, status: int, cause: str) -> None:
    first, second = office.carrier(), office.carrier()
    alice = dials(office, office.trunk(first, second))
    office.stage << first.gets("INVITE") >> first.says(status) << first.gets("ACK")
    office.stage << alice.gets(status) >> alice.ack_refusal()
    office.stage.ends(alice, cause)


def test_nobody_can(office: Office) -> None:
    first, second = office.carrier(), office.carrier()
    alice = dials(office, office.trunk(first, second))
    for peer in (first, second):
        office.stage << peer.gets("INVITE") >> peer.says(503) << peer.gets("ACK")
    office.stage << alice.gets(480) >> alice.ack_refusal()
    office.stage.ends(alice, "overload")


def test_each_peer_has_its_turn(office: Office) -> None:
    peers = [office.carrier(), office.carrier()]
    prefix = office.route(f"trunk:{office.trunk(*peers, share='in-turn')}")
    for peer in (*peers, *peers):
        alice = office.stage.phone()
        office.stage.call(alice, f"{prefix}139", alice.offer()) << peer.gets("INVITE")
        office.answers(alice, peer)


def test_a_peer_is_up_and_down_and_up(office: Office) -> None:
    stage, peer = office.stage, office.carrier()
    name = office.trunk(peer, keep_alive=ASKING)
    prefix = office.route(f"trunk:{name}")
    for status, state in ((200, "up"), (503, "down"), (404, "up")):
        stage << peer.gets("OPTIONS") >> peer.ok(status)
        shown = office.wait("trunks", name, state)
        assert shown["peer_states"][0].startswith(f"{peer.here} {state} {status}")
        if state == "down":
            alice = stage.phone()
            stage.call(alice, f"{prefix}139", alice.offer(), until=503) >> alice.ack_refusal()
            stage.exchange.wait_idle()
            assert [each["cause"] for each in stage.records(alice.number)] == ["line_down"]
    alice = stage.phone()
    stage.call(alice, f"{prefix}139", alice.offer()) << peer.gets("INVITE")
    office.answers(alice, peer)


@pytest.mark.parametrize(
    ("number_format", "prepend", "uri"),
    [
        ("sip", "0", "sip:086139@ims.example"),
        ("e164", "", "sip:+86139@ims.example"),
        ("tel", "+", "tel:+86139"),
        ("tel", "", "tel:86139;phone-context=ims.example"),
    ],
)
def test_how_a_number_is_written(office: Office, number_format: str, prepend: str, uri: str) -> None:
    peer = office.carrier()
    trunk = office.trunk(peer, number_format=number_format, domain="ims.example")
    alice = dials(office, trunk, "86139", prepend)
    office.stage << peer.gets("INVITE")
    assert peer.newest().uri == uri
    assert f"To: <{peer.newest().uri}>" in peer.newest().encode().decode()
    office.answers(alice, peer)


# --- who may call


def calls_in(office: Office, caller: Carrier, alice: ScriptedPhone) -> None:
    office.stage >> caller.calls(f"sip:{alice.number}@{office.stage.exchange.sip[0]}")


def test_a_network_is_trusted(office: Office) -> None:
    stage, alice = office.stage, office.stage.phone()
    office.trunk(office.carrier(), networks="127.23.4.0/24")
    inside, outside = office.carrier(host="127.23.4.200"), office.carrier(host="127.23.5.1")
    calls_in(office, outside, alice)
    stage << outside.gets(401) >> outside.ack_refusal()
    calls_in(office, inside, alice)
    stage << inside.gets(100) << alice.gets("INVITE", f"<sip:{inside.number}@")
    office.answers(inside, alice)


def test_a_strangers_call_is_refused(office: Office) -> None:
    """Though it claims to be the peer in every header; it makes no record, but it is counted."""

    def strangers() -> int:
        refused = stage.exchange.perform("status", "show")["refused"]
        return sum(each["calls"] for each in refused if each["by"] == "stranger")

    stage, peer, alice = office.stage, office.carrier(), office.stage.phone()
    trunk, before = office.trunk(peer), strangers()
    stranger = office.carrier()
    stranger.number = peer.number
    claim: dict[str, Any] = {
        "From": f"<sip:{peer.number}@{peer.here}>",
        "P_Asserted_Identity": f"<sip:{peer.number}@peer>",
    }
    stage >> stranger.calls(f"sip:{alice.number}@{peer.here}", **claim)
    stage << stranger.gets(401) >> stranger.ack_refusal()
    stage.ends(stranger)
    assert strangers() == before + 1
    stage >> peer.calls("sip:999999@box") << peer.gets(404) >> peer.ack_refusal()
    assert office.show("trunks", trunk)["refused"] == ["not_found 1"]
    calls_in(office, peer, alice)
    stage << peer.gets(100) << alice.gets("INVITE")
    office.talk(peer, alice).hang_up(peer, alice).ends(peer, "not_found", "normal")
