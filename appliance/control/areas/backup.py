"""Area `backup`: everything that the box keeps in one file, and back."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec

from appliance.control import archive
from appliance.control.area import Area, Request, Verb
from appliance.errors import ConfigError
from appliance.store.database import storage_errors
from appliance.store.folder import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.control.parts import Parts

__all__ = ["AREA"]


class File(msgspec.Struct, frozen=True):
    """A file on the box."""

    file: str
    "An absolute path."


class Saved(msgspec.Struct, frozen=True):
    """A backup was written."""

    file: str
    octets: int


class Restored(msgspec.Struct, frozen=True):
    """A backup is in force."""

    restart_needed: bool
    "Whether some of it (the certificates) is read at a start only."


async def save(parts: Parts, request: Request[File]) -> Saved:
    file = _path(request)
    with _scratch(parts) as place:
        await parts.store.database.copy_to(place / archive.DATABASE)
        octets = await anyio.to_thread.run_sync(archive.pack, place, parts.store.folder, file)
    return Saved(str(file), octets)


async def restore(parts: Parts, request: Request[File]) -> Restored:
    database = parts.store.database
    with _scratch(parts) as place:
        # Unpacked, checked and brought to this version's shape before anything of ours is touched.
        await anyio.to_thread.run_sync(archive.unpack, _path(request), place)
        # Before the settings that name it are in force; should they not come to be, it does no harm.
        await anyio.to_thread.run_sync(archive.put_prompts, place, parts.store.folder)
        before = place / "before.db"
        await database.copy_to(before)
        await database.replace_from(place / archive.DATABASE)
        try:
            await parts.config.reload()
            await parts.outside.reload()
        except Exception:
            await database.replace_from(before)
            await parts.config.reload()
            raise
        others = await anyio.to_thread.run_sync(archive.put_certificates, place, parts.store.folder)
    return Restored(restart_needed=others)


@contextmanager
def _scratch(parts: Parts) -> Iterator[Path]:
    with storage_errors(parts.store.database.path), scratch(parts.store.folder) as place:
        yield place


def _path(request: Request[File]) -> Path:
    path = Path(request.values.file)
    if not path.is_absolute():
        raise ConfigError("backup.file", "error.not_absolute")
    return path


AREA = Area(
    "backup",
    "Everything in one file, and back",
    (
        Verb("save", save, File, Saved, "Write a backup", local=True),
        Verb("restore", restore, File, Restored, "Put a backup in force", local=True, changes=True),
    ),
)
