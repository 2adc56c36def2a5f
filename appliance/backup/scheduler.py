"""Backups that are made by themselves: when one is due, also one that was slept through, and what became of the last."""

from __future__ import annotations

import logging
import re
import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread
import msgspec

from appliance.backup.archive import SOUNDS
from appliance.backup.calendar import is_due, next_moment
from appliance.backup.stick import find_stick
from appliance.config.backup_schedule import AREA, BackupSchedule
from appliance.errors import ConfigError
from appliance.store import settings as settings_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from appliance.backup.backups import Backups
    from appliance.backup.making import Made
    from appliance.config.config import Config
    from appliance.store.store import Store

__all__ = ["FOLDER", "Kept", "Scheduler", "State"]

logger = logging.getLogger(__name__)

FOLDER = "backups"
"In the data folder."
START_AFTER = 300.0
"Seconds: a box that just came up has calls to catch up with, and its clock may not be set yet."
LOOK_EVERY = 60.0
RETRY_AFTER = 900.0
"Seconds after one that failed. That there is no stick costs nothing to see, so that is looked for each time."
STATE = "state.backup"
"The row of the table `settings`."
CLOCK_IS_SET = datetime(2026, 1, 1).timestamp()  # noqa: DTZ001  # to the day is enough
"Seconds since 1970. A clock that says less was never set."
FILE = re.compile(r"branchbox-([A-Za-z0-9-]+)-([0-9]{8}-[0-9]{6})\.(tar\.gz|sealed)")


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What became of them. Moments are seconds since 1970."""

    last_good_at: float | None = None
    last_file: str = ""
    problem: str = ""
    "The locale key of why the last try failed; empty when it did not."
    problem_params: dict[str, str] = {}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that the schedule made and that is there now."""

    file: str
    octets: int
    modified_at: float


