"""Table `items`."""

from __future__ import annotations

from pathlib import Path

from appliance.store import items
from appliance.store.store import Store


async def test_items_are_kept_by_area_and_key(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.run(lambda db: items.put(db, "lines", "b", b'{"name":"b"}'))
    await store.run(lambda db: items.put(db, "lines", "a", '{"name":"甲"}'.encode()))
    await store.run(lambda db: items.put(db, "trunks", "a", b"1"))
    await store.run(lambda db: items.put(db, "lines", "b", b"2"))
    assert await store.run(lambda db: items.load(db, "lines")) == [
        ("a", '{"name":"甲"}'.encode()),
        ("b", b"2"),
    ]
    await store.run(lambda db: items.remove(db, "lines", "a"))
    await store.run(lambda db: items.remove(db, "lines", "nothing"))
    assert [key for key, _ in await store.run(lambda db: items.load(db, "lines"))] == ["b"]
    assert await store.run(lambda db: items.load(db, "trunks")) == [("a", b"1")]
    await store.close()
