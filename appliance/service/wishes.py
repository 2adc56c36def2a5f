"""Tells root's part of the appliance how the box shall be called and reached, without holding up the event loop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import msgspec

from appliance.system.probation import boot_id
from appliance.system.wanted import TrialNetwork, Wanted, write_wanted

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.config.server import Server
    from appliance.config.system import System
    from appliance.system.probation import Trial

__all__ = ["Wishes"]

logger = logging.getLogger(__name__)

RETRY_S = 10.0
"Until somebody has made room on the disk."


class Wishes:
    """Holds the latest wish until it is written: two files synced on a slow card take longer than a packet may."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wanted: Wanted | None = None
        self._boot = boot_id()
        self._trial: TrialNetwork | None = None
        self._servers: tuple[Server, ...] = ()
        self._news = anyio.Event()

    def want(self, system: System) -> None:
        """Have these settings applied soon. ConfigError for what root would refuse."""
        self._put(Wanted.by(system, self._trial, self._servers))

    def want_servers(self, servers: tuple[Server, ...]) -> None:
        """Have these run beside this one, and no others. ConfigError for what root would refuse."""
        self._servers = servers
        if self._wanted is not None:
            self._put(msgspec.structs.replace(self._wanted, servers=servers))

    def try_out(self, trial: Trial | None) -> None:
        """Have this network applied for the time being; with None, what is wanted again."""
        self._trial = None
        if trial is not None:
            self._trial = TrialNetwork(network=trial.network, id=trial.id, boot=self._boot, until=trial.until)
        if self._wanted is not None:
            self._put(msgspec.structs.replace(self._wanted, trial=self._trial))

    def _put(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._news.set()

    async def run(self) -> None:
        """Write what is wanted, for ever."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            if not await self._write():
                self._news.set()
                await anyio.sleep(RETRY_S)

    async def _write(self) -> bool:
        wanted = self._wanted
        if wanted is None:
            return True
        try:
            await anyio.to_thread.run_sync(write_wanted, self._folder, wanted)
        except OSError as error:
            logger.error("host name, time zone and network are not applied yet: %s", error)
            return False
        return True
