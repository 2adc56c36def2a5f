"""Verify, commit, apply; and back when applying fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import msgspec
import pytest

from appliance.config.config import OWN_AREAS, Config
from appliance.config.snapshot import Snapshot
from appliance.config.system import System
from appliance.errors import ConfigError
from appliance.store import settings
from appliance.store.store import Store
from tests.config.test_extension import extension


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path)
    try:
        yield store
    finally:
        await store.close()


def add(number: str) -> Callable[[Snapshot], Snapshot]:
    return lambda now: now.with_extension(extension(number))


def zone(name: str) -> Callable[[Snapshot], Snapshot]:
    return lambda now: msgspec.structs.replace(
        now, system=msgspec.structs.replace(now.system, time_zone=name)
    )


async def test_a_new_box_has_nothing_set(store: Store) -> None:
    own = {each.name: each for each in OWN_AREAS}
    assert (await Config.open(store)).current == Snapshot(0, System(), {}, areas=own)


async def test_a_change_is_there_after_a_restart(store: Store) -> None:
    config = await Config.open(store)
    await config.change(add("101"))
    await config.change(zone("Asia/Shanghai"))
    await config.change(add("102"))
    after = await config.change(lambda now: now.without_extension("101"))
    assert after is config.current
    assert after.revision == 4
    assert list(after.extensions) == ["102"]
    assert (await Config.open(store)).current == after


async def test_a_change_of_nothing_is_none(store: Store) -> None:
    config = await Config.open(store)
    before = await config.change(add("101"))
    assert await config.change(add("101")) is before
    assert before.revision == 1


async def test_callbacks_hear_at_once_and_of_their_part_alone(store: Store) -> None:
    config = await Config.open(store)
    zones: list[str] = []
    numbers: list[list[str]] = []
    config.on_change(lambda now: now.system.time_zone, zones.append)
    config.on_change(lambda now: list(now.extensions), numbers.append)
    assert (zones, numbers) == (["UTC"], [[]])
    await config.change(add("101"))
    await config.change(zone("Asia/Shanghai"))
    assert (zones, numbers) == (["UTC", "Asia/Shanghai"], [[], ["101"]])


async def test_a_bad_value_changes_nothing(store: Store) -> None:
    config = await Config.open(store)
    heard: list[Snapshot] = []
    config.on_change(lambda now: now, heard.append)
    with pytest.raises(ConfigError):
        await config.change(add("1"))
    assert len(heard) == 1
    assert await store.run(settings.revision) == 0


async def test_a_part_may_refuse(store: Store) -> None:
    config = await Config.open(store)

    def verifier(old: Snapshot, new: Snapshot) -> None:
        if len(new.extensions) < len(old.extensions):
            raise ConfigError("extensions", "error.read_only")

    config.add_verifier(verifier)
    await config.change(add("101"))
    with pytest.raises(ConfigError) as refused:
        await config.change(lambda now: now.without_extension("101"))
    assert refused.value.key == "error.read_only"
    assert list(config.current.extensions) == ["101"]


async def test_a_change_that_fails_in_one_part_is_taken_back_everywhere(store: Store) -> None:
    config = await Config.open(store)
    await config.change(zone("Europe/Berlin"))
    before: list[str] = []
    after: list[str] = []

    def fails(name: str) -> None:
        if name == "Asia/Shanghai":
            raise OSError("no such device")

    config.on_change(lambda now: now.system.time_zone, before.append)
    config.on_change(lambda now: now.system.time_zone, fails)
    config.on_change(lambda now: now.system.time_zone, after.append)
    with pytest.raises(ConfigError) as refused:
        await config.change(zone("Asia/Shanghai"))
    assert (refused.value.key, refused.value.params) == ("error.not_applied", {"reason": "no such device"})
    assert before == ["Europe/Berlin", "Asia/Shanghai", "Europe/Berlin"]
    assert after == ["Europe/Berlin"], "nobody behind the one that failed has heard of it"
    assert config.current.system.time_zone == "Europe/Berlin"
    stored = (await Config.open(store)).current
    assert stored == config.current
    assert stored.revision == 3, "there and back"


async def test_a_callbacks_own_refusal_reaches_the_caller(store: Store) -> None:
    config = await Config.open(store)

    def refuse(numbers: list[str]) -> None:
        if numbers:
            raise ConfigError("extensions", "error.busy")

    config.on_change(lambda now: list(now.extensions), refuse)
    with pytest.raises(ConfigError) as refused:
        await config.change(add("101"))
    assert refused.value.key == "error.busy"
    assert not config.current.extensions


async def test_a_full_disk_changes_nothing(store: Store) -> None:
    config = await Config.open(store)
    await config.change(add("100"))
    await store.run(lambda db: db.execute("PRAGMA max_page_count = 1"))
    many = [extension(str(number), name="x" * 64) for number in range(1000, 1200)]
    with pytest.raises(ConfigError) as refused:
        await config.change(lambda now: now.with_extensions(many))
    assert refused.value.key == "error.disk_full"
    assert list(config.current.extensions) == ["100"]
    await store.run(lambda db: db.execute("PRAGMA max_page_count = 100000"))
    await config.change(lambda now: now.with_extensions(many))
    assert len((await Config.open(store)).current.extensions) == 201


async def test_a_disk_that_fills_up_midway_is_put_right_by_the_next_change(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed, not applicable, and then no room to take it back: what is in force is the old state."""
    config = await Config.open(store)
    trouble = ConfigError("", "error.disk_full")

    def fails(numbers: list[str]) -> None:
        if "101" in numbers:
            monkeypatch.setattr(store, "run", refuse)
            raise OSError("cannot")

    async def refuse(_: object) -> object:
        raise trouble

    config.on_change(lambda now: list(now.extensions), fails)
    with pytest.raises(ConfigError):
        await config.change(add("101"))
    monkeypatch.undo()
    assert not config.current.extensions
    await config.change(add("102"))
    assert list((await Config.open(store)).current.extensions) == ["102"]


async def test_changes_made_at_once_all_count(store: Store) -> None:
    config = await Config.open(store)
    async with anyio.create_task_group() as tasks:
        for number in range(100, 120):
            tasks.start_soon(config.change, add(str(number)))
    assert len(config.current.extensions) == 20
    assert (await Config.open(store)).current == config.current


async def test_a_caller_who_leaves_midway_leaves_no_half_change(store: Store) -> None:
    config = await Config.open(store)
    heard: list[list[str]] = []
    config.on_change(lambda now: list(now.extensions), heard.append)
    with anyio.CancelScope() as leaving:

        def edit(now: Snapshot) -> Snapshot:
            leaving.cancel()
            return now.with_extension(extension("101"))

        await config.change(edit)
    assert heard == [[], ["101"]]
    assert (await Config.open(store)).current == config.current
