"""The boot partition: a FAT, whose every change is on the card before the next one is begun. All of it blocks.

FAT has no owners and no renaming that a power cut finds before or after; so nothing here relies on more than this: what was
synced is there, and what was not may be there in part.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from appliance.system.update import durable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MOST", "Card"]

MOST = 4 * 1024 * 1024
"Octets of a settings file: as many extensions as there may be, 10,000."


class Card:
    """One folder of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """A file's content; None when there is none. ConfigError when it is too large, OSError."""
        try:
            with (self._folder / name).open("rb") as file:
                content = file.read(MOST + 1)
        except FileNotFoundError:
            return None
        if len(content) > MOST:
            raise ConfigError(name, "error.line_too_long", limit=MOST)
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file anew. OSError."""
        with (self._folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        durable.sync(self._folder)

    def overwrite(self, name: str, at: int, content: bytes) -> None:
        """Write over a part of a file, in the same place of the card. OSError."""
        with (self._folder / name).open("r+b") as file:
            file.seek(at)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def remove(self, name: str) -> None:
        """Remove a file; none is no error. OSError."""
        durable.drop(self._folder / name)
