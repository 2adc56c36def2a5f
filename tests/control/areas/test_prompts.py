"""Area `prompts`: taken, shown, saved, refused, and not removed from under an attendant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from appliance.errors import ConfigError
from appliance.media.prompts import MAX_PROMPTS
from tests.control.areas.test_music import wav
from tests.control.fakes import Bench

if TYPE_CHECKING:
    from pathlib import Path


async def test_one_is_taken_played_and_removed(bench: Bench, tmp_path: Path) -> None:
    assert await bench("prompts", "list") == []
    await bench("prompts", "set", "welcome", file=wav(tmp_path))
    await bench("attendants", "add", name="500", greeting="welcome")
    assert await bench("prompts", "list") == [{"name": "welcome", "seconds": 2.0, "used_by": ["500"]}]
    with pytest.raises(ConfigError, match=r"prompts\.welcome: error\.prompt_in_use"):
        await bench("prompts", "remove", "welcome")
    await bench("prompts", "save", "welcome", file=str(tmp_path / "heard.wav"))
    assert (tmp_path / "heard.wav").stat().st_size == 44 + 32_000
    await bench("attendants", "remove", "500")
    await bench("prompts", "remove", "welcome")
    assert await bench("prompts", "list") == []
    assert await bench.parts.prompts.sound("welcome") is None


async def test_one_of_the_same_name_takes_its_place(bench: Bench, tmp_path: Path) -> None:
    await bench("prompts", "set", "welcome", file=wav(tmp_path))
    first = await bench.parts.prompts.sound("welcome")
    await bench("prompts", "set", "welcome", file=wav(tmp_path, hz=900))
    second = await bench.parts.prompts.sound("welcome")
    assert first is not None
    assert second is not None
    assert first.samples() != second.samples()


@pytest.mark.parametrize("name", ["", "..", "a/b", "Welcome", "a" * 33, "-a", "a.b", "a\n"])
async def test_names_that_lead_elsewhere(bench: Bench, tmp_path: Path, name: str) -> None:
    for verb, values in (("set", {"file": wav(tmp_path)}), ("remove", {})):
        with pytest.raises(ConfigError, match=r"error\.(bad_prompt_name|key_missing)"):
            await bench("prompts", verb, name, **values)
    assert not (bench.store.folder / "prompts").exists()


async def test_files_that_are_none(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(b"ID3\x04 and so on")
    refusals = [("song.mp3", "not_a_wav"), ("nothing", "cannot_read")]
    for file, key in refusals:
        with pytest.raises(ConfigError, match=rf"prompts\.a: error\.{key}"):
            await bench("prompts", "set", "a", file=str(tmp_path / file))
    with pytest.raises(ConfigError, match=r"prompts\.a\.file: error\.not_absolute"):
        await bench("prompts", "set", "a", file="song.mp3")
    with pytest.raises(ConfigError, match=r"prompts\.a\.file: error\.only_on_the_box"):
        await bench("prompts", "set", "a", actor="api:1234", file=wav(tmp_path))
    for verb, values in (("remove", {}), ("save", {"file": str(tmp_path / "out.wav")})):
        with pytest.raises(ConfigError, match=r"prompts\.a: error\.not_found"):
            await bench("prompts", verb, "a", **values)
    assert await bench("prompts", "list") == []


async def test_one_too_many(bench: Bench, tmp_path: Path) -> None:
    folder = bench.store.folder / "prompts"
    folder.mkdir()
    for at in range(MAX_PROMPTS):
        (folder / f"prompt-{at}.wav").write_bytes(bytes(44))
    with pytest.raises(ConfigError, match=r"prompts: error\.too_many"):
        await bench("prompts", "set", "one-more", file=wav(tmp_path))
    await bench("prompts", "set", "0", file=wav(tmp_path))
