"""Chance that nobody can guess, as `random.Random` gives it.

RFC 3261 §19.3 (tags), §8.1.1.7 (branches): whoever could guess the next from those before could speak for another.
"""

from __future__ import annotations

import os
import random

__all__ = ["Chance"]

POOL = 4096
"Octets asked of the kernel at a time: a call takes some 200, and asking costs more than all that is made of them."


class Chance(random.SystemRandom):
    """The kernel's own randomness, fetched in larger pieces. Each octet is used once and forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = b""
        self._at = 0

    def getrandbits(self, k: int) -> int:
        """An integer of `k` random bits."""
        octets = (k + 7) // 8
        return int.from_bytes(self._take(octets)) >> (octets * 8 - k)

    def random(self) -> float:
        """A float from 0.0 to below 1.0, with 53 random bits."""
        return self.getrandbits(53) * 2**-53

    def randbytes(self, n: int) -> bytes:
        """`n` random octets."""
        return self._take(n)

    def _take(self, count: int) -> bytes:
        if count > POOL:
            return os.urandom(count)
        if self._at + count > len(self._pool):
            self._pool, self._at = os.urandom(POOL), 0
        taken = self._pool[self._at : self._at + count]
        self._at += count
        return taken
