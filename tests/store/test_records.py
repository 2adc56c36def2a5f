"""Table `records`."""

from __future__ import annotations

import sqlite3
from functools import partial

import msgspec
import pytest

from appliance.store import records
from appliance.store.migrations import MIGRATIONS
from appliance.store.records import RecordRow
from appliance.store.store import Store


def record(name: str, caller: str = "101", callee: str = "102", by: str | None = None) -> RecordRow:
    return RecordRow(
        id=name,
        started_at=1000.5,
        answered_at=None if by is None else 1002.0,
        ended_at=1010.0,
        from_number=caller,
        from_name="甲",
        to_number=callee,
        answered_by=by,
        duration=0.0 if by is None else 8.0,
        status=486 if by is None else 200,
        cause="busy",
        ended_by="callee",
        way_in="trunk:hq",
        way_out="" if by is None else "line:carrier",
    )


async def test_a_record_is_found_as_it_was(store: Store) -> None:
    emergency = msgspec.structs.replace(record("c"), emergency=True)
    for each in (record("a"), record("b", by="103"), emergency):
        await store.run(partial(records.add, record=each))
        assert await store.run(partial(records.find, record_id=each.id)) == each
    assert await store.run(partial(records.find, record_id="none")) is None


def test_a_record_from_before_lines_has_none() -> None:
    db = sqlite3.connect(":memory:")
    before = next(at for at, each in enumerate(MIGRATIONS) if "way_in" in "".join(each))
    for migration in MIGRATIONS[:before]:
        for statement in migration:
            db.execute(statement)
    db.execute(
        "INSERT INTO records (id, started_at, ended_at, from_number, from_name, to_number, duration, status, cause,"
        " ended_by) VALUES ('a', 1, 2, '101', '', '102', 0, 486, 'busy', 'callee')"
    )
    for migration in MIGRATIONS[before:]:
        for statement in migration:
            db.execute(statement)
    old = records.find(db, "a")
    assert old is not None
    assert (old.way_in, old.way_out, old.emergency) == ("", "", False)
    db.close()


async def test_the_same_record_twice_counts_once(store: Store) -> None:
    for _ in range(2):
        await store.run(partial(records.add, record=record("a")))
    assert len(await store.run(records.page)) == 1


async def test_pages_run_from_the_newest_to_the_oldest(store: Store) -> None:
    for name in "abcde":
        await store.run(partial(records.add, record=record(name)))
    first = await store.run(partial(records.page, limit=2))
    second = await store.run(partial(records.page, before=first[-1].id, limit=2))
    assert [each.id for each in first + second] == ["e", "d", "c", "b"]


async def test_a_number_finds_what_it_called_was_called_by_and_answered(store: Store) -> None:
    for each in (
        record("a", "101", "102"),
        record("b", "102", "103"),
        record("c", "104", "200", by="102"),
        record("d", "104", "105"),
    ):
        await store.run(partial(records.add, record=each))
    found = await store.run(partial(records.page, number="102"))
    assert [each.id for each in found] == ["c", "b", "a"]


async def test_the_oldest_go_when_there_are_too_many(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORDS", 3)
    for name in "abcde":
        await store.run(partial(records.add, record=record(name)))
    assert [each.id for each in await store.run(records.page)] == ["e", "d", "c"]
