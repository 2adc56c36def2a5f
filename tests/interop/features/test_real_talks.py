"""baresip holds, transfers, parks and picks up: who hears whose tone afterwards, or the music.

baresip 1.0.0 stops recording at the first re-INVITE; so whoever gets one is the built-in phone, which listens all the time. That it
hears on: test_baresip.py.
"""

from __future__ import annotations

import wave
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio
import pytest
from anyio.to_thread import run_sync as in_thread

from appliance.media.tone import sine
from appliance.selftest.phone import Account
from appliance.sip.message import Response, parse_message
from tests.conftest import REAL_SOCKETS
from tests.interop import baresip, network
from tests.interop.baresip import Baresip
from tests.interop.exchange import Exchange, free_ports, running_exchange
from tests.interop.test_baresip import clear_seconds, held_phone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.test_baresip import HeldPhone

WHY_NOT = baresip.why_not() or network.why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

ALICE, BOB, CAROL, MUSIC = 440.0, 620.0, 880.0, 1250.0
"What each says, in Hz."
TONES = {"101": ALICE, "102": BOB, "103": CAROL}
RATE_HZ = 8000


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS


class Town:
    """An exchange with a tone for its music, three extensions, and a phone of either kind for each."""

    def __init__(self, exchange: Exchange, folder: Path, stack: ExitStack) -> None:
        self.exchange = exchange
        self.passwords = exchange.add_extensions(3)
        self._folder = folder
        self._stack = stack
        exchange.perform("music", "set", None, {"file": str(make_tune(folder / "tune.wav"))})

    def baresip(self, number: str, *, answers: bool = False) -> Baresip:
        sip, control = free_ports(self.exchange.sip[0], 2)
        made = Baresip(
            self._folder / number,
            number,
            self.passwords[number],
            self.exchange.sip,
            ports=(sip, control),
            tone_hz=TONES[number],
            answers=answers,
        )
        self._stack.enter_context(made)
        self.exchange.wait_registered(number)
        return made

    def listener(self, number: str) -> Any:
        """A phone that listens, answers at once and takes any re-INVITE."""
        return held_phone(Account(number, self.passwords[number], self.exchange.sip), TONES[number])

    def refer(self, phone: Baresip, to: str) -> None:
        host, port = self.exchange.sip
        number, _, headers = to.partition("?")
        uri = f"sip:{number}@{host}:{port}"
        phone.command("transfer", f"<{uri}?{headers}>" if headers else uri)

    def replaces_of(self, to_number: str) -> str:
        """By which name the caller of that call knows it."""
        call = next(each for each in self.exchange.perform("calls", "list") if each["to_number"] == to_number)
        for message in self.exchange.perform("trace", "show", call["id"]):
            said = parse_message(message["text"].encode())
            ours = message["direction"] == "out" and call["id"] not in said.call_id
            if ours and isinstance(said, Response) and said.status == 200 and said.cseq.method == "INVITE":
                return f"{said.call_id};to-tag={said.to.tag};from-tag={said.from_.tag}"
        raise AssertionError(to_number)


def make_tune(file: Path) -> Path:
    with wave.open(str(file), "wb") as tune:
        tune.setnchannels(1)
        tune.setsampwidth(2)
        tune.setframerate(RATE_HZ)
        tune.writeframes(sine(MUSIC, RATE_HZ * 10).tobytes())
    return file


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with network.own_network() as host, running_exchange(tmp_path, host) as exchange, ExitStack() as stack:
        yield Town(exchange, tmp_path, stack)
        stack.close()
        assert "Traceback" not in exchange.log


async def ready(*phones: HeldPhone) -> None:
    for phone in phones:
        phone.watch()
        await phone.register()


async def called(caller: Baresip, callee: HeldPhone, tone_hz: float) -> None:
    """The caller dials the callee, who hears that tone."""
    await in_thread(caller.dial, callee.account.number)
    await callee.established.wait()
    await callee.sound.hear(tone_hz)


async def test_2_1_2_3_whoever_is_held_hears_music(town: Town) -> None:
    alice = await in_thread(town.baresip, "101")
    async with town.listener("102") as bob:
        await ready(bob)
        await called(alice, bob, ALICE)
        await in_thread(alice.command, "hold")
        await bob.sound.hear(MUSIC)
        await in_thread(town.exchange.wait_state, "held")
        await in_thread(alice.command, "resume")
        await bob.sound.hear(ALICE)
        await in_thread(alice.command, "hold")
        await bob.sound.hear(MUSIC)
        await bob.hang_up()
        await in_thread(alice.wait_event, "CALL_CLOSED")
        await in_thread(town.exchange.wait_idle)


