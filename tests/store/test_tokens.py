"""Table `tokens`."""

from __future__ import annotations

import pytest

from appliance.store import tokens
from appliance.store.store import Store


async def test_a_token_is_known_until_it_is_removed(store: Store) -> None:
    made = await store.run(lambda db: tokens.add(db, "wallboard"))
    assert made is not None
    row, token = made
    assert len(token) >= 43, "32 random octets"
    assert await store.run(lambda db: tokens.find(db, token)) == row
    assert await store.run(lambda db: tokens.find(db, token + "x")) is None
    assert await store.run(tokens.load) == [row]
    assert await store.run(lambda db: tokens.remove(db, row.id))
    assert not await store.run(lambda db: tokens.remove(db, row.id))
    assert await store.run(lambda db: tokens.find(db, token)) is None


async def test_the_file_does_not_hold_the_token(store: Store) -> None:
    made = await store.run(lambda db: tokens.add(db, "wallboard"))
    assert made is not None
    held = b"".join(each.read_bytes() for each in store.folder.glob("branchbox.db*"))
    assert b"wallboard" in held
    assert made[1].encode() not in held


async def test_there_is_an_end_to_tokens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    assert await store.run(lambda db: tokens.add(db, "one")) is not None
    assert await store.run(lambda db: tokens.add(db, "two")) is None
