"""Secrets that outlive a restart."""

from __future__ import annotations

from functools import partial

from appliance.store import own_secrets
from appliance.store.store import Store


async def test_each_purpose_has_one_that_stays(store: Store) -> None:
    load = partial(own_secrets.load, octets=32)
    first = await store.run(partial(load, purpose="gruu"))
    assert len(first) == 32
    assert await store.run(partial(load, purpose="gruu")) == first
    assert await store.run(partial(load, purpose="other")) != first
