"""What the owner has had spoken: sounds with names, for services to play. In DIR/prompts, as telephones hear them."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import anyio
import anyio.to_thread

from appliance.errors import ConfigError
from appliance.media.g711 import RATE_HZ
from appliance.media.sound import SAMPLE_OCTETS, Sound
from appliance.media.wav import keep_wav, read_wav, save_wav

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_PROMPTS", "NAME", "Prompt", "Prompts"]

logger = logging.getLogger(__name__)

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
"It becomes a file's name, so it must lead nowhere else."
MAX_PROMPTS = 100
"One a menu and language is a few dozen; ten minutes each would be a gigabyte on the card."
MOST_REMEMBERED_SECONDS = 900.0
"Some 14 MB: thirty greetings of half a minute, or one of ten minutes and what is played beside it."
WAV_HEAD_OCTETS = 44


class Prompt(NamedTuple):
    """One that there is."""

    name: str
    seconds: float


class Prompts:
    """One a process. What blocks is done in threads."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there."""
        self._folder = folder
        self._remembered: OrderedDict[str, Sound] = OrderedDict()  # what was played last, the oldest first
        self._changes = 0
        self._taking = anyio.Lock()

    async def all(self) -> list[Prompt]:
        """Those that there are, by their names."""
        return await anyio.to_thread.run_sync(self._all)

    def exists(self, name: str) -> bool:
        """Whether there is one of that name. It looks on the disk: for a thread."""
        return NAME.fullmatch(name) is not None and self._file(name).is_file()

    async def take(self, name: str, source: Path) -> None:
        """Take a WAV file, in place of what had the name before.

        ConfigError for a name that cannot be one, for one prompt too many, and for a file that cannot be read, is no sound,
        or does not fit on the disk.
        """
        self._check(name)
        async with self._taking:  # one at a time, for the memory's sake
            there = await self.all()
            if len(there) >= MAX_PROMPTS and name not in {each.name for each in there}:
                raise ConfigError("prompts", "error.too_many", limit=MAX_PROMPTS)
            await anyio.to_thread.run_sync(self._take, name, source)
            self._forget(name)

    async def remove(self, name: str) -> None:
        """ConfigError when there is none of that name."""
        self._check(name)
        await anyio.to_thread.run_sync(self._remove, name)
        self._forget(name)

    async def save(self, name: str, target: Path) -> None:
        """Write it as a new WAV file. ConfigError when there is none of that name, or it cannot be written."""
        self._check(name)
        sound = await self.sound(name)
        if sound is None:
            raise ConfigError("prompts." + name, "error.not_found")
        await anyio.to_thread.run_sync(save_wav, target, sound.samples(), f"prompts.{name}")

    async def sound(self, name: str) -> Sound | None:
        """To be played; None, and a line in the log, when there is none, or it cannot be read any more."""
        if name in self._remembered:
            self._remembered.move_to_end(name)
            return self._remembered[name]
        changes = self._changes
        try:
            sound = await anyio.to_thread.run_sync(self._read, name)
        except ConfigError as error:
            logger.warning("the prompt %s cannot be played: %s", name, error)
            return None
        if changes == self._changes:  # otherwise it may be another one's by now
            self._remember(name, sound)
        return sound

    def _remember(self, name: str, sound: Sound) -> None:
        self._remembered[name] = sound
        while sum(each.seconds for each in self._remembered.values()) > MOST_REMEMBERED_SECONDS:
            self._remembered.popitem(last=False)

    def _forget(self, name: str) -> None:
        self._changes += 1
        self._remembered.pop(name, None)

    def _check(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise ConfigError("prompts", "error.bad_prompt_name", name=name[:64])

    def _file(self, name: str) -> Path:
        return self._folder / f"prompt-{name}.wav"

    # What threads do.

    def _all(self) -> list[Prompt]:
        files = sorted(self._folder.glob("prompt-*.wav"))
        return [
            Prompt(
                each.stem.removeprefix("prompt-"),
                round((each.stat().st_size - WAV_HEAD_OCTETS) / (SAMPLE_OCTETS * RATE_HZ), 2),
            )
            for each in files
        ]

    def _take(self, name: str, source: Path) -> None:
        path = f"prompts.{name}"
        keep_wav(self._file(name), read_wav(source, path), path)

    def _remove(self, name: str) -> None:
        try:
            self._file(name).unlink()
        except FileNotFoundError as error:
            raise ConfigError("prompts." + name, "error.not_found") from error

    def _read(self, name: str) -> Sound:
        return Sound(read_wav(self._file(name), f"prompts.{name}"))
