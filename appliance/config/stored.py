"""How the configuration lies in the database. Both functions run inside a transaction of the store's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from appliance.config.dial_plan import DialPlan
from appliance.config.extension import Extension
from appliance.config.music import Music
from appliance.config.snapshot import KEYED, Snapshot
from appliance.config.system import System
from appliance.store import extensions as extensions_table
from appliance.store import items as items_table
from appliance.store import settings as settings_table
from appliance.store.extensions import ExtensionRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from appliance.config.settings_area import SettingsArea

__all__ = ["load", "save"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

SYSTEM_AREA = "system"
DIAL_PLAN_AREA = "dial_plan"
MUSIC_AREA = "music"


def load(db: sqlite3.Connection, areas: Mapping[str, SettingsArea]) -> Snapshot:
    """What is stored. What a newer version stored, and this one does not know or cannot read, stays where it is."""
    extensions = {row.number: _extension(row) for row in extensions_table.load(db)}
    features = {area.name: _items(db, area, extensions) for area in areas.values()}
    return Snapshot(
        settings_table.revision(db),
        _single(db, SYSTEM_AREA, System),
        extensions,
        **{area.name: _items(db, area, extensions) for area in KEYED.values()},
        dial_plan=_single(db, DIAL_PLAN_AREA, DialPlan),
        music=_single(db, MUSIC_AREA, Music),
        features={area: items for area, items in features.items() if items},
        areas=dict(areas),
    )


def save(db: sqlite3.Connection, old: Snapshot, new: Snapshot) -> None:
    """Write the difference. A new box's system settings are written with the first change of all."""
    if new.system != old.system or old.revision == 0:
        settings_table.put(db, SYSTEM_AREA, msgspec.json.encode(new.system))
    if new.dial_plan != old.dial_plan:
        settings_table.put(db, DIAL_PLAN_AREA, msgspec.json.encode(new.dial_plan))
    if new.music != old.music:
        settings_table.put(db, MUSIC_AREA, msgspec.json.encode(new.music))
    _save_extensions(db, old, new)
    for name in (*KEYED, *new.areas):
        _save_items(db, name, old.items(name), new.items(name))
    settings_table.put_revision(db, new.revision)


def _save_extensions(db: sqlite3.Connection, old: Snapshot, new: Snapshot) -> None:
    for number in old.extensions.keys() - new.extensions.keys():
        extensions_table.remove(db, number)
    for number, extension in new.extensions.items():
        if extension is not old.extensions.get(number):
            extensions_table.put(db, _row(extension))
    # An extension that comes must not find what services kept of one that had its number before, read or unread.
    for number in old.extensions.keys() ^ new.extensions.keys():
        for area in new.areas.values():
            if area.per == "extension":
                items_table.remove(db, area.name, number)


def _single(db: sqlite3.Connection, area: str, kind: type[T]) -> T:
    stored = settings_table.load(db, area)
    return kind() if stored is None else msgspec.json.decode(stored, type=kind)


def _items(db: sqlite3.Connection, area: SettingsArea, extensions: Mapping[str, Extension]) -> dict[str, Any]:
    items = dict[str, Any]()
    for key, value in items_table.load(db, area.name):
        if area.per != "item" and not area.has(key, extensions):
            continue
        try:
            items[key] = msgspec.json.decode(value, type=area.kind)
        except msgspec.DecodeError as error:
            # Never the value, which may hold a password.
            logger.warning("the setting %s %s is left out, it cannot be read: %s", area.name, key, error)
    return area.differing(items)


def _save_items(db: sqlite3.Connection, area: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    for key in old.keys() - new.keys():
        items_table.remove(db, area, key)
    for key, item in new.items():
        if item is not old.get(key):
            items_table.put(db, area, key, msgspec.json.encode(item))


def _extension(row: ExtensionRow) -> Extension:
    return Extension(**msgspec.structs.asdict(row))


def _row(extension: Extension) -> ExtensionRow:
    return ExtensionRow(**msgspec.structs.asdict(extension))
