"""Table `settings`."""

from __future__ import annotations

from functools import partial

from appliance.store import settings
from appliance.store.store import Store


async def test_an_area_is_stored_and_replaced(store: Store) -> None:
    assert await store.run(lambda db: settings.load(db, "system")) is None
    for value in (b'{"a": 1}', '{"a": "二"}'.encode()):
        await store.run(partial(settings.put, area="system", value=value))
        assert await store.run(lambda db: settings.load(db, "system")) == value


async def test_the_revision_starts_at_nothing(store: Store) -> None:
    assert await store.run(settings.revision) == 0
    await store.run(lambda db: settings.put_revision(db, 7))
    assert await store.run(settings.revision) == 7
