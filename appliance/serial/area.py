"""What an area of settings takes, read from the exchange's own account of it: nothing here knows any area by name. Pure.

JSON Schema 2020-12, of it what control writes: type, enum, items, default, writeOnly, required.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from appliance.serial.dialogue import Talk, Words, perform

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Area", "Setting", "read_area"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    is_list: bool = False
    secret: bool = False
    "Taken and never shown."
    required: bool = False
    "A new one needs it."
    default: Any = None
    "What a new one has; None: it is not known beforehand."
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """An area with what a change of one takes, and what a new one does."""

    name: str
    settings: tuple[Setting, ...]
    "Without the key."
    key: str = ""
    "The setting by which one is told from another; empty: there is only one."
    new: tuple[Setting, ...] = ()
    "What a new one takes, without the key."
    makes: bool = False
    "Whether people add and remove them."
    columns: tuple[str, ...] = ()
    "What a table has of each beside the key."


def read_area(words: Words, name: str, left_out: frozenset[str] = frozenset()) -> Talk[Area]:
    """The area as the exchange describes it. ConfigError when there is nothing to set in it."""
    verbs = yield from perform(words, "areas", "show", name)
    if "set" not in verbs:
        raise ConfigError(name, "error.not_found")
    settings = _settings(verbs["set"])
    names = {each.name for each in settings}
    key = ("number" if "number" in names else "name") if "list" in verbs else ""
    new = _settings(verbs["add"]) if "add" in verbs else ()
    left_out |= {key}
    columns = tuple(verbs.get("list", {}).get("columns", ())) or tuple(each.name for each in settings)
    return Area(
        name,
        _without(settings, left_out),
        key,
        _without(new, left_out),
        makes="add" in verbs,
        columns=tuple(each for each in columns if each != key),
    )


def _without(settings: tuple[Setting, ...], names: frozenset[str]) -> tuple[Setting, ...]:
    return tuple(each for each in settings if each.name not in names)


def _settings(schema: Mapping[str, Any]) -> tuple[Setting, ...]:
    required = schema.get("required", ())
    return tuple(
        _setting(name, told, required=name in required) for name, told in schema.get("properties", {}).items()
    )


def _setting(name: str, told: Mapping[str, Any], *, required: bool) -> Setting:
    return Setting(
        name,
        is_list=told.get("type") == "array",
        secret=bool(told.get("writeOnly")) or name == "password",
        required=required,
        default=told.get("default"),
        choices=tuple(map(str, told.get("items", told).get("enum", ()))),
    )
