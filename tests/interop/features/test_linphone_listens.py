"""What Linphone hears, reads and sees: music while it is held, texts, a call that waits, and who wants no calls.

The exchange has port 5060 here: Linphone's daemon writes no port into the address that a text is for.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from anyio.to_thread import run_sync as in_thread

from tests.conftest import REAL_SOCKETS
from tests.interop import baresip, linphone, network
from tests.interop.desk import Desk
from tests.interop.exchange import running_exchange, wait_until
from tests.interop.features.test_real_talks import MUSIC, make_tune
from tests.interop.test_baresip import held_phone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHY_NOT = linphone.why_not() or baresip.why_not() or network.why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

BOB, CAROL = 620.0, 880.0
"What baresip's phones say, in Hz."


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with (
        network.own_network() as host,
        running_exchange(tmp_path, host, sip_port=5060) as exchange,
        ExitStack() as stack,
    ):
        yield Desk(exchange, tmp_path, stack)
        stack.close()
        assert "Traceback" not in exchange.log


def test_linphone_is_held_and_hears_music(desk: Desk, tmp_path: Path) -> None:
    desk.exchange.perform("music", "set", None, {"file": str(make_tune(tmp_path / "tune.wav"))})
    phone, bob = desk.linphone(keeps_sound=True), desk.baresip("102", tone_hz=BOB)
    phone.dial("102")
    phone.wait_call("StreamsRunning")
    phone.wait_hears(BOB)
    bob.command("hold")
    phone.wait_call("PausedByRemote")
    phone.wait_hears(MUSIC)
    bob.command("resume")
    phone.wait_call("StreamsRunning")
    phone.wait_hears(BOB)
    phone.command("terminate")
    assert [each["cause"] for each in desk.records()] == ["normal"]


async def test_linphone_holds_and_music_is_heard(desk: Desk, tmp_path: Path) -> None:
    """By the built-in phone: baresip 1.0.0 records nothing more after a re-INVITE."""
    desk.exchange.perform("music", "set", None, {"file": str(make_tune(tmp_path / "tune.wav"))})
    phone = await in_thread(desk.linphone)
    async with held_phone(desk.account("102"), BOB) as bob:
        bob.watch()
        await bob.register()
        name = await in_thread(phone.dial, "102")
        await in_thread(phone.wait_call, "StreamsRunning")
        await in_thread(phone.command, f"call-pause {name}")
        await in_thread(phone.wait_call, "Paused")
        await bob.sound.hear(MUSIC)
        await in_thread(phone.command, "terminate")
        await bob.ended.wait()
    assert [each["cause"] for each in await in_thread(desk.records)] == ["normal"]


def test_texts_between_linphone_and_baresip(desk: Desk) -> None:
    phone, bob = desk.linphone(), desk.baresip("102", contacts=("101",))
    phone.command(f"message {phone.address('102')} Lunch at noon?")
    bob.wait_shown('"Lunch at noon?"')
    bob.command("message", "With pleasure. 好")
    phone.wait_log("MESSAGE sip:101@", "With pleasure. 好")
    wait_until(lambda: desk.exchange.perform("status", "show")["texts"] == 2, "the answers")


def test_a_call_waits_for_linphone(desk: Desk) -> None:
    """It talks, a second call rings, it puts the first aside and takes the second."""
    phone, bob, carol = desk.linphone(), desk.baresip("102"), desk.baresip("103")
    first = phone.dial("102")
    phone.wait_call("StreamsRunning")
    carol.dial("101")
    second = phone.wait_call("IncomingReceived")
    carol.wait_event("CALL_RINGING")
    phone.command(f"call-pause {first}")
    phone.wait_call("Paused")
    phone.command(f"answer {second}")
    carol.wait_event("CALL_ESTABLISHED")
    desk.talks("101", "103")
    carol.command("hangup")
    bob.command("hangup")
    assert sorted((each["from_number"], each["cause"]) for each in desk.records()) == [
        ("101", "normal"),
        ("103", "normal"),
    ]


def test_no_call_waits_for_linphone(desk: Desk) -> None:
    desk.exchange.perform("phones", "set", "101", {"call_waiting": False})
    phone, _, carol = desk.linphone(), desk.baresip("102"), desk.baresip("103")
    phone.dial("102")
    phone.wait_call("StreamsRunning")
    carol.dial("101")
    assert "486" in carol.wait_event("CALL_CLOSED")["param"]
    phone.command("terminate")
    assert sorted(each["cause"] for each in desk.records()) == ["busy", "normal"]


def test_who_wants_no_calls_is_busy(desk: Desk) -> None:
    """Presence at Linphone and at baresip, and the code that sets it dialled at the phone that is watched."""
    bob = desk.baresip("102", answers=False)
    carol = desk.baresip("103", contacts=("102",), modules=("presence",))
    phone = desk.linphone(friends=("102",))
    phone.wait_log("NOTIFY", "application/pidf+xml", "<basic>open</basic>")
    bob.dial("*78")
    phone.wait_log("<basic>open</basic>", "<rpid:busy />")
    wait_until(lambda: "Busy" in carol.command("contacts"), "busy at baresip", 20.0)
    bob.dial("*79")
    wait_until(lambda: "Online" in carol.command("contacts"), "online at baresip", 20.0)
    desk.records()
