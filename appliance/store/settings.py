"""Table `settings`: one JSON value an area, and the revision of the whole configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

__all__ = ["load", "put", "put_revision", "remove", "revision"]

REVISION = "revision"


def load(db: sqlite3.Connection, area: str) -> bytes | None:
    """The JSON text of an area; None when nobody has set anything in it yet."""
    row = db.execute("SELECT value FROM settings WHERE area = ?", (area,)).fetchone()
    return None if row is None else str(row[0]).encode()


def put(db: sqlite3.Connection, area: str, value: bytes) -> None:
    """Store the JSON text of an area."""
    db.execute(
        "INSERT INTO settings (area, value) VALUES (?, ?) ON CONFLICT (area) DO UPDATE SET value = excluded.value",
        (area, value.decode()),
    )


def revision(db: sqlite3.Connection) -> int:
    """How many changes the stored configuration has seen; 0 for a new one."""
    value = load(db, REVISION)
    return 0 if value is None else int(value)


def put_revision(db: sqlite3.Connection, number: int) -> None:
    """Store the revision, in the same transaction as what it counts."""
    put(db, REVISION, str(number).encode())


def remove(db: sqlite3.Connection, area: str) -> None:
    """Take an area out; one that is not there is no error."""
    db.execute("DELETE FROM settings WHERE area = ?", (area,))
