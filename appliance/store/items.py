"""Table `items`: settings of which there are several, such as lines: one JSON value each, by area and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

__all__ = ["load", "put", "remove"]


def load(db: sqlite3.Connection, area: str) -> list[tuple[str, bytes]]:
    """Key and JSON text of each item of an area, in the order of their keys."""
    rows = db.execute("SELECT key, value FROM items WHERE area = ? ORDER BY key", (area,))
    return [(str(key), str(value).encode()) for key, value in rows]


def put(db: sqlite3.Connection, area: str, key: str, value: bytes) -> None:
    """Add an item or replace it."""
    db.execute(
        "INSERT OR REPLACE INTO items (area, key, value) VALUES (?, ?, ?)", (area, key, value.decode())
    )


def remove(db: sqlite3.Connection, area: str, key: str) -> None:
    """Take an item out; one that is not there is no error."""
    db.execute("DELETE FROM items WHERE area = ? AND key = ?", (area, key))
