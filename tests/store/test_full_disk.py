"""A disk that really is full: a small file system of its own, where the machine lets us mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from appliance.config.config import Config
from appliance.config.snapshot import Snapshot
from appliance.errors import ConfigError
from appliance.store import records
from appliance.store.store import Store
from tests.config.test_extension import extension
from tests.store.test_records import record


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a file system takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave not one octet free."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                os.fsync(file.fileno())
    return filler


async def test_nothing_is_lost_and_all_goes_on_once_there_is_room(small_disk: Path) -> None:
    store = await Store.open(small_disk)
    config = await Config.open(store)
    await config.change(lambda now: now.with_extension(extension("100")))
    filler = fill(small_disk)

    refusals = set()
    # The log file has some room left of its own; what fits into that is done, and what does not is refused.
    for number in range(1000, 1100):
        try:
            await config.change(partial(Snapshot.with_extension, extension=extension(str(number))))
        except ConfigError as refused:
            refusals.add(refused.key)
    assert refusals == {"error.disk_full"}
    store.save_record(record("a"))
    assert not await store.backlog.drain()
    kept = config.current

    filler.unlink()
    assert await store.backlog.drain()
    after = await config.change(lambda now: now.with_extension(extension("200")))
    assert after.extensions.keys() == kept.extensions.keys() | {"200"}
    await store.close()

    again = await Store.open(small_disk)
    assert (await Config.open(again)).current == after
    assert await again.run(partial(records.find, record_id="a")) == record("a")
    await again.close()


async def test_a_start_on_a_full_disk_knows_what_was_saved(small_disk: Path) -> None:
    store = await Store.open(small_disk)
    await (await Config.open(store)).change(lambda now: now.with_extension(extension("100")))
    await store.close()
    filler = fill(small_disk)

    store = await Store.open(small_disk)
    config = await Config.open(store)
    assert config.current.extensions.keys() == {"100"}
    filler.unlink()
    await config.change(lambda now: now.with_extension(extension("101")))
    await store.close()

    store = await Store.open(small_disk)
    assert (await Config.open(store)).current.extensions.keys() == {"100", "101"}
    await store.close()


async def test_a_first_start_on_a_full_disk_says_so(small_disk: Path) -> None:
    filler = fill(small_disk)
    with pytest.raises(ConfigError) as refused:
        await Store.open(small_disk)
    assert refused.value.key == "error.disk_full"
    filler.unlink()
    await (await Store.open(small_disk)).close()
