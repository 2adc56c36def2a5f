"""What an exchange on a bench stands on: time that the test moves, and ports that carry nothing."""

from __future__ import annotations

from collections.abc import Callable

from appliance.clock import Timer, TimerHeap
from appliance.sip.transport.flow import Address

__all__ = ["HandTimers", "SilentSocket"]


class HandTimers:
    """A clock that the test moves by hand."""

    def __init__(self) -> None:
        self.heap = TimerHeap()
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def after(self, delay: float, callback: Callable[[], None]) -> Timer:
        return self.heap.add(self.time + delay, callback)

    def advance(self, seconds: float) -> None:
        until = self.time + seconds
        while (due := self.heap.next_due()) is not None and due <= until:
            self.time = max(self.time, due)
            callback = self.heap.pop_due(self.time)
            if callback is not None:
                callback()
        self.time = until


class SilentSocket:
    """A port that is open and carries nothing."""

    def fileno(self) -> int:
        return -1

    def recvfrom(self, size: int, /) -> tuple[bytes, Address]:
        raise BlockingIOError

    def sendto(self, data: bytes, address: object, /) -> int:
        return len(data)

    def close(self) -> None:
        return None
