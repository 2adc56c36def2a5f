"""An exchange on all addresses: phones on IPv4 and IPv6 call each other, and hear each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from tests.interop import network
from tests.interop.exchange import Exchange, running_exchange
from tests.peers.stage import ScriptedPhone, Stage

WHY_NOT = network.why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

TRANSPORTS = ("udp", "tcp", "tls")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One that listens on all addresses, of a network where nobody else is."""
    with network.own_network(), running_exchange(tmp_path_factory.mktemp("both"), "0.0.0.0") as exchange:
        yield exchange


def seen_at(exchange: Exchange, host: str) -> Exchange:
    """The exchange as phones of one family reach it."""
    return replace(exchange, sip=(host, exchange.sip[1]), tls=(host, exchange.tls[1]))


def call(stage: Stage, caller: ScriptedPhone, callee: ScriptedPhone) -> tuple[bytes, bytes]:
    """A call with sound both ways; what the caller was told of the other, and the callee."""
    stage.talk(caller, callee)
    assert callee.invited is not None
    told = caller.response().body, callee.invited.body
    caller.sound.say(told[0], b"from the caller")
    assert callee.sound.hears() == b"from the caller"
    callee.sound.say(told[1], b"from the callee")
    assert caller.sound.hears() == b"from the callee"
    stage.hang_up(caller, callee).ends(caller, "normal")
    return told


@pytest.mark.parametrize(("one", "other"), [*product(TRANSPORTS, TRANSPORTS)])
def test_ipv4_and_ipv6_call_each_other(exchange: Exchange, one: str, other: str) -> None:
    with Stage(seen_at(exchange, "127.0.0.1")) as old, Stage(seen_at(exchange, "::1")) as new:
        alice, bob = old.phone(one), new.phone(other)
        for stage, caller, callee in ((old, alice, bob), (new, bob, alice)):
            to_caller, to_callee = call(stage, caller, callee)
            to_old, to_new = (to_caller, to_callee) if caller is alice else (to_callee, to_caller)
            assert b"c=IN IP4 127.0.0.1\r\n" in to_old
            assert b"c=IN IP6 ::1\r\n" in to_new
    assert "Traceback" not in exchange.log
