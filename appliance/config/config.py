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

from appliance.config import backup_schedule, server, update_check
from appliance.config.snapshot import Snapshot, verify
from appliance.config.stored import load, save
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance.config.settings_area import SettingsArea
    from appliance.store.store import Store

__all__ = ["OWN_AREAS", "Config"]

logger = logging.getLogger(__name__)

OWN_AREAS = (backup_schedule.AREA, server.AREA, update_check.AREA)
"Settings made from a struct that no service brings."

T = TypeVar("T")


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
    async def open(cls, store: Store, areas: Iterable[SettingsArea] = ()) -> Config:
        """Read what is stored; `areas` are those of the services. Raises StoreError."""
        known = {each.name: each for each in (*OWN_AREAS, *areas)}
        return cls(store, await store.run(lambda db: load(db, known)))

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
                areas = self._current.areas
                self._current = self._stored = await self._store.run(lambda db: load(db, areas))
                self._apply()

    async def _commit(self, new: Snapshot) -> Snapshot:
        stored, new = self._stored, msgspec.structs.replace(new, revision=self._stored.revision + 1)
        await self._store.run(lambda db: save(db, stored, new))
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
