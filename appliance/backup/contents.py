"""What a backup holds, in the words of its first member, `backup.json`, and by counting."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from appliance.config.stored import load
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from appliance.config.settings_area import SettingsArea
    from appliance.config.snapshot import Snapshot

__all__ = ["FORM", "MANIFEST", "Changed", "Contents", "changes", "count", "snapshot_in"]

MANIFEST = "backup.json"
FORM = 1
"Of the archive. The database in it has a form of its own."


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest. Backups of the first version have none; then only what can be counted is known."""

    form: int = FORM
    version: str = ""
    "Of the exchange that made it."
    made_at: float | None = None
    "Seconds since 1970 in UTC, by the clock of the box that made it."
    host_name: str = ""
    holds: dict[str, int] = {}
    "How many of each: extensions, records, the items of each area with settings, and of files `certs`, `prompts` and so on."


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore would change in one area."""

    area: str
    added: int
    removed: int
    changed: int


def count(database: Path) -> dict[str, int]:
    """How many of each a database holds."""
    with closing(sqlite3.connect(database)) as db:
        counted = {
            "extensions": _rows(db, "extensions"),
            "records": _rows(db, "records"),
            "administrators": _rows(db, "administrators"),
        }
        areas = db.execute("SELECT area, count(*) FROM items GROUP BY area ORDER BY area").fetchall()
    return {**counted, **dict(areas)}


def snapshot_in(database: Path, areas: Mapping[str, SettingsArea]) -> Snapshot:
    """The settings in a database that is not the live one. ConfigError when they cannot be read."""
    with closing(sqlite3.connect(database)) as db:
        try:
            return load(db, areas)
        except msgspec.DecodeError as error:
            raise ConfigError("backup.file", "error.backup_damaged", file=database.name) from error


def changes(now: Snapshot, then: Snapshot) -> list[Changed]:
    """What of the settings would be others, area by area; nothing for those that would stay."""
    found = [_compared("extensions", now.extensions, then.extensions)]
    found += [
        _compared(area, getattr(now, area), getattr(then, area)) for area in ("lines", "trunks", "routes")
    ]
    found += [_compared(area, now.items(area), then.items(area)) for area in now.areas]
    singles = ("system", "dial_plan", "music")
    found += [
        Changed(area=area.replace("_", "-"), added=0, removed=0, changed=1)
        for area in singles
        if getattr(now, area) != getattr(then, area)
    ]
    return [each for each in found if each.added or each.removed or each.changed]


def _compared(area: str, now: Mapping[str, object], then: Mapping[str, object]) -> Changed:
    return Changed(
        area=area,
        added=len(then.keys() - now.keys()),
        removed=len(now.keys() - then.keys()),
        changed=sum(then[key] != each for key, each in now.items() if key in then),
    )


def _rows(db: sqlite3.Connection, table: str) -> int:
    (rows,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(rows)
