"""Table `extensions`."""

from __future__ import annotations

import sqlite3
import string

from hypothesis import given
from hypothesis import strategies as st

from appliance.store import extensions
from appliance.store.extensions import ExtensionRow
from appliance.store.migrations import MIGRATIONS

ROWS = st.builds(
    ExtensionRow,
    number=st.text(string.digits, min_size=2, max_size=15),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=64).filter(lambda name: "\0" not in name),
    ha1_md5=st.text("0123456789abcdef", min_size=32, max_size=32),
    ha1_sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    enabled=st.booleans(),
    ring_seconds=st.integers(5, 300),
    ha1_sha512_256=st.text("0123456789abcdef", max_size=64),
)


@given(rows=st.lists(ROWS, unique_by=lambda row: row.number, max_size=5))
def test_what_is_put_is_loaded(rows: list[ExtensionRow]) -> None:
    db = _empty()
    for row in rows:
        extensions.put(db, row)
    assert extensions.load(db) == sorted(rows, key=lambda row: (len(row.number), row.number))
    for row in rows:
        extensions.remove(db, row.number)
    assert extensions.load(db) == []
    db.close()


def _empty() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    for migration in MIGRATIONS:
        for statement in migration:
            db.execute(statement)
    return db


def test_extensions_from_before_an_algorithm_was_kept_have_none_for_it() -> None:
    db = sqlite3.connect(":memory:")
    for statement in MIGRATIONS[0]:
        db.execute(statement)
    db.execute("INSERT INTO extensions VALUES ('101', 'Reception', 'aa', 'bb', 1, 60)")
    for migration in MIGRATIONS[1:]:
        for statement in migration:
            db.execute(statement)
    assert extensions.load(db) == [ExtensionRow("101", "Reception", "aa", "bb", True, 60, "")]
    db.close()
