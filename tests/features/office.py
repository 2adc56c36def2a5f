"""The exchange on a bench, with its supplementary services and their settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import anyio
import msgspec

from appliance.config.snapshot import Snapshot, verify
from appliance.config.system import System
from appliance.features import FEATURES, settings_areas
from appliance.features.house import House
from appliance.features.playback import Playback
from appliance.features.supplementary import SupplementaryServices
from appliance.media.prompts import Prompts
from appliance.media.sounds import Sounds
from tests.call.playbook import Phone, Playbook

__all__ = ["Office"]

T = TypeVar("T")
AREAS = {area.name: area for area in settings_areas(FEATURES)}


class BenchConfig:
    """Settings without a disk, and without waiting for one."""

    def __init__(self, current: Snapshot) -> None:
        self.current = current
        self._watchers: list[tuple[Callable[[Snapshot], Any], Callable[[Any], None]]] = []
        self._verifiers: list[Callable[[Snapshot, Snapshot], None]] = []

    def add_verifier(self, verifier: Callable[[Snapshot, Snapshot], None]) -> None:
        self._verifiers.append(verifier)

    def on_change(self, selector: Callable[[Snapshot], T], callback: Callable[[T], None]) -> None:
        self._watchers.append((selector, callback))
        callback(selector(self.current))

    def edit(self, edit: Callable[[Snapshot], Snapshot]) -> None:
        old, new = self.current, edit(self.current)
        for check in (verify, *self._verifiers):
            check(old, new)
        self.current = new
        for selector, callback in self._watchers:
            if selector(new) != selector(old):
                callback(selector(new))

    async def change(self, edit: Callable[[Snapshot], Snapshot]) -> Snapshot:
        self.edit(edit)
        return self.current


class Office(Playbook):
    """`set` changes a service's settings as somebody at the console does."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)  # a Wednesday
        self.config = BenchConfig(Snapshot(1, System(realm="x"), self.extensions, areas=AREAS))
        self.players = self.exchange.wire.relay.players
        self.lamps: list[str] = []
        self.playback = Playback(self.players, Sounds(Path("nowhere")))
        config: Any = self.config  # a feature sees no more of it than is there
        self.prompts = Prompts(Path("nowhere"))
        house = House(
            *(config, self.exchange, self.timers, self.playback, self.prompts),
            *(lambda: self.now, self.lamps.append),
        )
        self.services = SupplementaryServices(FEATURES, house)
        self.exchange.router.services = self.services
        self.exchange.router.around.local_now = lambda: self.now
        self.exchange.music = self.playback

    def set(self, area: str, key: str = "", **values: Any) -> None:
        def edit(now: Snapshot) -> Snapshot:
            if AREAS[area].per == "item" and key not in now.items(area):
                return now.with_item(area, AREAS[area].kind(name=key, **values))
            return now.with_item(area, msgspec.structs.replace(now.setting(area, key), **values))

        self.config.edit(edit)

    def setting(self, area: str, key: str = "") -> Any:
        return self.config.current.setting(area, key)

    def second_line(self, phone: Phone) -> Phone:
        """The same phone, for another call."""
        line = Phone(phone.number, phone.address, self.random)
        line.tag += "-second"
        return line

    @asynccontextmanager
    async def serving(self) -> Any:
        """Calls that the exchange takes itself are served meanwhile."""
        async with anyio.create_task_group() as tasks:
            await tasks.start(self.exchange.services.run)
            yield
            tasks.cancel_scope.cancel()

    async def settled(self) -> Office:
        """Whatever the services do of themselves is done."""
        await anyio.wait_all_tasks_blocked()
        return self
