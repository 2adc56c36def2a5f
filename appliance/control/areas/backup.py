"""Area `backup`: everything that the box keeps in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec

from appliance.control import archive
from appliance.control.area import Area, Request, Verb
from appliance.errors import ConfigError

if TYPE_CHECKING:
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
    with archive.scratch(parts.store.folder) as scratch:
        await parts.store.database.copy_to(scratch / archive.DATABASE)
        octets = await anyio.to_thread.run_sync(archive.pack, scratch, parts.store.folder, file)
    return Saved(str(file), octets)


async def restore(parts: Parts, request: Request[File]) -> Restored:
    database = parts.store.database
    with archive.scratch(parts.store.folder) as scratch:
        # Unpacked, checked and brought to this version's shape before anything of ours is touched.
        certificates = await anyio.to_thread.run_sync(archive.unpack, _path(request), scratch)
        before = scratch / "before.db"
        await database.copy_to(before)
        await database.replace_from(scratch / archive.DATABASE)
        try:
            await parts.config.reload()
        except Exception:
            await database.replace_from(before)
            await parts.config.reload()
            raise
        if certificates:
            await anyio.to_thread.run_sync(archive.put_certificates, scratch, parts.store.folder)
    return Restored(restart_needed=certificates)


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
