"""What the exchange plays by itself: music on hold, the owner's or the built-in one, and the tones of the region.

The owner's music lives in DIR/prompts as telephones hear it: 8000 samples a second, 16 bits, mono.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from appliance.errors import ConfigError
from appliance.media.sound import Sound
from appliance.media.tones import silence, tone
from appliance.media.tune import make_tune
from appliance.media.wav import keep_wav, read_wav, save_wav

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from appliance.media.tones import Region, Tone

__all__ = ["Sounds"]

logger = logging.getLogger(__name__)

SETTING = "music.file"


class Sounds:
    """One a process. `run` loads what is wanted; everything else answers at once."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there."""
        self._folder = folder
        self.on_change: Callable[[], None] = lambda: None
        "Called once other music is in force."
        self._music = silence()
        self._wanted = ""
        self._in_force: str | None = None
        self._news = anyio.Event()
        self._region: Region = "europe"
        self._admitted: tuple[str, Sound] | None = None
        self._admitting = anyio.Lock()
        self.problem: ConfigError | None = None
        "Why the owner's music is not heard but the built-in one; None when all is well."

    @property
    def music(self) -> Sound:
        """What somebody on hold hears, to be looped: silence for the first second of the process."""
        return self._music

    def tone(self, kind: Tone) -> Sound:
        """A tone as it sounds in the region."""
        return tone(kind, self._region)

    def want(self, file: str, region: Region) -> None:
        """Follow the settings: the owner's file, by its name in the folder (empty: the built-in music), and the region."""
        self._region = region
        self._wanted = file
        if self._admitted is not None and self._admitted[0] == file:
            # Just read: a change is in force when it is acknowledged.
            self._use(*self._admitted, None)
            self._admitted = None
        self._news.set()

    async def run(self) -> None:
        """Load what is wanted, for ever."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            if self._wanted != self._in_force:
                await self._load(self._wanted)

    async def admit(self, source: Path) -> str:
        """Take a WAV file of the owner's into the folder, and give the name to `want` it by.

        ConfigError for a file that cannot be read, is no sound, or does not fit on the disk.
        """
        # One at a time: ten minutes of music are 20 MB in memory, and a second or more of work.
        async with self._admitting:
            name, sound = await anyio.to_thread.run_sync(self._take_in, source)
            self._admitted = name, sound
            return name

    async def tidy(self, keep: str) -> None:
        """Remove the owner's music but for the file `keep`."""
        await anyio.to_thread.run_sync(self._tidy, keep)

    async def save(self, target: Path) -> None:
        """Write what somebody on hold hears now as a new WAV file. ConfigError when it cannot be written."""
        await anyio.to_thread.run_sync(save_wav, target, self._music.samples(), SETTING)

    def _use(self, file: str, sound: Sound, problem: ConfigError | None) -> None:
        self._music, self._in_force, self.problem = sound, file, problem
        self.on_change()

    async def _load(self, file: str) -> None:
        problem: ConfigError | None = None
        sound: Sound | None = None
        if file:
            try:
                sound = await anyio.to_thread.run_sync(self._read, file)
            except ConfigError as error:
                # A backup has the settings and not the music; and a card may lose a file.
                logger.warning("the music on hold is the built-in one: %s", error)
                problem = error
        if sound is None:
            sound = await anyio.to_thread.run_sync(make_tune)
        if file == self._wanted:
            self._use(file, sound, problem)

    # What threads do.

    def _read(self, file: str) -> Sound:
        return Sound(read_wav(self._folder / file, SETTING))

    def _take_in(self, source: Path) -> tuple[str, Sound]:
        samples = read_wav(source, SETTING)
        name = f"hold-{hashlib.sha256(samples).hexdigest()[:16]}.wav"
        keep_wav(self._folder / name, samples, SETTING)
        return name, Sound(samples)

    def _tidy(self, keep: str) -> None:
        for pattern in ("hold-*.wav", ".hold-*.part"):
            for file in self._folder.glob(pattern):
                if file.name != keep:
                    file.unlink(missing_ok=True)
