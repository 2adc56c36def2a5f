"""Table `extensions`: who may register. Passwords are kept as digest HA1 only (RFC 7616 §3.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

__all__ = ["ExtensionRow", "load", "put", "remove"]


class ExtensionRow(msgspec.Struct, frozen=True):
    """One row, column for column."""

    number: str
    name: str
    ha1_md5: str
    ha1_sha256: str
    enabled: bool
    ring_seconds: int


def load(db: sqlite3.Connection) -> list[ExtensionRow]:
    """All extensions, shorter numbers first, as people count."""
    rows = db.execute(
        "SELECT number, name, ha1_md5, ha1_sha256, enabled, ring_seconds FROM extensions ORDER BY length(number), number"
    )
    return [
        ExtensionRow(number, name, md5, sha256, bool(on), rings)
        for number, name, md5, sha256, on, rings in rows
    ]


def put(db: sqlite3.Connection, row: ExtensionRow) -> None:
    """Add an extension or replace it."""
    db.execute(
        "INSERT OR REPLACE INTO extensions (number, name, ha1_md5, ha1_sha256, enabled, ring_seconds)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (row.number, row.name, row.ha1_md5, row.ha1_sha256, int(row.enabled), row.ring_seconds),
    )


def remove(db: sqlite3.Connection, number: str) -> None:
    """Take an extension out; one that is not there is no error."""
    db.execute("DELETE FROM extensions WHERE number = ?", (number,))
