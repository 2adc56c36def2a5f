"""Area `import`: a TOML text of settings, applied whole or not at all."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec

from appliance.control.area import Area, Request, Verb
from appliance.control.areas import extensions as extensions_area
from appliance.control.areas import system as system_area
from appliance.control.areas.export import Text
from appliance.control.values import read_values
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from appliance.config.extension import Extension
    from appliance.config.snapshot import Snapshot
    from appliance.control.parts import Parts

__all__ = ["AREA"]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    added: int
    "New extensions."
    changed: int
    "Extensions that were there and now differ."


async def apply(parts: Parts, request: Request[Text]) -> Imported:
    """Add and change what the text names; nothing is removed. An extension that is there keeps its password
    unless the text gives it one."""
    # Reading a thousand extensions takes longer than a packet may wait.
    document = await anyio.to_thread.run_sync(_parse, request.values.text)
    before: Snapshot | None = None

    def edit(now: Snapshot) -> Snapshot:
        nonlocal before
        before = now
        return _edited(now, document)

    after = await parts.config.change(edit)
    assert before is not None
    added = after.extensions.keys() - before.extensions.keys()
    changed = [each for number, each in before.extensions.items() if after.extensions.get(number) != each]
    return Imported(added=len(added), changed=len(changed))


def _parse(text: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError("import", "error.not_toml", reason=str(error)[:200]) from error
    for area in document:
        if area not in ("system", "extensions"):
            raise ConfigError(area[:64], "error.unknown_area", area=area[:64], areas="extensions, system")
    return document


def _edited(now: Snapshot, document: Mapping[str, Any]) -> Snapshot:
    if "system" in document:
        change = read_values("system", system_area.SystemChange, _table("system", document["system"]))
        now = msgspec.structs.replace(now, system=system_area.changed(now.system, change))
    extensions: dict[str, Extension] = {}
    for number, values in _rows(document.get("extensions", {})):
        if number in extensions:
            raise ConfigError("extensions", "error.number_taken", number=number[:64])
        extensions[number] = _extension(now, number, values)
    return now.with_extensions(list(extensions.values()))


def _extension(now: Snapshot, number: str, values: Mapping[str, Any]) -> Extension:
    path, realm = f"extensions.{number[:64]}", now.system.realm
    old = now.extensions.get(number)
    if old is not None:
        change = read_values(path, extensions_area.ExtensionChange, values)
        return extensions_area.changed(realm, old, change)
    if values.get("number", number) != number:
        raise ConfigError(path + ".number", "error.read_only")
    new = read_values(path, extensions_area.NewExtension, {**values, "number": number})
    return extensions_area.built(realm, new)


def _rows(extensions: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Both ways to write them: `[extensions.101]`, and `[[extensions]]` with `number = "101"`."""
    if isinstance(extensions, list):
        for place, row in enumerate(extensions, start=1):
            path = f"extensions.{place}"
            values = _table(path, row)
            if not isinstance(values.get("number"), str):
                raise ConfigError(path + ".number", "error.value_missing", name="number")
            yield values["number"], values
    else:
        for number, row in _table("extensions", extensions).items():
            yield number, _table(f"extensions.{number[:64]}", row)


def _table(path: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(path, "error.not_a_table")
    return value


AREA = Area(
    "import",
    "Settings from a text",
    (Verb("apply", apply, Text, Imported, "Apply a TOML text, whole or not at all", changes=True),),
)
