"""Table `lessons`: what was learned about the other side of each line and trunk, for the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = ["LessonRow", "load", "replace"]


class LessonRow(NamedTuple):
    """One lesson, column for column."""

    way: str
    "`line:NAME` or `trunk:NAME`."
    feature: str
    with_it: bool
    "Whether calls have to have it; most do without."
    said: str
    "The answer that it comes from; empty: a person's word."
    learned_at: float
    "Seconds since 1970 in UTC."
    pinned: bool


COLUMNS = ", ".join(LessonRow._fields)
PLACES = ", ".join("?" for _ in LessonRow._fields)


def load(db: sqlite3.Connection) -> list[LessonRow]:
    """All lessons."""
    rows = db.execute(f"SELECT {COLUMNS} FROM lessons ORDER BY way, learned_at, feature")
    return [
        LessonRow(way, feature, bool(with_it), said, at, bool(pinned))
        for way, feature, with_it, said, at, pinned in rows
    ]


def replace(db: sqlite3.Connection, way: str, rows: Iterable[LessonRow]) -> None:
    """Make `rows` all the lessons of a line or trunk."""
    db.execute("DELETE FROM lessons WHERE way = ?", (way,))
    db.executemany(f"INSERT OR REPLACE INTO lessons ({COLUMNS}) VALUES ({PLACES})", rows)
