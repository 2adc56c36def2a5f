"""Area `music`: the owner's music in force and kept, and refused before anything changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from appliance.config.config import Config
from appliance.config.music import Music
from appliance.errors import ConfigError
from appliance.media.tone import sine
from appliance.media.wav import write_wav
from tests.control.fakes import Bench

if TYPE_CHECKING:
    from pathlib import Path


def wav(folder: Path, name: str = "holiday.wav", hz: float = 600) -> str:
    with (folder / name).open("wb") as file:
        write_wav(file, sine(hz, 16_000, peak=3000).tobytes())
    return str(folder / name)


def prompts(bench: Bench) -> list[str]:
    return sorted(each.name for each in (bench.store.folder / "prompts").glob("*"))


async def test_a_file_is_taken_shown_heard_and_removed(bench: Bench, tmp_path: Path) -> None:
    assert (await bench("music", "show"))["title"] == ""
    shown = await bench("music", "set", file=wav(tmp_path))
    assert shown == {"title": "holiday.wav", "seconds": 2.0, "tones": "europe", "problem": ""}
    assert await bench("music", "show") == shown
    assert prompts(bench) == [bench.config.current.music.file]
    await bench("music", "save", file=str(tmp_path / "heard.wav"))
    assert (tmp_path / "heard.wav").stat().st_size == 44 + 32_000
    assert await bench("music", "remove") == {"done": True}
    assert bench.config.current.music == Music()
    assert prompts(bench) == []


async def test_it_is_on_the_disk(bench: Bench, tmp_path: Path) -> None:
    await bench("music", "set", file=wav(tmp_path), title="Summer\u202e\n", tones="china")
    stored = (await Config.open(bench.store)).current.music
    assert stored == bench.config.current.music
    assert (stored.title, stored.tones) == ("Summer", "china")


async def test_the_old_music_goes_when_the_new_one_is_in_force(bench: Bench, tmp_path: Path) -> None:
    await bench("music", "set", file=wav(tmp_path))
    await bench("music", "set", file=wav(tmp_path, hz=700))
    assert prompts(bench) == [bench.config.current.music.file]


async def test_what_is_no_music_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    await bench("music", "set", file=wav(tmp_path))
    before, music = bench.config.current, bench.sounds.music
    (tmp_path / "song.mp3").write_bytes(b"ID3\x04 and so on")
    with pytest.raises(ConfigError, match=r"music\.file: error\.not_a_wav"):
        await bench("music", "set", file=str(tmp_path / "song.mp3"))
    with pytest.raises(ConfigError, match=r"music\.file: error\.cannot_read"):
        await bench("music", "set", file=str(tmp_path / "nothing.wav"))
    with pytest.raises(ConfigError, match=r"error\.not_absolute"):
        await bench("music", "set", file="holiday.wav")
    assert bench.config.current is before
    assert bench.sounds.music is music


async def test_a_change_that_is_refused_leaves_the_old_music(bench: Bench, tmp_path: Path) -> None:
    await bench("music", "set", file=wav(tmp_path))
    kept = prompts(bench)

    def refuse(*_: object) -> None:
        raise ConfigError("music", "error.busy")

    bench.config.add_verifier(refuse)
    with pytest.raises(ConfigError, match=r"error\.busy"):
        await bench("music", "set", file=wav(tmp_path, hz=700))
    assert prompts(bench) == kept


async def test_only_the_box_itself_may_name_a_file(bench: Bench, tmp_path: Path) -> None:
    for actor in ("web:admin", "api:1"):
        with pytest.raises(ConfigError, match=r"error\.only_on_the_box"):
            await bench("music", "set", file=wav(tmp_path), actor=actor)
        with pytest.raises(ConfigError, match=r"error\.only_on_the_box"):
            await bench("music", "save", file=str(tmp_path / "heard.wav"), actor=actor)
    assert (await bench("music", "set", tones="united-kingdom", actor="api:1"))["tones"] == "united-kingdom"
    with pytest.raises(ConfigError, match=r"error\.read_only"):
        await bench("music", "set", title="Another", actor="api:1")
