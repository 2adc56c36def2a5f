"""Table `lessons`."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from appliance.store import lessons
from appliance.store.lessons import LessonRow
from appliance.store.store import Store


def row(way: str, feature: str = "100rel", at: float = 1.5, *, pinned: bool = False) -> LessonRow:
    return LessonRow(way, feature, feature == "user-phone", "405 to PRACK", at, pinned)


async def test_a_line_has_those_that_were_stored_last(store: Store) -> None:
    a, b = [row("line:a"), row("line:a", "user-phone", 1.0, pinned=True)], [row("trunk:b")]
    await store.run(partial(lessons.replace, way="line:a", rows=[row("line:a", "timer")]))
    await store.run(partial(lessons.replace, way="line:a", rows=a))
    await store.run(partial(lessons.replace, way="trunk:b", rows=b))
    assert await store.run(lessons.load) == [a[1], a[0], b[0]]
    await store.run(partial(lessons.replace, way="line:a", rows=[]))
    await store.run(partial(lessons.replace, way="line:none", rows=[]))
    assert await store.run(lessons.load) == b


async def test_what_is_stored_soon_is_there_after_the_next_start(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    store.save_lessons("line:a", (row("line:a"),))
    store.save_lessons("line:a", (row("line:a", "timer"),))
    await store.close()
    store = await Store.open(tmp_path)
    assert await store.run(lessons.load) == [row("line:a", "timer")]
    await store.close()


async def test_a_flag_is_one(store: Store) -> None:
    bad = row("line:a")._replace(pinned=2)  # type: ignore[arg-type]  # what no code of ours stores
    with pytest.raises(sqlite3.IntegrityError):
        await store.run(partial(lessons.replace, way="line:a", rows=[bad]))
