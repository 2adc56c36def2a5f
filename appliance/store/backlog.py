"""Writes that must not keep a call waiting: handed over at once, done in the background, kept while the disk is full."""

from __future__ import annotations

import logging
import sqlite3
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import anyio

from appliance.store.database import Database, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Backlog"]

logger = logging.getLogger(__name__)


class Backlog:
    """Writes in the order in which they came, of which a later one with the same key replaces the earlier."""

    # A record takes about 1 kB here: 10 MB, or a day of a busy office, until somebody makes room on the disk.
    MAX_WAITING = 10_000
    # One fsync for so many; few enough that a settings change waits for milliseconds.
    BATCH = 100
    RETRY_S = 10.0
    # How long what comes in is gathered: one thread and one fsync for all of it, not for each. A power cut may
    # cost the record of a call that ended less than this before it.
    GATHER_S = 0.2

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[tuple[str, str], Callable[[sqlite3.Connection], None]] = {}
        self._filled = anyio.Event()
        self._writing = anyio.Lock()
        self._refused = False

    @property
    def waiting(self) -> int:
        """How many writes are still to be done."""
        return len(self._waiting)

    def put(self, kind: str, key: str, write: Callable[[sqlite3.Connection], None]) -> None:
        """Have `write` done soon. Never blocks and never fails; beyond MAX_WAITING the oldest is given up."""
        self._waiting.pop((kind, key), None)
        self._waiting[kind, key] = write
        if len(self._waiting) > self.MAX_WAITING:
            lost = next(iter(self._waiting))
            del self._waiting[lost]
            logger.error("the disk takes nothing and the backlog is full: %s %s is lost", *lost)
        self._filled.set()

    async def run(self) -> None:
        """Write what comes in, for ever."""
        while True:
            await self._filled.wait()
            await anyio.sleep(self.GATHER_S)
            self._filled = anyio.Event()
            if not await self._write_batch():
                self._filled.set()
                await anyio.sleep(self.RETRY_S)

    async def settle(self) -> None:
        """Write now, for whoever is about to read what ended just before; not while the disk refuses it."""
        if self._waiting and not self._refused:
            await self._write_batch()

    async def drain(self) -> bool:
        """Write what is left, before the process ends; False when the disk does not take it."""
        return await self._write_batch()

    async def _write_batch(self) -> bool:
        async with self._writing:
            self._refused = not await self._write_all_batches()
        return not self._refused

    async def _write_all_batches(self) -> bool:
        while batch := dict(islice(self._waiting.items(), self.BATCH)):
            try:
                await self._database.run(partial(_write_all, batch=batch))
            except StoreError as error:
                logger.error(
                    "%d writes wait for the disk: %s %s", len(self._waiting), error.key, error.params
                )
                return False
            except sqlite3.Error:
                logger.exception("%d writes wait for the database", len(self._waiting))
                return False
            for key, write in batch.items():
                if self._waiting.get(key) is write:
                    del self._waiting[key]
        return True


def _write_all(
    db: sqlite3.Connection, batch: dict[tuple[str, str], Callable[[sqlite3.Connection], None]]
) -> None:
    for key, write in batch.items():
        db.execute("SAVEPOINT one")
        try:
            write(db)
        except sqlite3.OperationalError:
            raise  # the disk: the whole batch waits
        except Exception:
            # A defect of ours, or in what a peer sent, must not hold up all the others for ever.
            db.execute("ROLLBACK TO one")
            logger.exception("%s %s could not be stored", *key)
        db.execute("RELEASE one")
