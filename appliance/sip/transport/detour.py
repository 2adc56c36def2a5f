"""Large requests to peers on UDP go over TCP first: a datagram that has to be cut into pieces often gets lost.

RFC 3261 §18.1.1.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.clock import Timers
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["MAX_OVER_UDP", "Detours"]

logger = logging.getLogger(__name__)

MAX_OVER_UDP = 1_300
"Octets of a request that may go over UDP when nobody knows the path's MTU (§18.1.1)."
PATIENCE = 1.0
"Seconds until the request goes over UDP after all. A phone behind a NAT can be reached that way alone."
MEMORY = 3_600.0
"Seconds for which a peer that takes no TCP is spared the attempt: its next calls shall not wait."
MAX_REMEMBERED = 1_024
"Peers of which that is known. When there are more, all are tried anew: 100 octets each."


class Detourable(Protocol):
    """What is asked of a client transaction."""

    flow: Flow

    def detour(self, flow: Flow) -> None: ...
    def end_detour(self) -> None: ...


class Detours:
    """Knows who takes no TCP."""

    def __init__(self, timers: Timers, flow_to: Callable[[str, Address], Flow]) -> None:
        self._timers = timers
        self._flow_to = flow_to
        self._refused: dict[Address, float] = {}

    def begin(self, client: Detourable) -> None:
        """Send a request, which has not gone yet, over TCP; over UDP when that brings nothing at once."""
        direct, now = client.flow, self._timers.now()
        if self._refused.get(direct.remote, 0.0) > now:
            return
        try:
            client.detour(self._flow_to("tcp", direct.remote))
        except TransportError:
            return  # nobody serves TCP here
        self._timers.after(PATIENCE, lambda: self._end(client, direct))

    def _end(self, client: Detourable, direct: Flow) -> None:
        client.end_detour()
        if client.flow is direct:
            logger.info("%s takes no TCP: large requests go to it in pieces", direct.remote[0])
            if len(self._refused) >= MAX_REMEMBERED:
                self._refused.clear()
            self._refused[direct.remote] = self._timers.now() + MEMORY
