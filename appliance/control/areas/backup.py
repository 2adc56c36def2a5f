"""Area `backup`: everything that the box keeps in one file, and back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from appliance.backup.contents import Changed
from appliance.control.area import Area, Nothing, Request, Verb
from appliance.control.parts import moment
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.backup.contents import Contents
    from appliance.backup.making import Made
    from appliance.control.parts import Parts

__all__ = ["AREA"]


class Save(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that is wanted."""

    file: str = ""
    "An absolute path on the box."
    to_stick: bool = False
    "In place of a file: onto the USB stick that is meant for backups, under a name with the moment in it."
    passphrase: str = ""
    "8 to 256 characters to seal it with; empty: whoever has the file can read it."
    voicemail: bool = True
    recordings: bool = False


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file on the box."""

    file: str
    "An absolute path."
    passphrase: str = ""
    "What it was sealed with."


class Restore(msgspec.Struct, frozen=True, kw_only=True):
    """A backup to put in force: a file, or what `look` has unpacked."""

    file: str = ""
    "An absolute path."
    passphrase: str = ""
    token: str = ""
    "From `look`, in place of both."


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A backup was written, read back and restored for a trial."""

    file: str
    octets: int
    sealed: bool
    holds: dict[str, int]
    "How many extensions, records, items of each area and files of each folder."
    unreadable: list[str]
    "Certificates and keys that no server could use; so they are on the box."


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds, and what would come of it."""

    token: str
    "What to restore it by, for 15 minutes."
    made_at: datetime | None
    version: str
    "Of the exchange that made it; empty when it does not say."
    host_name: str
    sealed: bool
    holds: dict[str, int]
    changes: list[Changed]
    "By area; those that would stay as they are do not appear."


class Restored(msgspec.Struct, frozen=True):
    """A backup is in force."""

    restart_needed: bool
    "Whether some of it (the certificates) is read at a start only."


class KeptView(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made by the schedule."""

    file: str
    octets: int
    modified_at: datetime | None


async def save(parts: Parts, request: Request[Save]) -> Saved:
    wanted = request.values
    sounds = [name for name in ("voicemail", "recordings") if getattr(wanted, name)]
    if wanted.to_stick:
        made = await parts.schedule.save_to_stick(wanted.passphrase, tuple(sounds))
    else:
        made = await parts.backups.save(_path(wanted.file), wanted.passphrase, tuple(sounds))
    return saved(made, sealed=bool(wanted.passphrase))


async def look(parts: Parts, request: Request[File]) -> Looked:
    seen = await parts.backups.look(_path(request.values.file), request.values.passphrase)
    contents: Contents = seen.contents
    return Looked(
        token=seen.token,
        made_at=moment(contents.made_at),
        version=contents.version,
        host_name=contents.host_name,
        sealed=seen.sealed,
        holds=contents.holds,
        changes=seen.changes,
    )


async def restore(parts: Parts, request: Request[Restore]) -> Restored:
    wanted = request.values
    token = wanted.token
    if not token:
        token = (await parts.backups.look(_path(wanted.file), wanted.passphrase)).token
    return Restored(restart_needed=await parts.backups.restore(token))


async def list_(parts: Parts, _: Request[Nothing]) -> list[KeptView]:
    return [
        KeptView(file=each.file, octets=each.octets, modified_at=moment(each.modified_at))
        for each in await parts.schedule.kept()
    ]


async def run(parts: Parts, _: Request[Nothing]) -> Saved:
    sealed = bool(parts.schedule.schedule.passphrase)
    return saved(await parts.schedule.make(), sealed=sealed)


def saved(made: Made, *, sealed: bool) -> Saved:
    """As it is told."""
    return Saved(
        file=str(made.file),
        octets=made.octets,
        sealed=sealed,
        holds=made.contents.holds,
        unreadable=[*made.unreadable],
    )


def _path(file: str) -> Path:
    path = Path(file)
    if not path.is_absolute():
        raise ConfigError("backup.file", "error.not_absolute")
    return path


AREA = Area(
    "backup",
    "Everything in one file, and back",
    (
        Verb(
            "save", save, Save, Saved, "Write a backup, and prove it by restoring it for a trial", local=True
        ),
        Verb("look", look, File, Looked, "What a backup holds, and what it would change", local=True),
        Verb("list", list_, Nothing, list[KeptView], "Those that the schedule made and that are there"),
        Verb("run", run, Nothing, Saved, "Make one now as the schedule wants it", local=True, changes=True),
        Verb("restore", restore, Restore, Restored, "Put a backup in force", local=True, changes=True),
    ),
)
