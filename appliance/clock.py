"""One heap of timers for the whole exchange, and the task that runs it.

`TimerHeap` is pure: the time is an argument. `Clock` adds anyio's time, which is virtual in simulations.
A callback is a plain function and must not block; what it raises is logged and harms no other timer.
"""

from __future__ import annotations

import heapq
import logging
from itertools import count
from typing import TYPE_CHECKING, Protocol

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock", "Timer", "TimerHeap", "Timers"]

logger = logging.getLogger(__name__)


class Timer:
    """A callback that is due at a moment, until it has run or was cancelled."""

    __slots__ = ("callback", "due")

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    @property
    def active(self) -> bool:
        """Whether the callback is still to run."""
        return self.callback is not None

    def cancel(self) -> None:
        """Never run the callback. Cancelling twice, or too late, is harmless."""
        self.callback = None


class Timers(Protocol):
    """What the rest of the exchange sees of the clock."""

    def now(self) -> float:
        """Seconds on a clock that only goes forward; no date."""

    def after(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` once, `delay` seconds from now, unless it is cancelled."""


class TimerHeap:
    """Timers in the order in which they are due. Cancelled ones are swept when they surface or prevail."""

    # A cancelled timer costs some 100 octets until it surfaces; sweeping below this size is not worth it.
    SWEEP_FLOOR = 1024

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._sweep_at = self.SWEEP_FLOOR

    def __len__(self) -> int:
        return sum(timer.active for _, _, timer in self._heap)

    def add(self, due: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(due, callback)
        heapq.heappush(self._heap, (due, next(self._order), timer))
        if len(self._heap) > self._sweep_at:
            self._sweep()
        return timer

    def next_due(self) -> float | None:
        """When the earliest active timer is due; None when there is none."""
        heap = self._heap
        while heap and heap[0][2].callback is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now: float) -> Callable[[], None] | None:
        """Take out the earliest timer that is due at `now`; None when nothing is."""
        due = self.next_due()
        if due is None or due > now:
            return None
        timer = heapq.heappop(self._heap)[2]
        callback = timer.callback
        timer.cancel()
        return callback

    def _sweep(self) -> None:
        self._heap = [entry for entry in self._heap if entry[2].callback is not None]
        heapq.heapify(self._heap)
        self._sweep_at = max(self.SWEEP_FLOOR, 2 * len(self._heap))


class Clock:
    """The exchange's one clock: `Timers` for everybody, and `run` as a task of its own."""

    GRAIN = 0.01
    """Seconds between two times that the task wakes up to run timers. Waking up costs half as much as a message, a call
    has some ten timers, and none is shorter than 0.5 s; one alone is run on time. A player's tick may come so much late."""

    def __init__(self, now: Callable[[], float] = anyio.current_time) -> None:
        """`now` may be what the event loop itself goes by, where it is known: anyio has to find that out each time."""
        self._now = now
        self._heap = TimerHeap()
        self._sleeping_until = float("inf")
        self._ran_at = float("-inf")
        self._earlier: anyio.Event | None = None

    def now(self) -> float:
        """Seconds on anyio's clock."""
        return self._now()

    def after(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = self._heap.add(self._now() + delay, callback)
        if timer.due < self._sleeping_until and self._earlier is not None:
            self._earlier.set()
        return timer

    @property
    def pending(self) -> int:
        """How many timers are still to run: what a simulation checks for leaks."""
        return len(self._heap)

    async def run(self) -> None:
        """Run timers as they fall due, for ever."""
        while True:
            self._run_due()
            await self._sleep()

    def _run_due(self) -> None:
        now = self.now()
        while callback := self._heap.pop_due(now):
            self._ran_at = now
            try:
                callback()
            except Exception:
                logger.exception("a timer's callback failed")

    async def _sleep(self) -> None:
        due = self._heap.next_due()
        self._sleeping_until = float("inf") if due is None else due
        self._earlier = anyio.Event()
        # A deadline of infinity means: until somebody adds a timer.
        with anyio.CancelScope(deadline=max(self._sleeping_until, self._ran_at + self.GRAIN)):
            await self._earlier.wait()
        self._earlier = None
        self._sleeping_until = float("inf")
