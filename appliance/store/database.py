"""The one SQLite file: how it is opened, and how work reaches it without blocking the event loop.

WAL with synchronous=FULL: what was acknowledged survives a power cut. All work runs in a worker thread, one
piece at a time and each piece in one transaction.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from errno import ENOSPC
from typing import TYPE_CHECKING, Literal, TypeVar

import anyio
import anyio.to_thread

from appliance.errors import ConfigError
from appliance.store import settings
from appliance.store.folder import PRIVATE_MODE
from appliance.store.migrations import APPLICATION_ID, BREAKING, MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Database", "StoreError", "check_copy", "open_connection", "storage_errors"]

T = TypeVar("T")

# Only a backup or a person's own sqlite3 shell can hold the file for a moment.
BUSY_TIMEOUT_S = 5.0
# A burst of writes may let the log grow; after a checkpoint it is cut back to this, to spare a small card.
JOURNAL_LIMIT_OCTETS = 4 * 1024 * 1024
# With less than this left, SQLite's assorted I/O errors mean a full disk too.
NOTHING_LEFT_OCTETS = 64 * 1024

# In the table of settings: the number of the migration that a program must know to use this database.
OLDEST_READER = "oldest_reader"

DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}


class StoreError(ConfigError):
    """The disk or the database file would not do what was asked. Nothing was changed."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__("", key, **params)

    @property
    def disk_full(self) -> bool:
        """Whether it is worth trying again once somebody has made room."""
        return self.key == "error.disk_full"


class Database:
    """Runs pieces of SQL work, one after another, each in a transaction of its own."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._one_at_a_time = anyio.CapacityLimiter(1)

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open the file, making or migrating it as needed. Raises StoreError."""
        return cls(path, await anyio.to_thread.run_sync(open_connection, path))

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction; when this returns, what it wrote is on the disk.

        Raises StoreError, with nothing written. Once begun the work is not abandoned by a cancellation.
        """
        return await anyio.to_thread.run_sync(self._transact, work, limiter=self._one_at_a_time)

    async def copy_to(self, path: Path) -> None:
        """Write a consistent copy to `path` while the exchange goes on. Raises StoreError."""
        await anyio.to_thread.run_sync(self._copy_to, path, limiter=self._one_at_a_time)

    async def replace_from(self, path: Path) -> None:
        """Take over every table of the (checked) copy at `path`, in one step. Raises StoreError."""
        await anyio.to_thread.run_sync(self._replace_from, path, limiter=self._one_at_a_time)

    async def close(self) -> None:
        """Write the log back and close; nothing may be asked afterwards."""
        await anyio.to_thread.run_sync(self._connection.close, limiter=self._one_at_a_time)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with storage_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._connection)
                self._connection.commit()
            except BaseException:
                # SQLite has already rolled back by itself after some errors, a full disk among them.
                if self._connection.in_transaction:
                    self._connection.rollback()
                raise
            return result

    def _copy_to(self, path: Path) -> None:
        _create_private(path)
        with storage_errors(path), closing(sqlite3.connect(path)) as copy:
            self._connection.backup(copy)
            # One file, without a log beside it, is what a backup wants to be.
            copy.execute("PRAGMA journal_mode = DELETE")

    def _replace_from(self, path: Path) -> None:
        with storage_errors(self.path), closing(sqlite3.connect(path)) as copy:
            copy.backup(self._connection)


def open_connection(path: Path) -> sqlite3.Connection:
    """Open `path`, make it if absent, and bring it to the newest migration. Raises StoreError."""
    try:
        return _open(path, "NORMAL")
    except StoreError as error:
        if not error.disk_full:
            raise
        # The index of the log is a file of its own, which a full disk cannot take; alone we have it in memory.
        return _open(path, "EXCLUSIVE")


def _open(path: Path, locking: Literal["NORMAL", "EXCLUSIVE"]) -> sqlite3.Connection:
    with storage_errors(path):
        _create_private(path)
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute(f"PRAGMA locking_mode = {locking}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_OCTETS}")
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def check_copy(path: Path) -> None:
    """Prove that the file is a whole Branchbox database, and migrate it. Raises StoreError."""
    with storage_errors(path), closing(sqlite3.connect(path, isolation_level=None)) as copy:
        (application,) = copy.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID:
            raise StoreError("error.not_a_backup", file=path.name)
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise StoreError("error.database_damaged", file=path.name)
        _refuse_newer(copy)
        _migrate(copy)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into StoreError. Our own defects pass through as they are."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and _nothing_left(path)):
            raise StoreError("error.disk_full") from error
        if any(name.startswith(each) for each in DAMAGED):
            raise StoreError("error.database_damaged", file=str(path)) from error
        if name.startswith(("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY")):
            raise StoreError("error.database_unusable", file=str(path), reason=str(error)) from error
        raise
    except OSError as error:
        if error.errno == ENOSPC:
            raise StoreError("error.disk_full") from error
        raise StoreError("error.database_unusable", file=str(path), reason=error.strerror) from error


def _nothing_left(path: Path) -> bool:
    return shutil.disk_usage(path.parent).free < NOTHING_LEFT_OCTETS


def _create_private(path: Path) -> None:
    # SQLite would make the file by the umask; its log files then take over this file's mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE))


def _migrate(connection: sqlite3.Connection) -> None:
    version = _version(connection)
    if _oldest_reader(connection, version) > len(MIGRATIONS):
        _refuse_newer(connection)
    # A larger number is from an update that went again: it only added what this program does not look at.
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
            settings.put(connection, OLDEST_READER, str(max(n for n in BREAKING if n <= number)).encode())
            connection.commit()
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _refuse_newer(connection: sqlite3.Connection) -> None:
    """A backup has no need to be read by an older program than the one that made it."""
    if (version := _version(connection)) > len(MIGRATIONS):
        raise StoreError("error.database_newer", found=version, known=len(MIGRATIONS))


def _oldest_reader(connection: sqlite3.Connection, version: int) -> int:
    """Which migration a program must know to use the database; the last one where the database does not say."""
    if version <= len(MIGRATIONS):
        return version
    try:
        value = settings.load(connection, OLDEST_READER)
        return version if value is None else int(value)
    except (sqlite3.OperationalError, ValueError):
        return version
