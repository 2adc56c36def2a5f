"""RFC 3665 §3.1, §3.6, §3.7: calls that come about, their sound, and what may change within, over real sockets."""

from __future__ import annotations

import time

import pytest

from appliance.media.sdp import parse_sdp
from tests.peers.rtp_port import RtpPort
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

both_families = pytest.mark.parametrize("shared_exchange", ["ipv4", "ipv6"], indirect=True)
all_transports = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])


def told(phone: ScriptedPhone) -> bytes:
    """The description in the INVITE that a phone got last."""
    assert phone.invited is not None
    return phone.invited.body


def version(description: bytes) -> int:
    """The version in the o= line."""
    origin = next(line for line in description.decode().splitlines() if line.startswith("o="))
    return int(origin.split()[2])


def hear_each_other(one: ScriptedPhone, told_one: bytes, other: ScriptedPhone, told_other: bytes) -> None:
    """Sound goes both ways between two phones, which were told these descriptions."""
    one.sound.say(told_one, b"from one")
    assert other.sound.hears() == b"from one"
    other.sound.say(told_other, b"from the other")
    assert one.sound.hears() == b"from the other"


@both_families
@all_transports
def test_3_1_successful_session(stage: Stage, transport: str) -> None:
    alice, bob = stage.phone(transport), stage.phone(transport)
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> bob.says(180) << alice.gets(180)
    answering = time.monotonic()
    stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200)
    answered = time.monotonic()
    answer = alice.body
    stage >> alice.ack()
    hear_each_other(alice, answer, bob, told(bob))
    ending = time.monotonic()
    stage >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()
    ended = time.monotonic()
    (record,) = stage.ends(alice, "normal")
    assert (record["from_number"], record["to_number"]) == (alice.number, bob.number)
    assert (record["answered_by"], record["status"], record["ended_by"]) == (bob.number, 200, "callee")
    # It is shown in whole milliseconds.
    assert round(ending - answered, 3) <= record["duration"] <= round(ended - answering, 3)


def test_3_6_sdp_in_the_ack(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number) << bob.gets("INVITE", lacks=("Content-Type", "v=0"))
    stage >> bob.says(180) << alice.gets(180) >> bob.says(200, bob.offer()) << alice.gets(200)
    offer = alice.body
    assert parse_sdp(offer).media[0].port != bob.sound.address[1], "it is the exchange's own port"
    stage >> alice.ack(alice.offer()) << bob.gets("ACK")
    hear_each_other(alice, offer, bob, bob.body)
    stage.hang_up(alice, bob).ends(alice, "normal")


def test_3_6_a_phone_that_redirects_is_followed_by_the_exchange(stage: Stage) -> None:
    """The caller's phone hears of it, and is asked nothing: where calls go is for the exchange to allow."""
    alice, bob, carol = stage.phone(), stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    moved = bob.says(302)
    moved.message.headers.set("Contact", carol.contact())
    stage >> moved << bob.gets("ACK") << alice.gets(181, lacks=(carol.contact(),)) << carol.gets("INVITE")
    stage >> carol.says(486) << carol.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


def test_3_7_session_with_reinvite(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.talk(alice, bob)
    answer, first = alice.response().body, told(bob)
    hear_each_other(alice, answer, bob, first)
    with RtpPort(alice.line.address[0]) as moved:
        # Between the phones the exchange's own port stands, so that the other one is told nothing new:
        # RFC 3264 §8 has the version rise with a change of the description, and stay without one.
        stage >> alice.again(moved.describe(version=2)) << bob.gets("INVITE") << alice.gets(100)
        assert told(bob) == first
        stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
        bob.sound.say(first, b"to the new port")
        assert moved.hears() == b"to the new port"
        moved.say(alice.response().body, b"from the new port")
        assert bob.sound.hears() == b"from the new port"
        stage >> alice.again(moved.describe("a=ptime:40", version=3)) << bob.gets("INVITE") << alice.gets(100)
        assert version(told(bob)) == version(first) + 1
        stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    stage.hang_up(bob, alice).ends(alice, "normal")


def test_3_7_a_refused_reinvite_leaves_the_session(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.talk(alice, bob)
    answer, first = alice.response().body, told(bob)
    with RtpPort(alice.line.address[0]) as moved:
        stage >> alice.again(moved.describe(version=2)) << bob.gets("INVITE") << alice.gets(100)
        stage >> bob.says(488, Warning='304 box "no codec"') << bob.gets("ACK")
        stage << alice.gets(488, 'Warning: 304 box "no codec"') >> alice.ack_refusal()
    hear_each_other(alice, answer, bob, first)
    stage.hang_up(bob, alice).ends(alice, "normal")
