"""Area `music`: what people on hold hear, and the tones of the region."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from appliance.config.music import MAX_TITLE, ToneRegion
from appliance.control.area import Area, Done, Nothing, Request, Verb
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot
    from appliance.control.parts import Parts

__all__ = ["AREA"]


class MusicView(msgspec.Struct, frozen=True, kw_only=True):
    """What is heard."""

    title: str
    "What the owner's file was called; empty: the music that the exchange brings along."
    seconds: float
    "Until it begins again."
    tones: ToneRegion
    problem: str
    "The locale key of the reason why the built-in music is heard in place of the owner's; empty when all is well."


class MusicChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays as it is."""

    file: str | UnsetType = UNSET
    "The absolute path of a WAV file on the box, which is read, converted and kept. Only on the box itself."
    title: str | UnsetType = UNSET
    "What to call it; without one, by its name."
    tones: ToneRegion | UnsetType = UNSET


class File(msgspec.Struct, frozen=True):
    """A file on the box."""

    file: str
    "An absolute path."


async def show(parts: Parts, _: Request[Nothing]) -> MusicView:
    music, sounds = parts.config.current.music, parts.sounds
    problem = sounds.problem.key if sounds.problem else ""
    return MusicView(
        title=music.title, seconds=round(sounds.music.seconds, 2), tones=music.tones, problem=problem
    )


async def set_(parts: Parts, request: Request[MusicChange]) -> MusicView:
    values = request.values
    if values.file is UNSET:
        if values.title is not UNSET:
            raise ConfigError("music.title", "error.read_only")
    elif not request.is_local:
        raise ConfigError("music.file", "error.only_on_the_box")
    if values.file is not UNSET:
        await _take(parts, values.file, values.title)
    if values.tones is not UNSET:
        await _change(parts, tones=values.tones)
    return await show(parts, Request(request.path, "", Nothing(), request.actor))


async def remove(parts: Parts, _: Request[Nothing]) -> Done:
    await _change(parts, file="", title="")
    await parts.sounds.tidy("")
    return Done()


async def save(parts: Parts, request: Request[File]) -> Done:
    await parts.sounds.save(_path(request.values.file))
    return Done()


async def _take(parts: Parts, file: str, title: str | UnsetType) -> None:
    source = _path(file)
    name = await parts.sounds.admit(source)
    try:
        await _change(parts, file=name, title=_readable(source.name if title is UNSET else title))
    finally:
        # The old music goes if the change was made, and the new if it was not.
        await parts.sounds.tidy(parts.config.current.music.file)


async def _change(parts: Parts, **values: object) -> None:
    def edit(now: Snapshot) -> Snapshot:
        return msgspec.structs.replace(now, music=msgspec.structs.replace(now.music, **values))

    await parts.config.change(edit)


def _path(file: str) -> Path:
    path = Path(file)
    if not path.is_absolute():
        raise ConfigError("music.file", "error.not_absolute")
    return path


def _readable(title: str) -> str:
    """A file's name as it can be shown: browsers send any."""
    return "".join(each if each.isprintable() else " " for each in title).strip()[:MAX_TITLE]


AREA = Area(
    "music",
    "What people on hold hear, and the tones of the region",
    (
        Verb("show", show, Nothing, MusicView, "What is heard"),
        Verb("set", set_, MusicChange, MusicView, "Take a WAV file as music, or other tones", changes=True),
        Verb("remove", remove, Nothing, Done, "Go back to the built-in music", changes=True),
        Verb("save", save, File, Done, "Write what is heard to a WAV file", local=True),
    ),
)
