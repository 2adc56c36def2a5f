"""media/prompts.py: what is kept in memory. What people do with prompts: tests/control/areas/test_prompts.py."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from appliance.media.prompts import MOST_REMEMBERED_SECONDS, Prompts
from appliance.media.sound import Sound
from appliance.media.wav import MAX_SECONDS, write_wav
from tests.conftest import REAL_SOCKETS

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS  # threads take real time


def wav(folder: Path, level: int = 1) -> Path:
    file = folder / f"{level}.wav"
    with file.open("wb") as opened:
        write_wav(opened, bytes([0, level]) * 800)
    return file


class Long(Sound):
    """Ten minutes that take no time to make."""

    @property
    def seconds(self) -> float:
        return float(MAX_SECONDS)


async def test_memory_holds_so_many_seconds_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = Prompts(tmp_path / "prompts")
    for name in "abc":
        await prompts.take(name, wav(tmp_path))
    monkeypatch.setattr("appliance.media.prompts.Sound", Long)
    first = await prompts.sound("a")
    assert await prompts.sound("a") is first
    for name in "bc":
        assert await prompts.sound(name) is not None
        remembered = prompts._remembered
        assert sum(each.seconds for each in remembered.values()) <= MOST_REMEMBERED_SECONDS
        assert list(remembered) == [name]
    assert await prompts.sound("a") is not first


async def test_one_that_is_replaced_while_it_is_read(tmp_path: Path) -> None:
    """Whoever is being served hears the old one to its end; nobody after them does."""
    prompts = Prompts(tmp_path / "prompts")
    await prompts.take("a", wav(tmp_path, 1))
    reads, replaced, read = threading.Event(), threading.Event(), prompts._read

    def slowly(name: str) -> Sound:
        sound = read(name)
        reads.set()
        assert replaced.wait(10)
        return sound

    prompts._read = slowly  # type: ignore[method-assign]  # a card that is slow
    heard: list[Sound | None] = []

    async def hear() -> None:
        heard.append(await prompts.sound("a"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear)
        assert await anyio.to_thread.run_sync(partial(reads.wait, 10))
        await prompts.take("a", wav(tmp_path, 2))
        replaced.set()
    after = await prompts.sound("a")
    assert heard[0] is not None
    assert after is not None
    assert heard[0].samples() != after.samples()
