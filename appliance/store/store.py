"""The data folder as one value: the lock, the database and the backlog of writes that may wait."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread

from appliance.store import bindings, lessons, records
from appliance.store.backlog import Backlog
from appliance.store.database import Database
from appliance.store.folder import FolderLock

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from appliance.store.lessons import LessonRow
    from appliance.store.records import RecordRow

__all__ = ["DATABASE_NAME", "Store"]

T = TypeVar("T")

DATABASE_NAME = "branchbox.db"


class Store:
    """Open one with `await Store.open(folder)`; run `backlog.run()` as a task; end with `await close()`."""

    def __init__(self, folder: Path, lock: FolderLock, database: Database) -> None:
        self.folder = folder
        self.database = database
        self.backlog = Backlog(database)
        self._lock = lock

    @classmethod
    async def open(cls, folder: Path) -> Store:
        """Take the folder and open its database, making both as needed.

        Raises ConfigError: the folder is in use or unusable; the database is damaged, or from a newer version.
        """
        lock = await anyio.to_thread.run_sync(FolderLock, folder)
        try:
            return cls(folder, lock, await Database.open(folder / DATABASE_NAME))
        except BaseException:
            lock.release()
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction, off the event loop. Raises StoreError."""
        return await self.database.run(work)

    def save_record(self, record: RecordRow) -> None:
        """Store a call record soon. Never blocks and never fails."""
        self.backlog.put("record", record.id, partial(records.add, record=record))

    def save_bindings(self, number: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Store all the bindings of an extension (as `BindingRow`) soon. Never blocks and never fails."""
        self.backlog.put("bindings", number, partial(bindings.replace, number=number, rows=tuple(rows)))

    def save_lessons(self, way: str, rows: tuple[LessonRow, ...]) -> None:
        """Store all that was learned of a line or trunk soon. Never blocks and never fails."""
        self.backlog.put("lessons", way, partial(lessons.replace, way=way, rows=rows))

    async def close(self) -> None:
        """Write what still waits, close the database and let go of the folder."""
        with anyio.CancelScope(shield=True):
            await self.backlog.drain()
            await self.database.close()
        self._lock.release()