async def test_2_4_blind_transfer(town: Town) -> None:
    alice, carol = [await in_thread(town.baresip, number) for number in ("101", "103")]
    async with town.listener("102") as bob:
        await ready(bob)
        await called(alice, bob, ALICE)
        await in_thread(alice.command, "hold")
        await bob.sound.hear(MUSIC)
        await in_thread(town.refer, alice, "103")
        await in_thread(carol.wait_event, "CALL_INCOMING")
        await in_thread(carol.command, "accept")
        await bob.sound.hear(CAROL)
        await in_thread(carol.wait_heard, 3.0)
        await in_thread(alice.wait_event, "CALL_CLOSED")
        await in_thread(carol.command, "hangup")
        await bob.ended.wait()
    await ended(town, "normal", "handed_over")
    carol.stop()
    assert clear_seconds(carol, BOB) >= 2


async def test_2_4_blind_transfer_in_vain(town: Town) -> None:
    """baresip 1.0.0 hears why, and then hangs up itself what it has back (test_flows.py has a phone that talks on)."""
    alice, carol = [await in_thread(town.baresip, number) for number in ("101", "103")]
    async with town.listener("102") as bob:
        await ready(bob)
        await called(alice, bob, ALICE)
        await in_thread(town.refer, alice, "103")
        await in_thread(carol.wait_event, "CALL_INCOMING")
        await in_thread(carol.command, "hangup")
        await in_thread(alice.wait_log, "transfer failed: 486")
        await bob.ended.wait()
    await ended(town, "normal", "busy")


async def test_2_5_attended_transfer(town: Town) -> None:
    alice = await in_thread(town.baresip, "101")
    async with town.listener("102") as bob, town.listener("103") as carol:
        await ready(bob, carol)
        await called(alice, bob, ALICE)
        await in_thread(alice.command, "hold")
        await bob.sound.hear(MUSIC)
        await called(alice, carol, ALICE)
        replaces = await in_thread(town.replaces_of, "103")
        await in_thread(alice.command, "line", "1")
        await in_thread(town.refer, alice, f"103?Replaces={quote(replaces, safe='')}")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bob.sound.hear, CAROL)
            tasks.start_soon(carol.sound.hear, BOB)
        for _ in range(2):
            await in_thread(alice.wait_event, "CALL_CLOSED")
        await bob.hang_up()
        await carol.ended.wait()
    await ended(town, "normal", "handed_over", "handed_over")


async def test_2_15_park_and_take_up(town: Town) -> None:
    alice, carol = [await in_thread(town.baresip, number) for number in ("101", "103")]
    async with town.listener("102") as bob:
        await ready(bob)
        await called(alice, bob, ALICE)
        await in_thread(town.refer, alice, "*85")
        await in_thread(alice.wait_event, "CALL_CLOSED")
        await bob.sound.hear(MUSIC)
        await in_thread(carol.dial, "*851")
        await in_thread(carol.wait_event, "CALL_ESTABLISHED")
        await bob.sound.hear(CAROL)
        await in_thread(carol.wait_heard, 3.0)
        await bob.hang_up()
        await in_thread(carol.wait_event, "CALL_CLOSED")
    await ended(town, "normal", "handed_over", "handed_over")
    carol.stop()
    assert clear_seconds(carol, BOB) >= 2


def test_2_16_pick_up(town: Town) -> None:
    alice, bob, carol = (town.baresip(number) for number in TONES)
    alice.dial("102")
    bob.wait_event("CALL_INCOMING")
    carol.dial("*40*102")
    for each in (alice, carol):
        each.wait_event("CALL_ESTABLISHED")
    bob.wait_event("CALL_CLOSED")
    for each in (alice, carol):
        each.wait_heard(3.0)
    carol.command("hangup")
    alice.wait_event("CALL_CLOSED")
    town.exchange.wait_idle()
    for each in (alice, carol):
        each.stop()
    assert clear_seconds(alice, CAROL) >= 2
    assert clear_seconds(carol, ALICE) >= 2


async def test_2_18_click_to_dial(town: Town) -> None:
    """The built-in phone calls by a click, and baresip is called."""
    bob = await in_thread(town.baresip, "102")
    async with town.listener("101") as alice:
        await ready(alice)

        def dial() -> None:
            town.exchange.perform("calls", "dial", "101", {"to": "102"})

        await in_thread(dial)
        await in_thread(bob.wait_event, "CALL_INCOMING")
        await in_thread(bob.command, "accept")
        await alice.sound.hear(BOB)
        await in_thread(bob.wait_heard, 3.0)
        await in_thread(bob.command, "hangup")
        await alice.ended.wait()
    await ended(town, "normal")
    bob.stop()
    assert clear_seconds(bob, ALICE) >= 2


async def ended(town: Town, *causes: str) -> None:
    """No call is left, and these records, newest first."""
    await in_thread(town.exchange.wait_idle)
    records = await in_thread(town.exchange.wait_records, len(causes))
    assert [each["cause"] for each in records] == list(causes)
