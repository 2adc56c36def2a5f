"""Table `records`: one row a call that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

__all__ = ["MAX_RECORDS", "RecordRow", "RecordStep", "add", "find", "page"]

# About 300 octets each with their indexes: some 60 MB of card at the most, years of calls for a small office.
MAX_RECORDS = 200_000

COLUMNS = (
    "id, started_at, answered_at, ended_at, from_number, from_name, to_number, answered_by,"
    " duration, status, cause, ended_by, way_in, way_out, steps, emergency"
)


class RecordStep(msgspec.Struct, frozen=True):
    """A call was sent on."""

    by: str
    to: str
    why: str
    "`unconditional`, `user-busy`, `no-answer` and so on (RFC 5806)."


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    """One call. Moments are seconds since 1970 in UTC."""

    id: str
    started_at: float
    answered_at: float | None = None
    ended_at: float
    from_number: str
    from_name: str = ""
    to_number: str
    answered_by: str | None = None
    "The extension that answered, or the number outside; None when nobody did."
    duration: float
    "Seconds from the answer to the end; 0.0 without an answer."
    status: int
    "The final SIP status of the call's first INVITE: 200, 486, 487 and so on."
    cause: str
    ended_by: str
    "`caller`, `callee` or `system`."
    way_in: str = ""
    "`line:NAME` or `trunk:NAME` that it came by; empty: an extension called."
    way_out: str = ""
    "The one that it left by, or tried last; empty: it did not leave."
    steps: tuple[RecordStep, ...] = ()
    "How it was sent on, first step first."
    emergency: bool = False
    "Whether an extension dialled an emergency number."


def add(db: sqlite3.Connection, record: RecordRow) -> None:
    """Store a record; the same one twice counts once. The oldest goes when there are too many."""
    db.execute(
        f"INSERT OR IGNORE INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_storable(value) for value in msgspec.structs.astuple(record)],
    )
    db.execute("DELETE FROM records WHERE row <= (SELECT max(row) FROM records) - ?", (MAX_RECORDS,))


def find(db: sqlite3.Connection, record_id: str) -> RecordRow | None:
    """The record of a call; None when there is none."""
    row = db.execute(f"SELECT {COLUMNS} FROM records WHERE id = ?", (record_id,)).fetchone()
    return None if row is None else _record(row)


def page(
    db: sqlite3.Connection, *, number: str | None = None, before: str | None = None, limit: int = 100
) -> list[RecordRow]:
    """The newest records first: those of `number` if given, those older than record `before` if given."""
    conditions, values = ["1"], list[str | int]()
    if number is not None:
        conditions.append("? IN (from_number, to_number, answered_by)")
        values.append(number)
    if before is not None:
        conditions.append("row < (SELECT row FROM records WHERE id = ?)")
        values.append(before)
    where = " AND ".join(conditions)
    rows = db.execute(
        f"SELECT {COLUMNS} FROM records WHERE {where} ORDER BY row DESC LIMIT ?",
        (*values, limit),
    )
    return [_record(row) for row in rows]


def _record(row: tuple[object, ...]) -> RecordRow:
    values = dict(zip(RecordRow.__struct_fields__, row, strict=True))
    steps = msgspec.json.decode(str(values.pop("steps")))
    emergency = bool(values.pop("emergency"))
    return msgspec.convert({**values, "steps": steps, "emergency": emergency}, RecordRow)


def _storable(value: object) -> object:
    """A caller's name may hold octets that are no UTF-8; the record is worth more than they are."""
    if isinstance(value, tuple):
        return msgspec.json.encode(value).decode()
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value
