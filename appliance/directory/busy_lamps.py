"""Busy lamps: the event package `dialog`, by which a phone watches numbers of the exchange.

RFC 4235 §3. Every NOTIFY says the whole state: it is short, and nothing is amiss when one was lost.
"""

from __future__ import annotations

__all__ = ["BusyLamps"]

from typing import TYPE_CHECKING

import msgspec

from appliance.directory.dialog_info import CONTENT_TYPE, dialog_info
from appliance.directory.lamps import LampState
from appliance.errors import PeerError
from appliance.sip.dialog.subscription import Lifetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.directory.lamps import Lamp, LampSource
    from appliance.sip.message import Uri
    from appliance.sip.subscriptions import Notifier


class BusyLamps:
    """The lamps of all numbers, and who watches them."""

    name = "dialog"
    content_type = CONTENT_TYPE
    lifetime = Lifetime()  # §3.4: an hour
    pace = 1.0  # §3.9
    "Seconds."

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._sources: list[LampSource] = []
        self._shown: dict[str, tuple[Lamp, ...]] = {}  # of numbers that somebody watches
        self.on_change: Callable[[str], None] = lambda _: None
        "Told of each number whose lamps may be others than before, for who shows them in another way."
        notifier.serve(self)

    def serve(self, source: LampSource) -> None:
        """Let the numbers of `source` be watched too. It calls `changed`, and `gone`."""
        self._sources.append(source)

    def lamps_of(self, number: str) -> tuple[Lamp, ...] | None:
        """What makes a number busy; None when there is no such number."""
        for source in self._sources:
            lamps = source(number)
            if lamps is not None:
                return lamps
        return None

    def changed(self, number: str) -> None:
        """The lamps of a number may be others than before: whoever watches it is told, if so."""
        self.on_change(number)
        if not self._notifier.is_watched(self.name, number):
            self._shown.pop(number, None)
            return
        lamps = self.lamps_of(number) or ()
        if lamps != self._shown.get(number):
            self._shown[number] = lamps
            self._notifier.notify(self.name, number)

    def gone(self, number: str) -> None:
        """There is no such number any more."""
        self._shown.pop(number, None)
        self._notifier.terminate(self.name, number, "noresource")

    def accept(self, subscriber: str, resource: Uri) -> Callable[[bool], bytes]:
        """§3.6: every extension may watch every number, also its own. PeerError 404 when there is no such number."""
        del subscriber
        number = resource.number or ""
        lamps = self.lamps_of(number)
        if lamps is None:
            raise PeerError(404, "Not Found")
        if not self._notifier.is_watched(self.name, number):
            self._shown[number] = lamps
        return _Document(self, resource).say


class _Document:
    """What one subscriber is told, from the first NOTIFY to the last."""

    def __init__(self, lamps: BusyLamps, entity: Uri) -> None:
        self._lamps = lamps
        self._entity = entity
        self._version = -1
        self._told: dict[str, Lamp] = {}

    def say(self, _full: bool) -> bytes:  # the shape that packages have
        """The next document. What was in the last one and is over is in it once more, as that."""
        now = {lamp.id: lamp for lamp in self._lamps.lamps_of(self._entity.number or "") or ()}
        over = [
            msgspec.structs.replace(lamp, state=LampState.TERMINATED)
            for lamp in self._told.values()
            if lamp.id not in now
        ]
        self._told = now
        self._version += 1
        return dialog_info(self._entity, self._version, [*over, *now.values()])
