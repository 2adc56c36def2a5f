"""media/sounds.py: which music is in force, and what becomes of the owner's files."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import anyio
import pytest

from appliance.errors import ConfigError
from appliance.media.g711 import decode
from appliance.media.sounds import Sounds
from appliance.media.tone import sine, tone_share
from appliance.media.tones import silence, tone
from appliance.media.tune import make_tune
from appliance.media.wav import write_wav
from tests.conftest import REAL_SOCKETS

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from appliance.media.sound import Sound


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS  # threads take real time


def owner_file(folder: Path, hz: float = 700) -> Path:
    file = folder / "holiday.wav"
    with file.open("wb") as opened:
        write_wav(opened, sine(hz, 8000, peak=3000).tobytes())
    return file


def is_tone(sound: Sound, hz: float) -> bool:
    heard = [each for at in range(sound.frames) for each in decode(sound.frame(at, "PCMA"), "PCMA")]
    return tone_share(heard, hz) > 0.95


class Changes:
    """Waits for the next change."""

    def __init__(self) -> None:
        self.happened = anyio.Event()

    def note(self) -> None:
        self.happened.set()


async def settle(sounds: Sounds, changes: Changes) -> None:
    """Let it load what it was told to."""
    changes.happened = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sounds.run)
        with anyio.fail_after(20):
            await changes.happened.wait()
        tasks.cancel_scope.cancel()


def made(folder: Path) -> tuple[Sounds, Changes]:
    sounds, changes = Sounds(folder / "prompts"), Changes()
    sounds.on_change = changes.note
    return sounds, changes


async def test_the_built_in_music_follows_a_moment_of_silence(tmp_path: Path) -> None:
    sounds, changes = made(tmp_path)
    assert sounds.music is silence()
    sounds.want("", "china")
    await settle(sounds, changes)
    assert sounds.music is make_tune()
    assert sounds.problem is None
    assert sounds.tone("ring-back") is tone("ring-back", "china")


async def test_an_admitted_file_is_in_force_as_soon_as_it_is_wanted_and_after_a_restart(
    tmp_path: Path,
) -> None:
    sounds, _ = made(tmp_path)
    name = await sounds.admit(owner_file(tmp_path))
    assert sounds.music is silence()
    sounds.want(name, "europe")
    assert is_tone(sounds.music, 700)
    again, changes = made(tmp_path)
    again.want(name, "europe")
    await settle(again, changes)
    assert is_tone(again.music, 700)


async def test_a_file_that_has_gone_is_replaced_by_the_built_in_music_and_said_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds, changes = made(tmp_path)
    sounds.want("hold-0123456789abcdef.wav", "europe")
    await settle(sounds, changes)
    assert sounds.music is make_tune()
    assert sounds.problem is not None
    assert sounds.problem.key == "error.cannot_read"
    assert "built-in" in caplog.text
    sounds.want("", "europe")
    await settle(sounds, changes)
    assert sounds.problem is None


async def test_what_is_no_sound_leaves_nothing_behind(tmp_path: Path) -> None:
    sounds, _ = made(tmp_path)
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(ConfigError, match=r"error\.not_a_wav"):
        await sounds.admit(tmp_path / "text.wav")
    (tmp_path / "prompts").write_text("in the way")
    with pytest.raises(ConfigError, match=r"error\.cannot_write"):
        await sounds.admit(owner_file(tmp_path))


async def test_only_the_music_in_use_is_kept(tmp_path: Path) -> None:
    sounds, _ = made(tmp_path)
    first, second = [await sounds.admit(owner_file(tmp_path, hz)) for hz in (500, 600)]
    other = tmp_path / "prompts" / "greeting.wav"
    other.touch()
    await sounds.tidy(second)
    assert first != second
    assert {each.name for each in (tmp_path / "prompts").iterdir()} == {second, other.name}


async def test_what_is_heard_can_be_listened_to(tmp_path: Path) -> None:
    sounds, _ = made(tmp_path)
    sounds.want(await sounds.admit(owner_file(tmp_path)), "europe")
    await sounds.save(tmp_path / "heard.wav")
    with wave.open(str(tmp_path / "heard.wav")) as heard:
        assert (heard.getframerate(), heard.getnchannels(), heard.getnframes()) == (8000, 1, 8000)
    with pytest.raises(ConfigError, match=r"error\.cannot_write"):
        await sounds.save(tmp_path / "heard.wav")
