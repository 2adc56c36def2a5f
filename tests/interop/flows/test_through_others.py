"""RFC 3665 §3.3 to §3.5 within the house: a phone that challenges, a phone that is gone, and a router that meddles.

Not tested here: the same with lines and trunks (test_trunks.py).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from appliance.sip.message import Message
from tests.interop.exchange import wait_until
from tests.peers.rtp_port import describe
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

# RFC 5737: nobody lives there.
FAR_PHONE = "192.0.2.101"
PRIVATE = ("10.9.8.7", 5060)


def lines(message: Message | None, name: str) -> list[str]:
    assert message is not None
    return message.headers.get_all(name)


def test_3_3_a_second_challenge_is_not_the_callers(stage: Stage) -> None:
    """The exchange has no password for what is behind it: it says so, and asks nobody for one."""
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE", lacks=("Authorization",))
    challenge = 'Digest realm="far.example", nonce="f84f1cec41e6cbe5aea9c8e88d359", algorithm=MD5, qop="auth"'
    stage >> bob.says(407, Proxy_Authenticate=challenge) << bob.gets("ACK")
    stage << alice.gets(403, lacks=("far.example", "Authenticate")) >> alice.ack_refusal()
    stage.ends(alice, "forbidden")


@contextmanager
def nobody(stage: Stage, *, closed: bool) -> Iterator[str]:
    """An address where nobody answers: a UDP port that is not read, or one that is closed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind((stage.exchange.sip[0], 0))
        host, number = port.getsockname()
        if closed:
            port.close()
        yield f"{host}:{number}"


@pytest.mark.parametrize("closed", [False, True], ids=["silent", "closed"])
def test_3_4_session_with_failure_of_the_first(stage: Stage, closed: bool) -> None:
    alice, bob = stage.phone(), stage.phone()
    with nobody(stage, closed=closed) as address:
        stage.register(bob, f"<sip:ghost@{address}>;q=1.0")
        assert address in the_second_answers(stage, alice, bob)


def test_3_4_session_with_failure_of_the_first_over_tcp(stage: Stage) -> None:
    """RFC 3327: the first is behind a proxy that takes no connection any more."""
    alice, bob = stage.phone(), stage.phone()
    ghost = stage.phone("tcp", account=bob.account, registered=False)
    with nobody(stage, closed=True) as address:
        way = f"<sip:{address};transport=tcp;lr>"
        stage.register(ghost, f"<sip:ghost@{FAR_PHONE}>;q=1.0", Supported="path", Path=way)
        stage.vanish(ghost)
        wait_until(lambda: address in sources(stage, bob), "the end of the connection")
        assert address in the_second_answers(stage, alice, bob)


def sources(stage: Stage, phone: ScriptedPhone) -> list[str]:
    rows = stage.exchange.perform("registrations", "list")
    return [row["source"] for row in rows if row["number"] == phone.number]


def the_second_answers(stage: Stage, alice: ScriptedPhone, bob: ScriptedPhone) -> set[str]:
    """Bob's phone is the one of less preference, and takes the call; gives all addresses that were rung."""
    stage.register(bob, f"{bob.contact()};q=0.5")
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> bob.says(180) << alice.gets(180) >> bob.says(200, bob.offer())
    stage << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    (record,) = stage.hang_up(alice, bob).ends(alice, "normal")
    assert record["answered_by"] == bob.number
    messages = stage.exchange.perform("trace", "show", record["id"])
    return {
        each["peer"] for each in messages if each["direction"] == "out" and each["text"].startswith("INVITE")
    }


class HiddenPhone(ScriptedPhone):
    """Behind a router: it names the address that it knows, and sends from another."""

    def contact(self) -> str:
        return f"<sip:{self.number}@{PRIVATE[0]}:{PRIVATE[1]}>"

    def via(self) -> str:
        return super().via().replace(self.here, f"{PRIVATE[0]}:{PRIVATE[1]}")

    def offer(self, *lines: str, version: int = 1) -> bytes:
        return describe((PRIVATE[0], 4000), *lines, version=version)


def test_3_5_session_through_a_sip_alg(stage: Stage) -> None:
    alice, bob = (stage.phone(kind=HiddenPhone) for _ in range(2))
    came_from = f";rport={alice.line.address[1]};received={alice.line.address[0]}"
    stage.call(alice, bob.number, alice.offer())
    assert came_from in lines(alice.last, "Via")[0]
    stage << bob.gets("INVITE", f"INVITE sip:{bob.number}@10.9.8.7:5060 ", lacks=("c=IN IP4 10.",))
    to_bob = bob.last
    assert to_bob is not None
    stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200, lacks=("c=IN IP4 10.",))
    to_alice = alice.body
    stage >> alice.ack()
    # Where a phone really is, its first packet shows.
    alice.sound.say(to_alice, b"here is alice")
    bob.sound.say(to_bob.body, b"here is bob")
    assert alice.sound.hears() == b"here is bob"
    alice.sound.say(to_alice, b"now bob is known")
    assert bob.sound.hears() == b"now bob is known"
    stage >> bob.again(bob.offer("a=sendonly")) << alice.gets("INVITE") << bob.gets(100)
    stage >> alice.says(200, alice.offer("a=recvonly")) << alice.gets("ACK") << bob.gets(200) >> bob.ack()
    stage.hang_up(alice, bob).ends(alice, "normal")
