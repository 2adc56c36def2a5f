"""Area `prompts`: what the owner has had spoken, such as the greetings of attendants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from appliance.control.area import Area, Done, Key, Nothing, Request, Verb
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA"]


class PromptView(msgspec.Struct, frozen=True, kw_only=True):
    """One that there is."""

    name: str
    seconds: float
    used_by: list[str]
    "The numbers of the attendants that play it."


class File(msgspec.Struct, frozen=True):
    """A file on the box."""

    file: str
    "An absolute path; what is taken is a WAV file, which is converted."


async def list_(parts: Parts, _: Request[Nothing]) -> list[PromptView]:
    return [
        PromptView(name=each.name, seconds=each.seconds, used_by=_users(parts, each.name))
        for each in await parts.prompts.all()
    ]


async def set_(parts: Parts, request: Request[File]) -> Done:
    if not request.is_local:
        raise ConfigError(request.path + ".file", "error.only_on_the_box")
    await parts.prompts.take(request.key, _path(request))
    return Done()


async def remove(parts: Parts, request: Request[Nothing]) -> Done:
    users = _users(parts, request.key)
    if users:
        raise ConfigError(request.path, "error.prompt_in_use", number=users[0])
    await parts.prompts.remove(request.key)
    return Done()


async def save(parts: Parts, request: Request[File]) -> Done:
    await parts.prompts.save(request.key, _path(request))
    return Done()


def _users(parts: Parts, name: str) -> list[str]:
    attendants = parts.config.current.items("attendants").values()
    return sorted(each.name for each in attendants if each.greeting == name)


def _path(request: Request[File]) -> Path:
    path = Path(request.values.file)
    if not path.is_absolute():
        raise ConfigError(request.path + ".file", "error.not_absolute")
    return path


AREA = Area(
    "prompts",
    "What the owner has had spoken: the greetings of attendants",
    (
        Verb("list", list_, Nothing, list[PromptView], "All prompts, and who plays them"),
        Verb(
            "set",
            set_,
            File,
            Done,
            "Take a WAV file under this name, in place of the old one",
            Key.NEEDED,
            changes=True,
        ),
        Verb("remove", remove, Nothing, Done, "Remove one that no attendant plays", Key.NEEDED, changes=True),
        Verb("save", save, File, Done, "Write one to a WAV file", Key.NEEDED, local=True),
    ),
)
