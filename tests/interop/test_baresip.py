"""Two baresip phones on one exchange: registration, calls, sound both ways, hold, refusals.

Not tested here: video, encryption, IPv6.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, asynccontextmanager, closing
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from appliance.clock import Clock
from appliance.media.sdp import parse_sdp
from appliance.media.tone import tone_share
from appliance.selftest.datagrams import PhoneSocket
from appliance.selftest.phone import Account, Phone
from appliance.selftest.sound import Sound
from appliance.sip.endpoint import Endpoint
from tests.conftest import REAL_SOCKETS
from tests.interop import baresip, network
from tests.interop.baresip import Baresip
from tests.interop.exchange import Exchange, free_ports, running_exchange, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from appliance.sip.endpoint import ServerTransaction

WHY_NOT = baresip.why_not() or network.why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

RATE_HZ = 8000


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """An exchange in a network of its own, with the extensions 101 and 102."""
    with network.own_network() as host, running_exchange(tmp_path, host) as exchange:
        yield exchange


@pytest.fixture
def phone(exchange: Exchange, tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Makes phones, which end with the test."""
    with ExitStack() as stack:

        def start(number: str, password: str, **options: Any) -> Baresip:
            sip, control = free_ports(exchange.sip[0], 2)
            made = Baresip(tmp_path / number, number, password, exchange.sip, ports=(sip, control), **options)
            return stack.enter_context(made)

        yield start


def clear_seconds(phone: Baresip, tone_hz: float) -> int:
    """How many whole seconds of what a phone recorded are that tone."""
    heard = phone.heard()
    seconds = [heard[at : at + RATE_HZ] for at in range(0, len(heard) - RATE_HZ + 1, RATE_HZ)]
    return sum(tone_share(second, tone_hz) > 0.9 for second in seconds)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_each_phone_hears_the_others_tone(
    exchange: Exchange, phone: Callable[..., Baresip], transport: str
) -> None:
    passwords = exchange.add_extensions(2)
    caller = phone("101", passwords["101"], tone_hz=440.0, transport=transport)
    callee = phone("102", passwords["102"], tone_hz=620.0, transport=transport, answers=True)
    exchange.wait_registered("101", "102")
    caller.dial("102")
    for each in (caller, callee):
        each.wait_event("CALL_ESTABLISHED")
    (call,) = exchange.perform("calls", "list")
    assert (call["from_number"], call["to_number"], call["state"]) == ("101", "102", "talking")
    for each in (caller, callee):
        each.wait_event("CALL_RTPESTAB")
        each.wait_heard(3.0)
    caller.command("hangup")
    callee.wait_event("CALL_CLOSED")
    exchange.wait_idle()
    for each in (caller, callee):
        each.stop()
    assert clear_seconds(callee, 440.0) >= 2
    assert clear_seconds(caller, 620.0) >= 2
    (record,) = exchange.wait_records(1)
    assert (record["from_number"], record["to_number"], record["answered_by"]) == ("101", "102", "102")
    assert record["duration"] > 2
    assert exchange.stop() == 0


def test_a_phone_that_rejects_is_busy_and_the_record_says_so(
    exchange: Exchange, phone: Callable[..., Baresip]
) -> None:
    passwords = exchange.add_extensions(2)
    caller, callee = (phone(number, passwords[number]) for number in ("101", "102"))
    exchange.wait_registered("101", "102")
    caller.dial("102")
    callee.wait_event("CALL_INCOMING")
    caller.wait_event("CALL_RINGING")
    callee.command("hangup")
    assert "486" in caller.wait_event("CALL_CLOSED")["param"]
    (record,) = exchange.wait_records(1)
    assert (record["answered_at"], record["status"]) == (None, 486)


def test_a_caller_that_hangs_up_stops_the_ringing(exchange: Exchange, phone: Callable[..., Baresip]) -> None:
    passwords = exchange.add_extensions(2)
    caller, callee = (phone(number, passwords[number]) for number in ("101", "102"))
    exchange.wait_registered("101", "102")
    caller.dial("102")
    callee.wait_event("CALL_INCOMING")
    caller.wait_event("CALL_RINGING")
    caller.command("hangup")
    callee.wait_event("CALL_CLOSED")
    exchange.wait_idle()
    (record,) = exchange.wait_records(1)
    assert record["answered_at"] is None


def test_a_wrong_password_registers_nothing(exchange: Exchange, phone: Callable[..., Baresip]) -> None:
    exchange.add_extensions(1)
    phone("101", "not-the-password").wait_log("401 Unauthorized")
    assert exchange.registered() == set()


