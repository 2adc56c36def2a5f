"""Table `bindings`: registrations that outlive a restart (RFC 3261 §10).

Written only when they change meaning (a new contact, a gone one), to spare the card. A row is the plain values
that `appliance/directory` gives and takes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = ["BindingRow", "load", "replace"]


class BindingRow(NamedTuple):
    """One contact of one extension, column for column."""

    number: str
    contact: str
    "As a Contact header's value."
    q: float
    transport: str
    local_host: str
    local_port: int
    remote_host: str
    remote_port: int
    granted: int
    "Seconds."
    user_agent: str
    call_id: str
    cseq: int
    registered_at: float
    "Seconds since 1970 in UTC."
    path: str = ""
    "The Route to the phone (RFC 3327)."


COLUMNS = ", ".join(BindingRow._fields)
PLACES = ", ".join("?" for _ in BindingRow._fields)


def load(db: sqlite3.Connection) -> list[BindingRow]:
    """All bindings."""
    rows = db.execute(f"SELECT {COLUMNS} FROM bindings ORDER BY number, contact")
    return [BindingRow(*row) for row in rows]


def replace(db: sqlite3.Connection, number: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Make `rows` all the bindings that the extension has."""
    db.execute("DELETE FROM bindings WHERE number = ?", (number,))
    db.executemany(f"INSERT OR REPLACE INTO bindings ({COLUMNS}) VALUES ({PLACES})", rows)
