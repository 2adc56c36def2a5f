"""The database file: modes, transactions, and what each kind of trouble is called."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from appliance.store import database, settings
from appliance.store.database import Database, StoreError, check_copy, open_connection
from appliance.store.migrations import BREAKING, MIGRATIONS


async def test_files_are_private_and_writes_are_synced(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "branchbox.db")
    await database.run(lambda db: settings.put(db, "system", b"{}"))
    for name in ("branchbox.db", "branchbox.db-wal", "branchbox.db-shm"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert await database.run(lambda db: db.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    assert await database.run(lambda db: db.execute("PRAGMA synchronous").fetchone()) == (2,)
    assert await database.run(lambda db: db.execute("PRAGMA foreign_keys").fetchone()) == (1,)
    await database.close()


async def test_work_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "branchbox.db")

    def half(db: sqlite3.Connection) -> None:
        settings.put(db, "system", b"{}")
        raise KeyError("a defect")

    with pytest.raises(KeyError):
        await database.run(half)
    assert await database.run(lambda db: settings.load(db, "system")) is None
    await database.close()


async def test_a_full_disk_refuses_and_keeps_what_was(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "branchbox.db")
    await database.run(lambda db: settings.put(db, "kept", b"1"))
    await database.run(lambda db: db.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(StoreError) as refused:
        await database.run(lambda db: settings.put(db, "large", b"x" * 100_000))
    assert refused.value.key == "error.disk_full"
    assert refused.value.disk_full
    assert await database.run(lambda db: settings.load(db, "large")) is None
    await database.run(lambda db: db.execute("PRAGMA max_page_count = 100000"))
    await database.run(lambda db: settings.put(db, "large", b"x" * 100_000))
    assert await database.run(lambda db: settings.load(db, "kept")) == b"1"
    await database.close()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "branchbox.db"
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StoreError) as refused:
        open_connection(path)
    assert refused.value.key == "error.database_newer"
    assert refused.value.params == {"found": len(MIGRATIONS) + 1, "known": len(MIGRATIONS)}


ADDED = (
    "ALTER TABLE records ADD COLUMN mood TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE moods (name TEXT) STRICT",
)


def test_what_an_update_added_does_not_keep_the_program_before_it_from_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "branchbox.db"
    with monkeypatch.context() as update:
        update.setattr(database, "MIGRATIONS", (*MIGRATIONS, ADDED))
        with closing(open_connection(path)) as connection:
            settings.put(connection, "system", b"1")
    with closing(open_connection(path)) as connection:
        assert settings.load(connection, "system") == b"1"
        settings.put(connection, "system", b"2")
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, ADDED))
    with closing(open_connection(path)) as connection:
        assert settings.load(connection, "system") == b"2"
        assert connection.execute("SELECT count(*) FROM moods").fetchone() == (0,)


def test_what_an_update_changed_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "branchbox.db"
    with monkeypatch.context() as update:
        update.setattr(database, "MIGRATIONS", (*MIGRATIONS, ("DROP TABLE tokens",)))
        update.setattr(database, "BREAKING", BREAKING | {len(MIGRATIONS) + 1})
        open_connection(path).close()
    with pytest.raises(StoreError) as refused:
        open_connection(path)
    assert refused.value.key == "error.database_newer"


@pytest.mark.parametrize("number", range(2, len(MIGRATIONS) + 1))
def test_every_migration_that_is_not_called_breaking_only_adds(number: int) -> None:
    kinds = {" ".join(statement.split()[:2]) for statement in MIGRATIONS[number - 1]}
    only_adds = kinds <= {"CREATE TABLE", "CREATE INDEX", "ALTER TABLE"} and all(
        " ADD COLUMN " in statement and (" DEFAULT " in statement or "NOT NULL" not in statement)
        for statement in MIGRATIONS[number - 1]
        if statement.startswith("ALTER")
    )
    assert only_adds or number in BREAKING


@pytest.mark.parametrize(
    "content", [b"this is no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 8192]
)
def test_a_damaged_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "branchbox.db"
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        open_connection(path)
    assert refused.value.key == "error.database_damaged"
    assert path.read_bytes() == content, "the evidence stays as it was"


def test_opening_again_migrates_nothing_twice(tmp_path: Path) -> None:
    for _ in range(2):
        with closing(open_connection(tmp_path / "branchbox.db")) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "branchbox.db"
    open_connection(path).close()
    broken = (*MIGRATIONS, ("CREATE TABLE half (a)", "this is no SQL"))
    monkeypatch.setattr("appliance.store.database.MIGRATIONS", broken)
    with pytest.raises(sqlite3.OperationalError):
        open_connection(path)
    with closing(sqlite3.connect(path)) as after:
        assert after.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert after.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)


async def test_a_copy_is_whole_and_can_be_taken_back(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "branchbox.db")
    await database.run(lambda db: settings.put(db, "system", b"1"))
    await database.copy_to(tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    await database.run(lambda db: settings.put(db, "system", b"2"))
    check_copy(tmp_path / "copy.db")
    await database.replace_from(tmp_path / "copy.db")
    assert await database.run(lambda db: settings.load(db, "system")) == b"1"
    assert await database.run(lambda db: db.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    await database.close()


def test_a_copy_of_something_else_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE a (b)")
    with pytest.raises(StoreError) as refused:
        check_copy(tmp_path / "other.db")
    assert refused.value.key == "error.not_a_backup"
