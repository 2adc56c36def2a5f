"""Writes that wait: for nothing at first, for the disk when it is full. Time is virtual."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import anyio
import msgspec
import pytest

from appliance.store import records, settings
from appliance.store.backlog import Backlog
from appliance.store.store import Store
from tests.store.test_bindings import row
from tests.store.test_records import record


async def written(store: Store, interval: float) -> None:
    """Return once nothing waits any more.

    Virtual time flies while the worker thread writes; a question to the database waits for its turn in that thread.
    """
    while store.backlog.waiting:
        await anyio.sleep(interval)
        await store.run(lambda db: db.execute("SELECT 1").fetchone())


async def test_a_record_is_written_in_the_background(store: Store) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.backlog.run)
        store.save_record(record("a"))
        assert store.backlog.waiting == 1
        await written(store, Backlog.GATHER_S)
        tasks.cancel_scope.cancel()
    assert await store.run(partial(records.find, record_id="a")) == record("a")


async def test_records_outlast_a_full_disk(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    await store.run(lambda db: db.execute("PRAGMA max_page_count = 1"))
    for number in range(1000):
        store.save_record(record(f"call-{number}"))
    assert not await store.backlog.drain()
    assert store.backlog.waiting == 1000, "what found no room waits"
    assert "error.disk_full" in caplog.text
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.backlog.run)
        await anyio.wait_all_tasks_blocked()
        await store.run(lambda db: db.execute("PRAGMA max_page_count = 100000"))
        await written(store, Backlog.RETRY_S)
        tasks.cancel_scope.cancel()
    assert len(await store.run(partial(records.page, limit=2000))) == 1000


async def test_the_later_write_of_a_key_counts(store: Store) -> None:
    for value in (b"1", b"2"):
        store.backlog.put("setting", "a", partial(settings.put, area="a", value=value))
    assert store.backlog.waiting == 1
    assert await store.backlog.drain()
    assert await store.run(lambda db: settings.load(db, "a")) == b"2"


async def test_a_defect_in_one_write_does_not_stop_the_others(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO settings (area, value) VALUES ('a', NULL)")

    store.backlog.put("setting", "a", wrong)
    store.save_record(record("b"))
    assert await store.backlog.drain()
    assert store.backlog.waiting == 0
    assert "setting a could not be stored" in caplog.text
    assert await store.run(partial(records.find, record_id="b")) is not None


async def test_a_name_that_is_no_utf8_loses_no_record(store: Store) -> None:
    name = b"J\xfcrgen".decode("utf-8", "surrogateescape")
    store.save_record(msgspec.structs.replace(record("a"), from_name=name))
    assert await store.backlog.drain()
    found = await store.run(partial(records.find, record_id="a"))
    assert found is not None
    assert found.from_name == "J\N{REPLACEMENT CHARACTER}rgen"


async def test_a_binding_that_cannot_be_stored_stops_nothing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    odd = row("101", b"<sip:\xff@192.0.2.9>".decode("utf-8", "surrogateescape"))
    store.save_bindings("101", [odd])
    store.save_record(record("a"))
    assert await store.backlog.drain()
    assert "bindings 101 could not be stored" in caplog.text
    assert await store.run(partial(records.find, record_id="a")) is not None


async def test_a_database_that_fails_otherwise_is_tried_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await store.run(lambda db: db.execute("ALTER TABLE records RENAME TO hidden"))
    store.save_record(record("a"))
    assert not await store.backlog.drain()
    assert "1 writes wait for the database" in caplog.text
    await store.run(lambda db: db.execute("ALTER TABLE hidden RENAME TO records"))
    assert await store.backlog.drain()


async def test_the_backlog_has_an_end_and_gives_up_the_oldest(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Backlog, "MAX_WAITING", 2)
    for name in "abc":
        store.save_record(record(name))
    assert store.backlog.waiting == 2
    assert "record a is lost" in caplog.text
    assert await store.backlog.drain()
    assert [each.id for each in await store.run(records.page)] == ["c", "b"]


async def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    store.save_record(record("a"))
    await store.close()
    again = await Store.open(tmp_path)
    assert await again.run(partial(records.find, record_id="a")) is not None
    await again.close()


async def test_what_ended_just_now_is_there_for_whoever_reads(store: Store) -> None:
    store.save_record(record("a"))
    await store.backlog.settle()
    assert await store.run(partial(records.find, record_id="a")) == record("a")


async def test_a_disk_that_refuses_is_not_asked_by_readers(store: Store) -> None:
    await store.run(lambda db: db.execute("PRAGMA max_page_count = 1"))
    for number in range(1000):
        store.save_record(record(f"call-{number}"))
    assert not await store.backlog.drain()
    await store.run(lambda db: db.execute("PRAGMA max_page_count = 100000"))
    await store.backlog.settle()
    assert store.backlog.waiting == 1000
    assert await store.backlog.drain()
    assert store.backlog.waiting == 0
