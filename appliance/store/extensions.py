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
    ha1_sha512_256: str = ""
    "Empty when the password was set before this was kept."
    level: int = 0


COLUMNS = ", ".join(ExtensionRow.__struct_fields__)
PLACES = ", ".join("?" for _ in ExtensionRow.__struct_fields__)


def load(db: sqlite3.Connection) -> list[ExtensionRow]:
    """All extensions, shorter numbers first, as people count."""
    rows = db.execute(f"SELECT {COLUMNS} FROM extensions ORDER BY length(number), number")
    return [
        ExtensionRow(number, name, md5, sha256, bool(on), *rest)
        for number, name, md5, sha256, on, *rest in rows
    ]


def put(db: sqlite3.Connection, row: ExtensionRow) -> None:
    """Add an extension or replace it."""
    db.execute(
        f"INSERT OR REPLACE INTO extensions ({COLUMNS}) VALUES ({PLACES})", msgspec.structs.astuple(row)
    )


def remove(db: sqlite3.Connection, number: str) -> None:
    """Take an extension out; one that is not there is no error."""
    db.execute("DELETE FROM extensions WHERE number = ?", (number,))
