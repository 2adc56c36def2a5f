"""Keep-alives of ours: a flow to a server behind a NAT's back stays open, and its user hears when it does not.

RFC 5626 §4.4.1 (CRLF, over connections), §4.4.2 (STUN, over UDP), §4.4 (how often).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from appliance.clock import Timer, Timers
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["OVER_CONNECTIONS", "OVER_UDP", "PATIENCE", "KeepAlive", "Pulse"]

OVER_CONNECTIONS, OVER_UDP = 120.0, 29.0
"Seconds between two, at the most, for a server that names no other time (§4.4.1, §4.4.2)."
SOONEST = 0.8
"The part of that time after which the next one may go already: drawn anew each time, so that not all come at once."
PATIENCE = 10.0
"Seconds in which the answer must be there (§4.4.1); over UDP it is asked for again at intervals that double."
FIRST_REPEAT = 0.5
"Seconds until a ping over UDP is repeated for the first time (RFC 5389 §7.2.1)."


class Pulse(Protocol):
    """Whoever can send them: `SocketTransports`."""

    def ping(self, flow: Flow, on_pong: Callable[[Address | None], None]) -> None:
        """Send one. TransportError."""


class KeepAlive:
    """Keeps one flow open, of which the server has said that it answers keep-alives, from `start` to `stop`."""

    def __init__(
        self,
        timers: Timers,
        chance: random.Random,
        pulse: Pulse,
        flow: Flow,
        on_failed: Callable[[], None],
    ) -> None:
        """`on_failed` is told once when the flow is gone, or leads to another address of ours; then it is over."""
        self._timers = timers
        self._chance = chance
        self._pulse = pulse
        self._flow = flow
        self._on_failed = on_failed
        self._every = OVER_CONNECTIONS if flow.reliable else OVER_UDP
        self._seen: Address | None = None
        self._waited = 0.0
        self._timer: Timer | None = None
        self._asking = False

    def start(self, seconds: float | None = None) -> None:
        """Begin; `seconds` is the time between two that the server asks for (Flow-Timer)."""
        self._every = seconds or self._every
        self._rest()

    def stop(self) -> None:
        """The flow is not needed any more. Harmless when it was not kept."""
        self._asking = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _after(self, delay: float, step: Callable[[], None]) -> None:
        self.stop()
        self._timer = self._timers.after(delay, step)

    def _rest(self) -> None:
        self._after(self._every * (SOONEST + (1 - SOONEST) * self._chance.random()), self._begin)

    def _begin(self) -> None:
        self._waited = 0.0
        self._ask(FIRST_REPEAT if not self._flow.reliable else PATIENCE)

    def _ask(self, patience: float) -> None:
        if self._waited >= PATIENCE:
            self._fail()
            return
        try:
            self._pulse.ping(self._flow, self._ponged)
        except TransportError:
            self._fail()
            return
        self._waited += patience
        self._after(
            patience, lambda: self._ask(min(2 * patience, max(PATIENCE - self._waited, FIRST_REPEAT)))
        )
        self._asking = True

    def _ponged(self, address: Address | None) -> None:
        if not self._asking:
            return  # it was stopped, or has had its answer
        moved = address is not None and self._seen not in (None, address)
        self._seen = address
        # §4.4.2: another address means that a NAT in between has lost the flow: nobody reaches us by the old one.
        self._fail() if moved else self._rest()

    def _fail(self) -> None:
        self.stop()
        self._on_failed()
