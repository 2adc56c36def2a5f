"""The one way to change a setting: verify, commit, apply; and back again when applying fails.

Start-up is the first apply: a part that registers with `on_change` is called at once with what is set now,
so that the start and a live change are one path of code.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import anyio.to_thread
import msgspec

from appliance.config.dial_plan import DialPlan
from appliance.config.extension import Extension
from appliance.config.snapshot import KEYED, Snapshot, verify
from appliance.config.system import System
from appliance.errors import ConfigError
from appliance.store import extensions as extensions_table
from appliance.store import items as items_table
from appliance.store import settings as settings_table
from appliance.store.extensions import ExtensionRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from appliance.store.store import Store

__all__ = ["Config"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

SYSTEM_AREA = "system"
DIAL_PLAN_AREA = "dial_plan"


class Config:
    """Holds the current snapshot. Open one with `await Config.open(store)`."""

    def __init__(self, store: Store, stored: Snapshot) -> None:
        self._store = store
        self._current = stored
        # What the disk has: the same as `current`, but for the moment of a change and for the rare case that a
        # change could not be applied and the disk would not take it back. The next commit writes the difference.
        self._stored = stored
        self._verifiers: list[Callable[[Snapshot, Snapshot], None]] = []
        self._watchers: list[_Watcher[Any]] = []
        self._changing = anyio.Lock()

    @classmethod
    async def open(cls, store: Store) -> Config:
        """Read what is stored. Raises StoreError."""
        return cls(store, await store.run(_load))

    @property
    def current(self) -> Snapshot:
        """What is set now."""
        return self._current

    def add_verifier(self, verifier: Callable[[Snapshot, Snapshot], None]) -> None:
        """Let a part refuse a change: `verifier(old, new)` raises ConfigError. It runs in a worker thread."""
        self._verifiers.append(verifier)

    def on_change(self, selector: Callable[[Snapshot], T], callback: Callable[[T], None]) -> None:
        """Call `callback` now with the selected part, and again whenever that part differs from before.

        The callback must not block. What it raises during a change takes the whole change back.
        """
        watcher = _Watcher(selector, callback)
        watcher.apply(self._current)
        self._watchers.append(watcher)

    async def change(self, edit: Callable[[Snapshot], Snapshot]) -> Snapshot:
        """Replace the configuration by `edit(current)`, and return what is set then. `edit` runs in a worker thread.

        When this returns, the change is on the disk and in force. Raises ConfigError (from the checks, from a
        verifier, from the disk, or `error.not_applied`); then everything is as it was before.
        """
        async with self._changing:
            old = self._current
            new = await anyio.to_thread.run_sync(_edited, old, edit, tuple(self._verifiers))
            if new is old:
                return old
            # From the commit on there is no way out in the middle, whatever happens to the asking task.
            with anyio.CancelScope(shield=True):
                self._current = await self._commit(new)
                try:
                    self._apply()
                except Exception as error:
                    await self._take_back(old)
                    raise _refusal(error) from error
            return self._current

    async def reload(self) -> None:
        """Take over a database that was replaced as a whole (a restore). Raises StoreError or ConfigError."""
        async with self._changing:
            with anyio.CancelScope(shield=True):
                self._current = self._stored = await self._store.run(_load)
                self._apply()

    async def _commit(self, new: Snapshot) -> Snapshot:
        stored, new = self._stored, msgspec.structs.replace(new, revision=self._stored.revision + 1)
        await self._store.run(lambda db: _save(db, stored, new))
        self._stored = new
        return new

    def _apply(self) -> None:
        for watcher in tuple(self._watchers):
            watcher.update(self._current)

    async def _take_back(self, old: Snapshot) -> None:
        self._current = old
        try:
            self._current = await self._commit(old)
        except ConfigError:
            logger.exception("a change that failed is still on the disk; the next change replaces it")
        for watcher in tuple(self._watchers):
            try:
                watcher.update(self._current)
            except Exception:
                logger.exception("going back to the previous settings failed in one part")


class _Watcher(Generic[T]):
    """One part that follows one selection of the settings."""

    def __init__(self, selector: Callable[[Snapshot], T], callback: Callable[[T], None]) -> None:
        self._selector = selector
        self._callback = callback
        self._sure = False

    def apply(self, snapshot: Snapshot) -> None:
        self._selected = self._selector(snapshot)
        # Until the callback has come through, nobody knows what it has done.
        self._sure = False
        self._callback(self._selected)
        self._sure = True

    def update(self, snapshot: Snapshot) -> None:
        selected = self._selector(snapshot)
        if not self._sure or (selected is not self._selected and selected != self._selected):
            self.apply(snapshot)


def _edited(
    old: Snapshot,
    edit: Callable[[Snapshot], Snapshot],
    verifiers: Iterable[Callable[[Snapshot, Snapshot], None]],
) -> Snapshot:
    """The checked result of an edit; `old` itself when nothing differs. A thousand passwords take a while to hash,
    and a time zone or a certificate is looked up on the disk: this is called in a worker thread."""
    new = edit(old)
    if new == old:
        return old
    for check in (verify, *verifiers):
        check(old, new)
    return new


def _refusal(error: Exception) -> ConfigError:
    if isinstance(error, ConfigError):
        return error
    logger.error("a change was taken back: applying it failed", exc_info=error)
    return ConfigError("", "error.not_applied", reason=str(error) or type(error).__name__)


def _load(db: sqlite3.Connection) -> Snapshot:
    system = settings_table.load(db, SYSTEM_AREA)
    return Snapshot(
        settings_table.revision(db),
        System() if system is None else msgspec.json.decode(system, type=System),
        {row.number: _extension(row) for row in extensions_table.load(db)},
        **{area: _items(db, area) for area in KEYED},
        dial_plan=_dial_plan(db),
    )


def _dial_plan(db: sqlite3.Connection) -> DialPlan:
    stored = settings_table.load(db, DIAL_PLAN_AREA)
    return DialPlan() if stored is None else msgspec.json.decode(stored, type=DialPlan)


def _items(db: sqlite3.Connection, area: str) -> dict[str, Any]:
    kind = KEYED[area].kind
    return {key: msgspec.json.decode(value, type=kind) for key, value in items_table.load(db, area)}


def _save(db: sqlite3.Connection, old: Snapshot, new: Snapshot) -> None:
    """Write the difference. A new box's system settings are written with the first change of all."""
    if new.system != old.system or old.revision == 0:
        settings_table.put(db, SYSTEM_AREA, msgspec.json.encode(new.system))
    if new.dial_plan != old.dial_plan:
        settings_table.put(db, DIAL_PLAN_AREA, msgspec.json.encode(new.dial_plan))
    for number in old.extensions.keys() - new.extensions.keys():
        extensions_table.remove(db, number)
    for number, extension in new.extensions.items():
        if extension is not old.extensions.get(number):
            extensions_table.put(db, _row(extension))
    for area in KEYED:
        _save_items(db, area, old.items(area), new.items(area))
    settings_table.put_revision(db, new.revision)


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
