"""Area `import`: a TOML text of settings, applied whole or not at all."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec

from appliance.control.area import Area, Request, Verb, not_found
from appliance.control.areas import extensions as extensions_area
from appliance.control.areas import system as system_area
from appliance.control.areas.dial_plan import DialPlanChange
from appliance.control.areas.export import Text, keyed_areas
from appliance.control.areas.keyed import given
from appliance.control.values import read_values
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from appliance.config.extension import Extension
    from appliance.config.snapshot import Snapshot
    from appliance.control.areas.keyed import KeyedArea
    from appliance.control.parts import Parts

__all__ = ["AREA", "Imported", "applied", "counted", "edited", "parse"]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    added: int
    "New extensions, lines and so on."
    changed: int
    "Those that were there and now differ."


async def apply(parts: Parts, request: Request[Text]) -> Imported:
    """Add and change what the text names; nothing is removed. An extension that is there keeps its password
    unless the text gives it one."""
    # Reading a thousand extensions takes longer than a packet may wait.
    document = await anyio.to_thread.run_sync(parse, request.values.text)
    return await applied(parts, document)


async def applied(parts: Parts, document: Mapping[str, Any]) -> Imported:
    """Put a document in force, whole. ConfigError: nothing of it."""
    before: Snapshot | None = None

    network = system_area.NetworkTrial(parts)

    def edit(now: Snapshot) -> Snapshot:
        nonlocal before
        before = now
        if "system" not in document:
            return edited(now, document)
        return network.split(now, edited(network.begun_from(now), document))

    after = await parts.config.change(edit)
    network.begin(after)
    assert before is not None
    return counted(before, after)


def counted(before: Snapshot, after: Snapshot) -> Imported:
    """What came of an import."""
    counts = [_compared(before.extensions, after.extensions)]
    for area in keyed_areas(after):
        compared = _compared(before.items(area.name), after.items(area.name))
        # Where there is a default for all, there is nothing new but what differs from it.
        counts.append(compared if area.settings.per == "item" else (0, sum(compared)))
    return Imported(added=sum(added for added, _ in counts), changed=sum(changed for _, changed in counts))


def _compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[int, int]:
    """How many are new, and how many differ."""
    return len(after.keys() - before.keys()), sum(after.get(key) != each for key, each in before.items())


def parse(text: str) -> dict[str, Any]:
    """The document that a text is. ConfigError."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError("import", "error.not_toml", reason=str(error)[:200]) from error
    return document


def edited(now: Snapshot, document: Mapping[str, Any]) -> Snapshot:
    """The settings with what the document says in them. ConfigError."""
    areas = keyed_areas(now)
    names = ("extensions", *(area.name for area in areas), "dial-plan", "system")
    for area in document:
        if area not in names:
            raise ConfigError(area[:64], "error.unknown_area", area=area[:64], areas=", ".join(names))
    if "system" in document:
        change = read_values("system", system_area.SystemChange, _table("system", document["system"]))
        now = msgspec.structs.replace(now, system=system_area.changed(now.system, change))
    if "dial-plan" in document:
        plan = read_values("dial-plan", DialPlanChange, _table("dial-plan", document["dial-plan"]))
        now = msgspec.structs.replace(now, dial_plan=msgspec.structs.replace(now.dial_plan, **given(plan)))
    extensions: dict[str, Extension] = {}
    for number, values in _rows("extensions", "number", document.get("extensions", {})):
        if number in extensions:
            raise ConfigError("extensions", "error.number_taken", number=number[:64])
        extensions[number] = _extension(now, number, values)
    now = now.with_extensions(list(extensions.values()))
    for each in areas:
        if each.name in document:
            now = _with_items(each, now, document[each.name])
    return now


def _with_items(area: KeyedArea, now: Snapshot, rows: Any) -> Snapshot:
    if area.settings.per == "box":
        change = read_values(area.name, area.taken_by_change(), _table(area.name, rows))
        return now.with_item(area.name, area.changed(now.setting(area.name), change))
    takes_new, takes_change = area.taken_by_new(), area.taken_by_change()
    items = dict[str, Any]()
    for name, values in _rows(area.name, "name", rows):
        path = f"{area.name}.{name[:64]}"
        if name in items:
            raise ConfigError(path, "error.name_taken", name=name[:64])
        if now.has_setting(area.name, name):
            change = read_values(path, takes_change, {**values, "name": name})
            items[name] = area.changed(now.setting(area.name, name), change)
        elif area.settings.per == "item":
            items[name] = area.built(now, read_values(path, takes_new, {**values, "name": name}))
        else:
            raise not_found(path)
    return now.with_items(area.name, items.values())


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


def _rows(area: str, key: str, rows: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Both ways to write them: `[extensions.101]`, and `[[extensions]]` with `number = "101"`."""
    if isinstance(rows, list):
        for place, row in enumerate(rows, start=1):
            path = f"{area}.{place}"
            values = _table(path, row)
            if not isinstance(values.get(key), str):
                raise ConfigError(path + "." + key, "error.value_missing", name=key)
            yield values[key], values
    else:
        for name, row in _table(area, rows).items():
            yield name, _table(f"{area}.{name[:64]}", row)


def _table(path: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(path, "error.not_a_table")
    return value


AREA = Area(
    "import",
    "Settings from a text",
    (Verb("apply", apply, Text, Imported, "Apply a TOML text, whole or not at all", changes=True),),
)
