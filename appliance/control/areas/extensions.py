"""Area `extensions`: who can be called here, and by which password they register."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from appliance.config.extension import RING_SECONDS_DEFAULT, Extension, check_number, check_password
from appliance.control.area import Area, Done, Key, Nothing, Request, Verb, not_found
from appliance.control.parts import readable
from appliance.errors import ConfigError
from appliance.sip.message.digest import ha1

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot
    from appliance.control.parts import Parts

__all__ = ["AREA", "ExtensionChange", "NewExtension", "built", "changed"]

# Enough for a phone system's rounds; more in one go is a typing error.
MAX_MANY = 500
# Easy to type on a telephone's keypad, and 31^12 to guess.
PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
PASSWORD_LENGTH = 12


class ExtensionView(msgspec.Struct, frozen=True, kw_only=True):
    """An extension as it is shown: settings and live state, never its password."""

    number: str
    name: str
    enabled: bool
    ring_seconds: int
    level: int
    state: str
    "`offline`, `idle`, `ringing` or `busy`."
    contacts: list[str]


class NewExtension(msgspec.Struct, frozen=True, kw_only=True):
    """A new extension."""

    number: str
    "2 to 15 digits."
    password: str
    "4 to 64 characters, not the number. It is kept as digests only."
    name: str = ""
    enabled: bool = True
    ring_seconds: int = RING_SECONDS_DEFAULT
    "5 to 300."
    level: int = 0
    "Its right, 0 to 9: which routes it may use."


class ExtensionChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays as it is."""

    number: str | UnsetType = UNSET
    "Read only: accepted when it is the extension's own."
    password: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    ring_seconds: int | UnsetType = UNSET
    level: int | UnsetType = UNSET


class Many(msgspec.Struct, frozen=True, kw_only=True):
    """Several extensions with numbers in a row."""

    first: str
    "The first number; leading zeros stay."
    count: int
    name: str = ""
    "The number is put behind it."


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One of many new extensions. The password is shown this once."""

    number: str
    name: str
    password: str


def built(realm: str, new: NewExtension) -> Extension:
    """The extension to store. ConfigError when the number or the password cannot be."""
    path = f"extensions.{new.number[:64]}"
    check_number(path + ".number", new.number)
    check_password(path + ".password", new.number, new.password)
    return Extension(
        number=new.number,
        name=new.name,
        **_secrets(realm, new.number, new.password),
        enabled=new.enabled,
        ring_seconds=new.ring_seconds,
        level=new.level,
    )


def changed(realm: str, old: Extension, change: ExtensionChange) -> Extension:
    """The extension with the change in it. ConfigError as above."""
    given = {
        name: value
        for name in ("name", "enabled", "ring_seconds", "level")
        if (value := getattr(change, name)) is not UNSET
    }
    if change.number not in (UNSET, old.number):
        raise ConfigError("extensions." + old.number + ".number", "error.read_only")
    if change.password is not UNSET:
        path = f"extensions.{old.number}.password"
        check_password(path, old.number, change.password)
        given |= _secrets(realm, old.number, change.password)
    return msgspec.structs.replace(old, **given)


def _secrets(realm: str, number: str, password: str) -> dict[str, str]:
    return {
        "ha1_md5": ha1("MD5", number, realm, password),
        "ha1_sha256": ha1("SHA-256", number, realm, password),
        "ha1_sha512_256": ha1("SHA-512-256", number, realm, password),
    }


async def list_(parts: Parts, _: Request[Nothing]) -> list[ExtensionView]:
    extensions = parts.config.current.extensions.values()
    return [
        _view(parts, each) for each in sorted(extensions, key=lambda each: (len(each.number), each.number))
    ]


async def show(parts: Parts, request: Request[Nothing]) -> ExtensionView:
    return _view(parts, _extension(parts.config.current, request))


async def add(parts: Parts, request: Request[NewExtension]) -> ExtensionView:
    def edit(now: Snapshot) -> Snapshot:
        extension = built(now.system.realm, request.values)
        _refuse_taken(now, extension.number)
        return now.with_extension(extension)

    return _view(parts, (await parts.config.change(edit)).extensions[request.values.number])


async def set_(parts: Parts, request: Request[ExtensionChange]) -> ExtensionView:
    def edit(now: Snapshot) -> Snapshot:
        extension = changed(now.system.realm, _extension(now, request), request.values)
        return now.with_extension(extension)

    return _view(parts, (await parts.config.change(edit)).extensions[request.key])


async def remove(parts: Parts, request: Request[Nothing]) -> Done:
    def edit(now: Snapshot) -> Snapshot:
        _extension(now, request)
        return now.without_extension(request.key)

    await parts.config.change(edit)
    return Done()


async def add_many(parts: Parts, request: Request[Many]) -> list[Made]:
    many = request.values
    check_number("extensions.first", many.first)
    if not 1 <= many.count <= MAX_MANY:
        raise ConfigError("extensions.count", "error.out_of_range", low=1, high=MAX_MANY)
    width, first = len(many.first), int(many.first)
    numbers = [f"{first + step:0{width}}" for step in range(many.count)]
    made = [
        Made(number=number, name=f"{many.name} {number}".strip() if many.name else "", password=_password())
        for number in numbers
    ]

    def edit(now: Snapshot) -> Snapshot:
        for number in numbers:
            _refuse_taken(now, number)
        news = (NewExtension(number=each.number, name=each.name, password=each.password) for each in made)
        return now.with_extensions([built(now.system.realm, new) for new in news])

    await parts.config.change(edit)
    return made


def _extension(snapshot: Snapshot, request: Request[Any]) -> Extension:
    extension = snapshot.extensions.get(request.key)
    if extension is None:
        raise not_found(request.path)
    return extension


def _refuse_taken(now: Snapshot, number: str) -> None:
    if number in now.extensions:
        raise ConfigError("extensions." + number + ".number", "error.number_taken", number=number)


def _password() -> str:
    return "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))


def _view(parts: Parts, extension: Extension) -> ExtensionView:
    contacts = [readable(str(each.contact)) for each in parts.directory.lookup(extension.number)]
    return ExtensionView(
        number=extension.number,
        name=extension.name,
        enabled=extension.enabled,
        ring_seconds=extension.ring_seconds,
        level=extension.level,
        state=parts.state(extension.number),
        contacts=contacts,
    )


AREA = Area(
    "extensions",
    "Who can be called here",
    (
        Verb(
            *("list", list_, Nothing, list[ExtensionView], "All extensions with their live state"),
            columns=("number", "name", "enabled", "ring_seconds", "level", "state"),
        ),
        Verb("show", show, Nothing, ExtensionView, "One extension", key=Key.NEEDED),
        Verb("add", add, NewExtension, ExtensionView, "Add an extension", changes=True),
        Verb(
            "set", set_, ExtensionChange, ExtensionView, "Change an extension", key=Key.NEEDED, changes=True
        ),
        Verb("remove", remove, Nothing, Done, "Remove an extension", key=Key.NEEDED, changes=True),
        Verb(
            "add-many",
            add_many,
            Many,
            list[Made],
            "Add extensions in a row, with new passwords",
            changes=True,
        ),
    ),
)
