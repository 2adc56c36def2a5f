"""Messages that went wrong by chance, before the running exchange: they cost the calls they belong to, and no others.

The seed is fixed, so that what was found once is found again. Not tested here: chance in memory, and much more of it
(tests/sip, tests/call/test_any_order.py, tests/simulation).
"""

from __future__ import annotations

import socket
from contextlib import suppress
from random import Random
from select import select

import pytest

from appliance.errors import ConfigError, PeerError
from appliance.sip.message import parse_message
from tests.interop.exchange import wait_until
from tests.peers.mutation import mutated
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

SEED = 4475
MOMENT_S = 0.005


def test_streams_of_mutated_messages(stage: Stage) -> None:
    chance = Random(SEED)
    phone = stage.phone()
    for _ in range(200):
        messages = [
            phone.options(),
            phone.invite("100", phone.offer()).message,
            phone.register(phone.contact()).message,
        ]
        octets = b"".join(
            mutated(chance.choice(messages).encode(), chance) for _ in range(chance.randrange(1, 5))
        )
        with suppress(OSError), stage.line(chance.choice(("tcp", "tls"))) as line:
            at = chance.randrange(len(octets))
            line.sock.sendall(octets[:at])
            line.sock.sendall(octets[at:])
            if chance.random() < 0.3:
                socket.socket.shutdown(line.sock, socket.SHUT_WR)
                while line.sock.recv(65_536):
                    pass
    stage.serves()


class Mutant(ScriptedPhone):
    """A phone on UDP whose messages go out wrong, and mostly as they should be, too."""

    def hear(self) -> None:
        """Take what comes, until nothing does for a moment."""
        while select([self.line.sock], [], [], MOMENT_S)[0]:
            with suppress(PeerError):  # our own nonsense comes back in an answer
                self.take(parse_message(self.line.sock.recv(65_536)))

    def does(self, method: str, chance: Random, *arguments: object, **headers: str) -> None:
        """One of the things a phone may do, where it can at present."""
        with suppress(AssertionError):
            octets = getattr(self, method)(*arguments, **headers).message.encode()
            for _ in range(chance.choice((0, 1, 2, 3))):
                self.line.send(mutated(octets, chance))
            if chance.random() < 0.85:
                self.line.send(octets)


def act(alice: Mutant, bob: Mutant, chance: Random) -> None:
    """One of the two does something that may or may not make sense now."""
    for phone in (alice, bob):
        phone.hear()
    one, other = chance.sample((alice, bob), 2)
    status = chance.choice((180, 183, 200, 200, 200, 302, 408, 486, 491, 600))
    deeds: list[tuple[str, tuple[object, ...], dict[str, str]]] = [
        *(("says", (status, other.offer()), {}), ("says", (200, one.offer()), {"tag": "other"})),
        *(("says_reliably", (183, chance.randrange(1, 4), one.offer()), {}), ("prack", (), {})),
        *(
            ("ack", (), {}),
            ("ack", (one.offer(),), {}),
            ("ack_refusal", (), {}),
            ("ok", (), {}),
            ("ok", (481,), {}),
        ),
        *(("again", (one.offer("a=sendonly"),), {}), ("again", (), {}), ("cancel", (), {}), ("bye", (), {})),
        *(("ask", ("UPDATE", one.offer()), {}), ("ask", ("INFO", b"1"), {"Content_Type": "text/plain"})),
    ]
    method, arguments, headers = chance.choice(deeds)
    one.does(method, chance, *arguments, **headers)


def hung_up(stage: Stage) -> int:
    """End what calls there are; how many that were."""
    calls = stage.calls()
    for call in calls:
        with suppress(ConfigError):  # it has ended by itself
            stage.exchange.perform("calls", "hang-up", call["id"])
    return len(calls)


def test_calls_of_mutated_messages(stage: Stage) -> None:
    chance = Random(SEED)
    for _ in range(40):
        alice, bob = (stage.phone(kind=Mutant) for _ in range(2))
        assert isinstance(alice, Mutant)
        assert isinstance(bob, Mutant)
        body = alice.offer() if chance.random() < 0.8 else b""
        (
            stage
            >> alice.invite(bob.number, body, Supported="100rel, timer")
            << alice.gets(401)
            >> alice.ack_refusal()
        )
        alice.does("prove", chance)
        for _ in range(chance.randrange(4, 14)):
            act(alice, bob, chance)
        wait_until(lambda: not hung_up(stage), "the end of their calls")
        stage.vanish(alice)
        stage.vanish(bob)
    stage.serves()
