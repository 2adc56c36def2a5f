"""What lies on the USB sticks that are plugged in: updates and backups. A stick is a stranger's: nothing on it is believed.

Blocks. Only plain files are seen, of names that can be shown; no link is followed, and nothing is read but names and sizes.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from appliance.backup.stick import NAME, sticks
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["BUNDLE_LIMIT", "OnStick", "copy_bundle", "listed"]

Kind = Literal["update", "backup"]
ENDINGS: dict[str, Kind] = {".bundle": "update", ".sealed": "backup", ".tar.gz": "backup"}
MOST_LOOKED_AT = 2000
"Files of a folder: a stick with more has photos on it."
MOST_SHOWN = 50
BUNDLE_LIMIT = 1_000_000_000
"Octets of an update: six times the image that there is."
SPARE_OCTETS = 64_000_000
"Left free beside it: what is not checked yet must not fill the place of voice mail and records."
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OnStick:
    """A file that may be of use."""

    file: Path
    kind: Kind
    octets: int
    modified_at: float
    "Seconds since 1970, by the clock of whoever wrote it."


def listed(places: Callable[[], Iterable[Path]] | None = None) -> list[OnStick]:
    """Updates and backups, the newest first. `places` gives where sticks are mounted."""
    found = [
        each
        for place in (places or sticks)()
        for folder in (place, place / NAME)
        for each in _files_in(folder)
    ]
    return sorted(found, key=lambda each: each.modified_at, reverse=True)[:MOST_SHOWN]


def copy_bundle(file: Path, to: Path, places: Callable[[], Iterable[Path]] | None = None) -> None:
    """Copy an update that `listed` has shown onto the box. ConfigError: it is not there, or too large. OSError."""
    if not any(each.file == file and each.kind == "update" for each in listed(places)):
        raise ConfigError("stick", "error.not_found")
    # Between the look and this, somebody may have put a link or a pipe in its place.
    source = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(source, "rb") as bundle:
        if not stat.S_ISREG(os.fstat(source).st_mode):
            raise ConfigError("stick", "error.not_found")
        space = os.statvfs(to.parent)
        room = min(BUNDLE_LIMIT, space.f_bavail * space.f_frsize - SPARE_OCTETS)
        try:
            with to.open("wb") as copy:
                while piece := bundle.read(PIECE):
                    room -= len(piece)
                    if room < 0:
                        raise ConfigError("stick", "update.no_room_here", limit=BUNDLE_LIMIT // 1_000_000)
                    copy.write(piece)
        except BaseException:
            to.unlink(missing_ok=True)
            raise


def _files_in(folder: Path) -> Iterator[OnStick]:
    try:
        if folder.is_symlink():
            return
        with os.scandir(folder) as entries:
            looked_at = [*islice(entries, MOST_LOOKED_AT)]
    except OSError:
        return  # no such folder, or the stick was pulled out
    for entry in looked_at:
        kind = next((kind for ending, kind in ENDINGS.items() if entry.name.endswith(ending)), None)
        if kind is None or not entry.name.isprintable():
            continue
        try:
            about = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISREG(about.st_mode):
            yield OnStick(Path(entry.path), kind, about.st_size, about.st_mtime)
