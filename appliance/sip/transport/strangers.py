"""Connections that peers opened and have not said anything over yet, handshakes of TLS and WebSocket among them.

No RFC says this. Each is given a little time (`connection.py`); here is how many there may be in that time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.sip.transport.guard import source_of

if TYPE_CHECKING:
    from appliance.sip.transport.connection import Connection

__all__ = ["Strangers"]

STRANGERS = 500
"In all: two offices of 200 phones after a power cut, and some. A phone takes a second to introduce itself."
STRANGERS_OF_SOURCE = 250
"From one source: an office of 200 phones, and some."


class Strangers:
    """Counts them. One more than there may be, and the oldest has to go: a patient attacker's, not a phone's."""

    def __init__(self) -> None:
        self._all: dict[int, Connection] = {}
        self._of_source: dict[str, dict[int, Connection]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection) -> Connection | None:
        """Count one more; gives the one that is to be closed for it. The same source's, where that has too many."""
        number, source = connection.flow.connection, source_of(connection.flow.remote[0])
        self._all[number] = connection
        of_source = self._of_source.setdefault(source, {})
        of_source[number] = connection
        for group, limit in ((of_source, STRANGERS_OF_SOURCE), (self._all, STRANGERS)):
            if len(group) > limit:
                oldest = next(iter(group.values()))
                self.remove(oldest)
                return oldest
        return None

    def remove(self, connection: Connection) -> None:
        """It has said something, or is gone. Harmless when it is not known."""
        if self._all.pop(connection.flow.connection, None) is None:
            return
        source = source_of(connection.flow.remote[0])
        of_source = self._of_source[source]
        del of_source[connection.flow.connection]
        if not of_source:
            del self._of_source[source]
