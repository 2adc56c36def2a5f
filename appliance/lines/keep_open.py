"""Keeps the way to a carrier open through a NAT, which forgets after half a minute who is behind it.

RFC 5626 §3.5.1, §4.4.1, §4.4.2 say how often. Its STUN wants a server that has agreed to it, which few carriers' have; two
line ends are passed over by all (RFC 3261 §7.5), also as a datagram of their own. Nobody answers them: whether somebody is
there still, the next REGISTER finds out.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.keep_alive import OVER_CONNECTIONS, OVER_UDP, SOONEST

if TYPE_CHECKING:
    import random

    from appliance.clock import Timer, Timers
    from appliance.sip.endpoint import Endpoint
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["KeepOpen", "is_behind_nat"]

logger = logging.getLogger(__name__)


class KeepOpen:
    """Of one registration."""

    def __init__(self, endpoint: Endpoint, timers: Timers, random: random.Random) -> None:
        self._endpoint = endpoint
        self._timers = timers
        self._random = random
        self._flow: Flow | None = None
        self._timer: Timer | None = None

    def follow(self, flow: Flow | None, seen_at: Address | None) -> None:
        """The carrier knows us over that flow, and sees us there; None: it does not."""
        if flow is not None and not is_behind_nat(flow, seen_at):
            flow = None
        if flow != self._flow:
            self._flow = flow
            self._rest()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flow is not None:
            longest = OVER_CONNECTIONS if self._flow.reliable else OVER_UDP
            pause = longest * (SOONEST + (1 - SOONEST) * self._random.random())
            self._timer = self._timers.after(pause, self._due)

    def _due(self) -> None:
        assert self._flow is not None
        try:
            self._endpoint.keep_open(self._flow)
        except TransportError as error:
            logger.info("the way to %s cannot be kept open: %s", self._flow.remote[0], error)
        self._rest()


def is_behind_nat(flow: Flow, seen_at: Address | None) -> bool:
    """Whether the carrier sees us elsewhere than we are. It must have said so (RFC 3581)."""
    if seen_at is None:
        return False
    # Our port over a connection is the one that we listen on, which the carrier does not see.
    return seen_at[0] != flow.local[0] if flow.reliable else seen_at != flow.local
