"""The self-test's steps: from an empty folder to a call that was heard on both sides and is in the records."""

from __future__ import annotations

import signal
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from random import SystemRandom
from typing import TYPE_CHECKING, Any

import anyio

from appliance.clock import Clock
from appliance.errors import BranchboxError, ConfigError, LocalError
from appliance.selftest.datagrams import PhoneSocket
from appliance.selftest.exchange import HOST, start_exchange
from appliance.selftest.phone import Account, Phone
from appliance.selftest.sound import Sound
from appliance.sip.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskStatus

    from appliance.selftest.exchange import Exchange

__all__ = ["Failure", "StoppedError", "run_scenario"]

DEADLINE_S = 180.0  # seconds do on a board; an emulated processor takes minutes
POLL_S = 0.1
TONES_HZ = (440.0, 620.0)
FIRST_NUMBER = "101"


@dataclass(frozen=True, slots=True)
class Failure:
    """Which step failed, and why."""

    step: str
    reason: str | ConfigError
    log: tuple[str, ...] = ()
    "The end of the exchange's log."


class Steps:
    """Tells each step when it is done, and remembers the one that is not."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.current = "start"

    def begin(self, step: str) -> None:
        self.current = step

    def done(self) -> None:
        self._tell(self.current)


class StoppedError(BranchboxError):
    """Somebody asked the self-test to end."""


async def run_scenario(tell: Callable[[str], None]) -> Failure | None:
    """Run all steps; `tell` gets the name of each one that passed. None when all did.

    Raises StoppedError on SIGTERM and SIGINT, after the exchange it started has ended and its folder is gone.
    """
    told = False

    async def watch(scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
        nonlocal told
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            async for _ in signals:
                told = True
                scope.cancel()

    failure = None
    async with anyio.create_task_group() as tasks:
        await tasks.start(watch, tasks.cancel_scope, name="signals")
        failure = await _run_scenario(tell)
        tasks.cancel_scope.cancel()
    if told:
        raise StoppedError
    return failure


async def _run_scenario(tell: Callable[[str], None]) -> Failure | None:
    steps = Steps(tell)
    try:
        async with start_exchange() as exchange:
            try:
                with anyio.fail_after(DEADLINE_S):
                    await _run_steps(exchange, steps)
            except (BranchboxError, TimeoutError) as error:
                return Failure(steps.current, _reason(error), tuple(exchange.last_words()))
    except OSError as error:
        return Failure(steps.current, str(error))
    return None


def _reason(error: BranchboxError | TimeoutError) -> str | ConfigError:
    if isinstance(error, ConfigError):
        return error
    return f"> {DEADLINE_S:.0f} s" if isinstance(error, TimeoutError) else str(error)


async def _run_steps(exchange: Exchange, steps: Steps) -> None:
    await exchange.ready()
    steps.done()
    steps.begin("extensions")
    made = await exchange.perform("extensions", "add-many", None, {"first": FIRST_NUMBER, "count": 2})
    steps.done()
    async with _phones(exchange, made) as (caller, callee):
        await _call(caller, callee, steps)
    steps.begin("record")
    await _find_record(exchange, caller, callee)
    steps.done()
    steps.begin("stop")
    if status := await exchange.stop():
        msg = f"exit status {status}"
        raise LocalError(msg)
    steps.done()


@asynccontextmanager
async def _phones(exchange: Exchange, made: list[dict[str, Any]]) -> AsyncIterator[list[Phone]]:
    random, clock = SystemRandom(), Clock()
    phones: list[Phone] = []
    failure: BranchboxError | None = None
    with ExitStack() as stack:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.run)
            for tone_hz, extension in zip(TONES_HZ, made, strict=True):
                line = stack.enter_context(closing(PhoneSocket(HOST)))
                sound = stack.enter_context(closing(Sound(HOST, tone_hz, random)))
                account = Account(extension["number"], extension["password"], exchange.sip)
                phones.append(Phone(account, Endpoint(clock, random, line), sound, random))
                tasks.start_soon(line.run)
                tasks.start_soon(sound.run)
            try:
                yield phones
            except BranchboxError as error:
                failure = error  # raised again outside the group, which would wrap it
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _call(caller: Phone, callee: Phone, steps: Steps) -> None:
    steps.begin("register")
    await caller.register()
    await callee.register()
    steps.done()
    steps.begin("call")
    await caller.call(callee.account.number)
    await callee.established.wait()
    steps.done()
    steps.begin("sound")
    await callee.sound.hear(TONES_HZ[0])
    await caller.sound.hear(TONES_HZ[1])
    steps.done()
    steps.begin("hang_up")
    await caller.hang_up()
    await callee.ended.wait()
    steps.done()


async def _find_record(exchange: Exchange, caller: Phone, callee: Phone) -> None:
    numbers = caller.account.number, callee.account.number
    while True:
        for record in await exchange.perform("records", "list"):
            if (record["from_number"], record["to_number"]) == numbers and record["answered_at"]:
                return
        await anyio.sleep(POLL_S)
