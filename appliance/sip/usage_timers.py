"""The timers of one subscription, as its machine starts and stops them."""

from __future__ import annotations

__all__ = ["UsageTimers"]

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.clock import Timer, Timers
    from appliance.sip.dialog.subscription import SubscriptionTimer


class UsageTimers:
    """At most one of each name; `fired` is told its name."""

    __slots__ = ("_fired", "_running", "_timers")

    def __init__(self, timers: Timers, fired: Callable[[SubscriptionTimer], None]) -> None:
        self._timers = timers
        self._fired = fired
        self._running: dict[SubscriptionTimer, Timer] = {}

    def start(self, timer: SubscriptionTimer, delay: float) -> None:
        """Let it run for `delay` seconds, from now and instead of what it had left."""
        self.stop(timer)
        self._running[timer] = self._timers.after(delay, partial(self._fire, timer))

    def stop(self, timer: SubscriptionTimer) -> None:
        """Harmless when it does not run."""
        running = self._running.pop(timer, None)
        if running is not None:
            running.cancel()

    def _fire(self, timer: SubscriptionTimer) -> None:
        del self._running[timer]
        self._fired(timer)
