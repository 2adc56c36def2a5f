"""Settings of what callers hear from the exchange itself: music on hold, and tones."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from appliance.errors import ConfigError

__all__ = ["MAX_TITLE", "Music", "ToneRegion", "verify"]

ToneRegion = Literal["china", "europe", "north-america", "united-kingdom"]
MAX_TITLE = 100
# As `media/sounds` names them; a setting must not lead out of the folder.
FILE = re.compile(r"(hold-[0-9a-f]{16}\.wav)?")


class Music(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, with what a new box has."""

    file: str = ""
    "A file in DIR/prompts, as the exchange has made it; empty: the music that it brings along."
    title: str = ""
    "What the file was called where it came from."
    tones: ToneRegion = "europe"
    "ITU-T E.180 recommends the one frequency that most of Europe uses."


def verify(music: Music) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    if not FILE.fullmatch(music.file):
        raise ConfigError("music.file", "error.read_only")
    if len(music.title) > MAX_TITLE:
        raise ConfigError("music.title", "error.too_long", limit=MAX_TITLE)
