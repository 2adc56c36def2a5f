"""Tells open pages that something changed, so that they look again. It says that, not what."""

from __future__ import annotations

import anyio

__all__ = ["Feed"]


class Feed:
    """A counter that one can wait on: no queue, so no reader, however slow, holds anything up."""

    def __init__(self) -> None:
        self._changes = 0
        self._changed: anyio.Event | None = (
            None  # made when somebody waits: making one takes longer than a change
        )

    @property
    def changes(self) -> int:
        """How many changes there were since the start."""
        return self._changes

    def changed(self) -> None:
        """Say that live state is not what it was: a call, a registration, a setting."""
        self._changes += 1
        waited_for, self._changed = self._changed, None
        if waited_for is not None:
            waited_for.set()

    async def wait(self, seen: int) -> int:
        """Wait until there are more changes than `seen`; return how many there are."""
        while self._changes <= seen:
            self._changed = self._changed or anyio.Event()
            await self._changed.wait()
        return self._changes
