"""Table `bindings`: registrations that outlive a restart (RFC 3261 §10).

Written only when they change meaning (a new contact, a gone one), to spare the card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

__all__ = ["BindingRow", "load", "replace"]


class BindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One contact of one extension. Moments are seconds since 1970 in UTC."""

    number: str
    contact: str
    "The Contact header's value as the phone sent it."
    q: float = 1.0
    call_id: str
    cseq: int
    registered_at: float
    expires_at: float
    user_agent: str = ""
    transport: str
    local_host: str
    local_port: int
    remote_host: str
    remote_port: int


COLUMNS = ", ".join(BindingRow.__struct_fields__)
PLACES = ", ".join("?" for _ in BindingRow.__struct_fields__)


def load(db: sqlite3.Connection) -> list[BindingRow]:
    """All bindings, expired ones included."""
    rows = db.execute(f"SELECT {COLUMNS} FROM bindings ORDER BY number, contact")
    names = BindingRow.__struct_fields__
    return [msgspec.convert(dict(zip(names, row, strict=True)), BindingRow) for row in rows]


def replace(db: sqlite3.Connection, number: str, rows: Sequence[BindingRow]) -> None:
    """Make `rows` all the bindings that the extension has."""
    db.execute("DELETE FROM bindings WHERE number = ?", (number,))
    db.executemany(
        f"INSERT OR REPLACE INTO bindings ({COLUMNS}) VALUES ({PLACES})",
        [msgspec.structs.astuple(row) for row in rows],
    )
