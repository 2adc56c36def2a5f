"""Registrations beside what else is known: written down for the next start, and ended with their extensions.

RFC 3261 §10.3.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from appliance.errors import PeerError
from appliance.store import bindings as bindings_table
from appliance.store.bindings import BindingRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from appliance.config.extension import Extension
    from appliance.directory import Binding, Bindings, Change
    from appliance.store.store import Store

__all__ = ["Registrations", "is_same_user"]

logger = logging.getLogger(__name__)


class Registrations:
    """Follows the bindings and the extensions, and keeps each in step with the other."""

    def __init__(self, store: Store, bindings: Bindings, changed: Callable[[], None]) -> None:
        """`changed` is told of every registration that comes, moves or goes."""
        self._store = store
        self._bindings = bindings
        self._changed = changed
        self._extensions: Mapping[str, Extension] = {}
        bindings.on_change(self._save)

    def follow(self, extensions: Mapping[str, Extension]) -> None:
        """Forget who is registered for what was removed or switched off, or by a password that is another now."""
        before, self._extensions = self._extensions, extensions
        for number in {binding.number for binding in self._bindings.all()}:
            if not is_same_user(before.get(number), extensions.get(number)):
                self._bindings.forget(number)

    async def restore(self) -> None:
        """Take up who was registered before the last end."""
        self.take_up(await self._store.run(bindings_table.load))

    def take_up(self, rows: Iterable[BindingRow]) -> None:
        """The bindings of `rows`, but for those that nobody could have now."""
        for row in rows:
            extension = self._extensions.get(row.number)
            if extension is None or not extension.enabled:
                continue  # removed a moment before the power went
            try:
                self._bindings.from_rows([row])
            except (PeerError, ValueError):
                # One row that cannot be read must not keep the exchange from starting: that phone comes back.
                logger.exception("a stored registration of %s is no good", row.number)

    def _save(self, binding: Binding, _: Change) -> None:
        rows = [BindingRow(*row) for row in self._bindings.to_rows(binding.number)]
        self._store.save_bindings(binding.number, rows)
        self._changed()


def is_same_user(before: Extension | None, now: Extension | None) -> bool:
    """Whether whoever has proved to be this extension still is."""
    if now is None or not now.enabled:
        return False
    return before is None or before.ha1_sha256 == now.ha1_sha256
