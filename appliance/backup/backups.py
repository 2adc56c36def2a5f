"""Backups of a running exchange: made, looked at, put in force. One at a time."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from appliance.backup import archive, restoring
from appliance.backup.contents import Changed, Contents, changes, count, snapshot_in
from appliance.backup.making import Made, Order, make
from appliance.backup.sealed import check_passphrase
from appliance.errors import ConfigError
from appliance.store.database import storage_errors
from appliance.store.folder import SCRATCH_PREFIX, scratch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from appliance.config.config import Config
    from appliance.store.store import Store

__all__ = ["Backups", "Look"]

STAGED_FOR = 900.0
"Seconds that an unpacked backup waits for its word."


@dataclass(frozen=True, slots=True)
class Look:
    """An unpacked backup, and what would come of it."""

    token: str
    "What to restore it by."
    contents: Contents
    sealed: bool
    changes: list[Changed]


@dataclass(frozen=True, slots=True)
class _Staged:
    token: str
    place: Path
    until: float


class Backups:
    """One a process."""

    def __init__(self, store: Store, config: Config, replaced: Callable[[], Awaitable[None]]) -> None:
        """`replaced` takes over what else is read from the database, after the settings. It may raise StoreError."""
        self._store = store
        self._config = config
        self._replaced = replaced
        self._one_at_a_time = anyio.Lock()
        self._staged: _Staged | None = None

    async def save(
        self, file: Path, passphrase: str = "", sounds: tuple[str, ...] = (), *, inside: bool = False
    ) -> Made:
        """Write a backup and prove it. ConfigError. `inside`: the file may lie in the data folder."""
        if passphrase:
            check_passphrase("backup.passphrase", passphrase)
        folder = self._store.folder
        if not inside and await anyio.to_thread.run_sync(_is_below, file, folder):
            # It might take the place of the database itself; and a backup beside what it saves saves little.
            raise ConfigError("backup.file", "error.in_data_folder", folder=str(folder))
        now = self._config.current
        order = Order(
            file=file,
            folder=folder,
            areas=now.areas,
            host_name=now.system.host_name,
            passphrase=passphrase,
            sounds=sounds,
        )
        async with self._one_at_a_time:
            with self._scratch() as place:
                await self._store.database.copy_to(place / archive.DATABASE)
                made = await anyio.to_thread.run_sync(make, order, place)
        return made

    async def look(self, file: Path, passphrase: str = "") -> Look:
        """Unpack a backup and tell what it holds and would change; it waits for `restore`. ConfigError."""
        async with self._one_at_a_time:
            return await self._look(file, passphrase)

    async def restore(self, token: str) -> bool:
        """Put in force what `look` unpacked; whether a restart is needed. ConfigError: nothing was changed."""
        async with self._one_at_a_time:
            staged = self._staged
            if staged is None or not secrets.compare_digest(staged.token.encode(), token.encode()):
                raise ConfigError("backup.token", "error.not_staged")
            if anyio.current_time() > staged.until:
                await self._forget()
                raise ConfigError("backup.token", "error.not_staged")
            self._staged = None
            # From here on no cancellation: what was begun is done, or taken back.
            with anyio.CancelScope(shield=True), storage_errors(self._store.database.path):
                try:
                    restart_needed = await self._restore(staged.place)
                finally:
                    await _remove(staged.place)
        return restart_needed

    async def expire(self) -> None:
        """Remove what was unpacked and has waited too long. To be called now and then."""
        async with self._one_at_a_time:
            if self._staged is not None and anyio.current_time() > self._staged.until:
                await self._forget()

    async def _look(self, file: Path, passphrase: str) -> Look:
        await self._forget()
        folder, now = self._store.folder, self._config.current
        with storage_errors(self._store.database.path):
            place = Path(
                await anyio.to_thread.run_sync(partial(tempfile.mkdtemp, prefix=SCRATCH_PREFIX, dir=folder))
            )
        try:
            with storage_errors(self._store.database.path):
                unpacked = await anyio.to_thread.run_sync(archive.unpack, file, place, passphrase)
            database = place / archive.DATABASE
            then = await anyio.to_thread.run_sync(snapshot_in, database, now.areas)
            counted = await anyio.to_thread.run_sync(count, database)
        except BaseException:
            await _remove(place)
            raise
        counted |= {each: unpacked.files(each) for each in archive.FOLDERS}
        told = unpacked.contents
        contents = Contents(
            version=told.version, made_at=told.made_at, host_name=told.host_name, holds=counted
        )
        self._staged = _Staged(secrets.token_urlsafe(16), place, anyio.current_time() + STAGED_FOR)
        return Look(self._staged.token, contents, unpacked.sealed, changes(now, then))

    async def _restore(self, place: Path) -> bool:
        store, run = self._store, anyio.to_thread.run_sync
        await store.database.copy_to(place / restoring.BEFORE)
        pending = await run(restoring.set_out, place, store.folder)
        try:
            await run(restoring.put_prompts, pending, store.folder)
            await store.database.replace_from(pending / archive.DATABASE)
            await self._reload()
            await run(restoring.commit, pending)
        except Exception:
            await store.database.replace_from(pending / restoring.BEFORE)
            await run(restoring.discard, pending)
            await self._reload()
            raise
        others = await run(restoring.put_files, pending, store.folder)
        await run(restoring.discard, pending)
        return others

    async def _reload(self) -> None:
        await self._config.reload()
        await self._replaced()

    async def _forget(self) -> None:
        staged, self._staged = self._staged, None
        if staged is not None:
            await _remove(staged.place)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with storage_errors(self._store.database.path), scratch(self._store.folder) as place:
            yield place


def _is_below(file: Path, folder: Path) -> bool:
    return folder.resolve() in file.resolve().parents


async def _remove(place: Path) -> None:
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(partial(shutil.rmtree, place, ignore_errors=True))
