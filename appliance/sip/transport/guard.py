"""What a source may ask of us: how many messages, how many connections.

No RFC says this. The limits keep one source from taking the whole exchange; a NATed office of 200 phones is one
source too, and all its phones may come back at once after a power cut.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

__all__ = ["Guard", "source_of"]

logger = logging.getLogger(__name__)

WINDOW = 10.0
"Seconds over which messages are counted."
MESSAGES = 20_000
"Messages from one source in a window: 200 phones that register and subscribe to 20 others each at once."
SOURCES = 10_000
"Sources counted at a time. Only forged ones are more; then counting starts afresh, at 2 MB at most."
CONNECTIONS = 2_000
"Connections in all: at some 50 kB each with TLS, 100 MB."
CONNECTIONS_OF_SOURCE = 500
"Connections from one source: 200 phones, each with an old connection that nobody has closed, and some."


_CACHED = 4_096
"Sources of IPv6 addresses remembered, 200 octets each: reading an address takes longer than counting it."


def source_of(host: str) -> str:
    """Whom to count a host as: an IPv4 address, or the /64 of an IPv6 one, of which anybody has 2**64."""
    return _network(host) if ":" in host else host


@lru_cache(_CACHED)
def _network(host: str) -> str:
    address, _, interface = host.partition("%")
    # Link-local addresses are all in one /64: each of them is a neighbour of its own.
    if interface:
        return host
    return str(IPv6Address(int(IPv6Address(address)) >> 64 << 64))


class Guard:
    """Counts, by `source_of`. Loopback is not counted: who is on this machine can do worse."""

    def __init__(self, messages: int = MESSAGES) -> None:
        self._messages = messages
        self._counts: dict[str, int] = {}
        self._window_ends = 0.0
        self._silent_until = 0.0
        self._connections: dict[str, int] = {}
        self._all_connections = 0

    def admits(self, host: str, now: float) -> bool:
        """Count one message; False when it is one too many and is to be dropped unread."""
        if now >= self._window_ends or len(self._counts) > SOURCES:
            self._counts.clear()
            self._window_ends = now + WINDOW
        source = _network(host) if ":" in host else host
        count = self._counts.get(source, 0) + 1
        self._counts[source] = count
        if count <= self._messages or _is_loopback(host):
            return True
        if count == self._messages + 1:  # said once a window
            logger.warning("%s sends more than %d messages in %.0f s", host, self._messages, WINDOW)
        return False

    def wait(self, now: float) -> float:
        """Seconds until counting starts anew: how long a connection of a busy source is left unread."""
        return max(0.0, self._window_ends - now)

    def warns(self, now: float) -> bool:
        """Whether a connection that is one too many is worth a line in the log: one of them in a window is."""
        due = now >= self._silent_until
        if due:
            self._silent_until = now + WINDOW
        return due

    def connected(self, host: str) -> bool:
        """Count one more connection; False when it is one too many, and then it is not counted."""
        source = source_of(host)
        of_source = self._connections.get(source, 0)
        if self._all_connections >= CONNECTIONS:
            return False
        if of_source >= CONNECTIONS_OF_SOURCE and not _is_loopback(host):
            return False
        self._connections[source] = of_source + 1
        self._all_connections += 1
        return True

    def disconnected(self, host: str) -> None:
        """One connection that was counted is gone."""
        source = source_of(host)
        self._all_connections -= 1
        self._connections[source] -= 1
        if not self._connections[source]:
            del self._connections[source]


def _is_loopback(host: str) -> bool:
    return ip_address(host.partition("%")[0]).is_loopback