class HeldPhone(Phone):
    """The built-in phone, which takes a re-INVITE and remembers which way the sound was to go."""

    def watch(self) -> None:
        """Forget what was offered so far."""
        self.offered: str | None = None
        self.changed = anyio.Event()

    def receive(self, transaction: ServerTransaction) -> None:
        if transaction.request.method != "INVITE":
            super().receive(transaction)
            return
        self.offered = parse_sdp(transaction.request.body).media[0].direction
        answer = b"a=recvonly\r\n" if self.offered == "sendonly" else b""
        headers = [("Contact", self._contact), ("Content-Type", "application/sdp")]
        transaction.reply(200, headers=headers, body=self.sound.description + answer)
        self.changed.set()


@asynccontextmanager
async def held_phone(account: Account, tone_hz: float = 620.0) -> AsyncIterator[HeldPhone]:
    """One that says this tone."""
    clock, random, host = Clock(), Random(), account.server[0]
    with closing(PhoneSocket(host)) as line, closing(Sound(host, tone_hz, random)) as sound:
        async with anyio.create_task_group() as tasks:
            for run in (clock.run, line.run, sound.run):
                tasks.start_soon(run)
            with anyio.fail_after(40):
                yield HeldPhone(account, Endpoint(clock, random, line), sound, random)
            tasks.cancel_scope.cancel()


def test_who_is_held_goes_on_hearing(exchange: Exchange, phone: Callable[..., Baresip]) -> None:
    """baresip 1.0.0 drops what comes with timestamps behind those that it had before, whoever sends it, and says so.

    It records nothing more after a re-INVITE; so it is asked what comes in, which it shows as bits a second.
    """
    passwords = exchange.add_extensions(2)
    caller = phone("101", passwords["101"])
    callee = phone("102", passwords["102"], answers=True)
    exchange.wait_registered("101", "102")
    caller.dial("102")
    callee.wait_event("CALL_RTPESTAB")

    def wait_for_bits(pattern: str) -> None:
        seen = len(callee.log)
        wait_until(
            lambda: re.search(pattern, callee.log[seen:]) is not None, f"{pattern} in {callee.log}", 20
        )

    for _ in range(2):
        caller.command("hold")
        exchange.wait_state("held")
        wait_for_bits(r"audio=0/[456]\d{4} ")
        caller.command("resume")
        exchange.wait_state("talking")
        wait_for_bits(r"audio=[1-9]\d*/[456]\d{4} ")
    caller.command("hangup")
    callee.wait_event("CALL_CLOSED")
    exchange.wait_idle()
    for complaint in ("discard", "wraps backwards", "SSRC changed"):
        assert complaint not in callee.log


async def test_a_call_is_held_and_resumed(exchange: Exchange, phone: Callable[..., Baresip]) -> None:
    in_thread = anyio.to_thread.run_sync
    passwords = exchange.add_extensions(2)
    caller = phone("101", passwords["101"], tone_hz=440.0)
    async with held_phone(Account("102", passwords["102"], exchange.sip)) as callee:
        await callee.register()
        await in_thread(exchange.wait_registered, "101", "102")
        await in_thread(caller.dial, "102")
        await callee.established.wait()
        await callee.sound.hear(440.0)
        for command, offered, state in (("hold", "sendonly", "held"), ("resume", "sendrecv", "talking")):
            callee.watch()
            await in_thread(caller.command, command)
            await callee.changed.wait()
            assert callee.offered == offered
            await in_thread(exchange.wait_state, state)
        await callee.sound.hear(440.0)
        await callee.hang_up()
        await in_thread(caller.wait_event, "CALL_CLOSED")


def test_a_phone_with_flows_of_its_own_is_called_over_the_first(
    exchange: Exchange, phone: Callable[..., Baresip]
) -> None:
    """RFC 5626: baresip registers one binding for each `outbound` proxy; here both are the exchange."""
    passwords = exchange.add_extensions(2)
    caller = phone("101", passwords["101"])
    host, port = exchange.sip
    ways = "".join(f';outbound{each}="sip:{host}:{port};transport=tcp"' for each in ("", "2"))
    callee = phone("102", passwords["102"], transport="tcp", answers=True, account=f"{ways};sipnat=outbound")
    wait_until(
        lambda: sum(each["number"] == "102" for each in exchange.perform("registrations", "list")) == 2,
        "both flows",
    )
    exchange.wait_registered("101")
    caller.dial("102")
    for each in (caller, callee):
        each.wait_event("CALL_ESTABLISHED")
    (call,) = exchange.perform("calls", "list")
    assert len(call["legs"]) == 2, "it rang once"
    caller.command("hangup")
    callee.wait_event("CALL_CLOSED")
    exchange.wait_idle()