class Scheduler:
    """One a process; `run` is a task of its own."""

    def __init__(
        self,
        backups: Backups,
        store: Store,
        config: Config,
        now: Callable[[], float] = time.time,
        stick: Callable[[], Path] = find_stick,
    ) -> None:
        """`now` is the wall clock; `stick` finds the folder on the stick, or raises ConfigError."""
        self._backups = backups
        self._store = store
        self._config = config
        self._now = now
        self._stick = stick
        self._made_by_this_process = False
        self.state = State()
        "As far as it is known; what an earlier process left is known once `run` has begun."

    @property
    def schedule(self) -> BackupSchedule:
        """What is set now."""
        schedule: BackupSchedule = self._config.current.setting(AREA.name)
        return schedule

    def next_at(self) -> float | None:
        """When the next one is due, in seconds since 1970; a moment that has passed when one is to be made up."""
        now = self._local(self._now())
        if self._is_due():
            return now.timestamp()
        moment = next_moment(self.schedule, now)
        return None if moment is None else moment.timestamp()

    async def run(self) -> None:
        """Make what is due, for ever."""
        await self.begin()
        await anyio.sleep(START_AFTER)
        while True:
            wait = await self.look()
            await anyio.sleep(wait)

    async def begin(self) -> None:
        """Learn what an earlier process left."""
        self.state = await self._load()

    async def look(self) -> float:
        """Make one if it is due; gives the seconds until the next look."""
        await self._backups.expire()
        if not self._is_due() or await self._try() or self.state.problem == "error.no_stick":
            return LOOK_EVERY
        return RETRY_AFTER

    async def make(self) -> Made:
        """Make one now, as the schedule wants it. ConfigError: nothing was made, and the state says why."""
        schedule, began = self.schedule, self._now()
        try:
            made = await self._make(schedule)
        except ConfigError as error:
            params = {name: str(value) for name, value in error.params.items()}
            await self._keep(msgspec.structs.replace(self.state, problem=error.key, problem_params=params))
            raise
        self._made_by_this_process = True
        problem = "error.certificate_unreadable" if made.unreadable else ""
        params = {"files": ", ".join(made.unreadable)} if made.unreadable else {}
        await self._keep(
            State(
                last_good_at=began,
                last_file=str(made.file),
                problem=problem,
                problem_params=params,
            )
        )
        return made

    async def save_to_stick(self, passphrase: str, sounds: tuple[str, ...]) -> Made:
        """Make one now on the stick, whatever the schedule is, and remove none. ConfigError: nothing was made."""
        folder = await self._folder("usb")
        return await self._backups.save(self._file(folder, passphrase), passphrase, sounds)

    async def kept(self) -> list[Kept]:
        """Those that are there, the newest first; none where the stick is not. ConfigError, when they cannot be read."""
        try:
            folder = await self._folder(self.schedule.to)
            return await anyio.to_thread.run_sync(_kept, folder)
        except ConfigError as error:
            if error.key == "error.no_stick":
                return []
            raise

    async def _try(self) -> bool:
        try:
            made = await self.make()
        except ConfigError as error:
            logger.error("the backup that is due was not made: %s %s", error.key, error.params)
            return False
        except Exception:
            logger.exception("the backup that is due was not made")
            return False
        logger.info("backup %s, %d octets, proved", made.file, made.octets)
        return True

    async def _make(self, schedule: BackupSchedule) -> Made:
        folder = await self._folder(schedule.to)
        file = self._file(folder, schedule.passphrase)
        sounds = tuple(each for each in SOUNDS if getattr(schedule, each))
        made = await self._backups.save(file, schedule.passphrase, sounds, inside=schedule.to == "folder")
        host_name = self._config.current.system.host_name
        await anyio.to_thread.run_sync(partial(_tidy, folder, host_name, schedule.keep, file))
        return made

    def _file(self, folder: Path, passphrase: str) -> Path:
        host_name = self._config.current.system.host_name
        stamp = f"{self._local(self._now()):%Y%m%d-%H%M%S}"
        return folder / f"branchbox-{host_name}-{stamp}.{'sealed' if passphrase else 'tar.gz'}"

    async def _folder(self, to: str) -> Path:
        path = self._store.folder / FOLDER
        try:
            if to == "usb":
                return await anyio.to_thread.run_sync(self._stick)
            # Whole, for it is told to whoever restores by it.
            path = await anyio.to_thread.run_sync(path.absolute)
            await anyio.to_thread.run_sync(partial(path.mkdir, mode=0o700, exist_ok=True))
        except OSError as error:
            name = str(error.filename or path)
            raise ConfigError(
                "backup-schedule.to", "error.cannot_write", file=name, reason=error.strerror
            ) from error
        return path

    def _is_due(self) -> bool:
        now, good = self._now(), self.state.last_good_at
        if now < CLOCK_IS_SET:
            return False
        if good is not None and good > now and self._made_by_this_process:
            return False  # by a clock that leaps; one is enough
        return is_due(self.schedule, None if good is None else self._local(good), self._local(now))

    def _local(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, ZoneInfo(self._config.current.system.time_zone))

    async def _load(self) -> State:
        try:
            stored = await self._store.run(lambda db: settings_table.load(db, STATE))
            return State() if stored is None else msgspec.json.decode(stored, type=State)
        except (ConfigError, msgspec.DecodeError) as error:
            logger.error("what became of the last backup is not known: %s", error)
            return State()

    async def _keep(self, state: State) -> None:
        if state == self.state:
            return
        self.state = state
        try:
            await self._store.run(lambda db: settings_table.put(db, STATE, msgspec.json.encode(state)))
        except ConfigError as error:
            logger.error("what became of the backup is not kept: %s %s", error.key, error.params)


def _kept(folder: Path) -> list[Kept]:
    files = [each for each in folder.iterdir() if FILE.fullmatch(each.name) and each.is_file()]
    files.sort(key=lambda each: each.stat().st_mtime, reverse=True)
    return [
        Kept(file=str(each), octets=each.stat().st_size, modified_at=each.stat().st_mtime) for each in files
    ]


def _tidy(folder: Path, host_name: str, keep: int, newest: Path) -> None:
    """Remove the oldest of this box's, by the moments in their names; never the one just made."""
    mine = sorted(
        (found[2], each)
        for each in folder.iterdir()
        if (found := FILE.fullmatch(each.name)) and found[1] == host_name and each != newest
    )
    for _, each in mine[: max(0, len(mine) - (keep - 1))]:
        try:
            each.unlink()
        except OSError as error:
            logger.warning("an old backup cannot be removed: %s", error)
    for left in folder.glob(".branchbox-*.part"):
        # Of a process that lost its power.
        left.unlink(missing_ok=True)
