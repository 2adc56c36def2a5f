"""What phones may watch, and the texts that they may send each other: tied to calls, registrations and settings.

RFC 6665, RFC 4235, RFC 3856, RFC 3842, RFC 3428.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.call.extension_lamps import ExtensionLamps
from appliance.call.texts import Texts
from appliance.directory.busy_lamps import BusyLamps
from appliance.directory.message_counts import MessageCount, MessageCounts, MessageSummary
from appliance.directory.presence import Availability, Presence
from appliance.service.registrations import is_same_user

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from appliance.call.exchange import Directory, Exchange
    from appliance.config.extension import Extension
    from appliance.sip.subscriptions import Notifier

__all__ = ["Watching"]


class Watching:
    """Lamps, presence, message counters and texts."""

    def __init__(
        self,
        notifier: Notifier,
        exchange: Exchange,
        directory: Directory,
        find: Callable[[str], Extension | None],
    ) -> None:
        """`find` knows the extensions that may be used."""
        self._notifier = notifier
        self.lamps = BusyLamps(notifier)
        "Features let their own numbers be watched here."
        self.messages = MessageCounts()
        "Whoever takes messages notes here how many there are."
        self.wants_no_calls: Callable[[str], bool] = lambda _: False
        "Whether an extension does; when that changes, `lamps.changed` is called."
        self.texts = Texts(exchange, directory)
        self._whereabouts = directory.whereabouts
        self._find = find
        self.presence = Presence(notifier, self._availability)
        self.lamps.on_change = self.presence.changed
        self._summary = MessageSummary(notifier, self.messages)
        self.messages.on_change = self._summary.changed
        self._calls = ExtensionLamps(exchange, find, self.lamps.changed)
        self.lamps.serve(self._calls.lamps_of)
        self.call_changed = self._calls.look_soon
        self._extensions: Mapping[str, Extension] = {}

    def follow(self, extensions: Mapping[str, Extension]) -> None:
        """Who was removed or switched off is watched no more, nor watches; who has another password asks again."""
        before, self._extensions = self._extensions, extensions
        for number, old in before.items():
            now = extensions.get(number)
            if now is old or is_same_user(old, now):
                continue
            self._notifier.dismiss(number)
            if now is None or not now.enabled:
                self.lamps.gone(number)
                self.presence.gone(number)
            if now is None:
                self.messages.note(number, MessageCount())

    def _availability(self, number: str) -> Availability | None:
        lamps = self.lamps.lamps_of(number)
        if lamps is None:
            return None
        if lamps:
            return Availability.ON_THE_PHONE
        if self._find(number) is None:
            return Availability.FREE
        if not self._whereabouts.targets(number):
            return Availability.AWAY
        return Availability.BUSY if self.wants_no_calls(number) else Availability.FREE

    def figures(self) -> dict[str, int]:
        """What there is to count, since the start or now."""
        return {
            "subscriptions": len(self._notifier),
            "texts": self.texts.carried,
            "texts_refused": self.texts.refused,
        }

    def shut_down(self) -> None:
        """Tell whoever watches when to come back."""
        self._notifier.shut_down()
