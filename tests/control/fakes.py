"""Stand-ins for the parts that control works on, and control over them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
from anyio.from_thread import start_blocking_portal

from appliance.call.cause import Cause
from appliance.call.inbound import RefusedError
from appliance.call.refusals import Refusals
from appliance.call.router import Router
from appliance.config.config import Config
from appliance.config.snapshot import Snapshot
from appliance.control.client import socket_in
from appliance.control.control import Control
from appliance.control.parts import Parts
from appliance.control.server import ControlServer
from appliance.diagnosis.trace import TracedMessage
from appliance.directory import Bindings
from appliance.features import FEATURES, settings_areas
from appliance.features.feature import Feature
from appliance.media.prompts import Prompts
from appliance.media.sounds import Sounds
from appliance.store.store import Store
from tests.call.bench import HandTimers
from tests.conftest import REAL_SOCKETS

LOCAL = "local:0"


@dataclass
class FakeFlow:
    transport: str = "udp"
    remote: tuple[str, int] = ("192.0.2.9", 5062)


@dataclass
class FakeContact:
    number: str = "101"
    contact: str = "sip:101@192.0.2.9:5062"
    flow: FakeFlow = field(default_factory=FakeFlow)
    user_agent: str = "A Phone 1.0"
    expires_at: float = 0.0
    registered_at: float = 1_700_000_000.25


class FakeDirectory:
    def __init__(self) -> None:
        self.contacts: list[FakeContact] = []

    def lookup(self, number: str) -> list[FakeContact]:
        return [each for each in self.contacts if each.number == number]

    def all(self) -> list[FakeContact]:
        return self.contacts

    def __len__(self) -> int:
        return len(self.contacts)


@dataclass
class FakeLeg:
    side: str = "caller"
    number: str = "101"
    address: str = "192.0.2.9:5062"
    transport: str = "udp"


@dataclass
class FakeCall:
    id: str = "call-1"
    from_number: str = "101"
    from_name: str = "前台"
    to_number: str = "102"
    state: str = "talking"
    started_at: float = 1_700_000_000.0
    answered_at: float | None = 1_700_000_003.5
    legs: tuple[FakeLeg, ...] = field(default_factory=lambda: (FakeLeg(), FakeLeg("callee", "102")))
    emergency: bool = False


class FakeExchange:
    def __init__(self) -> None:
        self.live: list[FakeCall] = []
        self.hung_up: list[str] = []
        self.dialled: list[tuple[str, str]] = []
        self.refusals = Refusals()
        self.router = Router(lambda _: None, Bindings(HandTimers()), lambda: datetime.now(UTC))

    def calls(self) -> list[FakeCall]:
        return self.live

    def __len__(self) -> int:
        return len(self.live)

    def dial(self, number: str, to_number: str) -> str:
        if number == "109":
            raise RefusedError(Cause.NOT_REGISTERED)
        self.dialled.append((number, to_number))
        return "dialled"

    def hang_up(self, call_id: str) -> None:
        self.hung_up.append(call_id)

    def busy_state(self, number: str) -> str:
        return "busy" if any(number in (each.from_number, each.to_number) for each in self.live) else "idle"


class FakeBox:
    def addresses(self) -> list[str]:
        return ["192.0.2.1"]

    def console_url(self) -> str:
        return "https://192.0.2.1:8443/"


class Bench:
    """Control over fakes and a real store."""

    def __init__(self, store: Store, config: Config, features: tuple[type[Feature], ...] = FEATURES) -> None:
        self.store = store
        self.config = config
        self.directory = FakeDirectory()
        self.exchange = FakeExchange()
        self.traced: list[TracedMessage] = []
        self.sounds = Sounds(store.folder / "prompts")
        config.on_change(lambda now: now.music, lambda music: self.sounds.want(music.file, music.tones))
        self.parts = Parts(
            *(store, config, self.directory, self.exchange, FakeBox()),
            trace=lambda _: self.traced,
            features=features,
            sounds=self.sounds,
            prompts=Prompts(store.folder / "prompts"),
        )
        self.control = Control(self.parts)

    @classmethod
    async def open(cls, folder: Path, features: tuple[type[Feature], ...] = FEATURES) -> Bench:
        store = await Store.open(folder)
        return cls(store, await Config.open(store, settings_areas(features)), features)

    async def again(self) -> Snapshot:
        """What another start would find."""
        return (await Config.open(self.store, settings_areas(self.parts.features))).current

    async def __call__(
        self, area: str, verb: str, key: str | None = None, actor: str = LOCAL, **values: Any
    ) -> Any:
        return await self.control.perform(area, verb, key, values, actor)


@contextmanager
def served(folder: Path) -> Iterator[tuple[Bench, Path]]:
    """A bench that serves its control socket in a thread of its own, for blocking clients; gives the socket."""
    backend, options = REAL_SOCKETS
    with start_blocking_portal(backend, options) as portal:
        bench = portal.call(Bench.open, folder)
        stop = portal.call(anyio.Event)
        future, _ = portal.start_task(partial(_serve, bench, folder, stop))
        try:
            yield bench, socket_in(folder)
        finally:
            portal.call(stop.set)
            future.result()


async def _serve(
    bench: Bench, folder: Path, stop: anyio.Event, *, task_status: anyio.abc.TaskStatus[None]
) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(ControlServer(bench.control, folder).run)
        task_status.started()
        await stop.wait()
        tasks.cancel_scope.cancel()
    await bench.store.close()
