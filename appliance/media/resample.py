"""Sound of any usual rate made into what a telephone plays: 8000 samples a second, nothing above 3.6 kHz left to fold down.

A rate that is no multiple of 8000 goes up to the next one by straight lines first; then a windowed sinc goes down.
"""

from __future__ import annotations

import audioop
from array import array
from functools import cache
from math import cos, pi, sin
from typing import Any

from appliance.media.g711 import RATE_HZ

__all__ = ["Resampler"]

CUT_OFF_HZ = 3_600.0
TAPS_A_SAMPLE = 8
"""Length of the filter in samples of the outcome. Eight let 3.4 kHz through, and what would fold down onto speech below 3 kHz
comes out 40 dB weaker."""


class Resampler:
    """Mono samples of 32 bits in, piece by piece, mono samples of 16 bits out."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._ratio = -(-rate_hz // RATE_HZ)
        self._state: Any = None
        self._kept = array("i", bytes(4 * len(_filter(self._ratio))))
        "The last samples of the piece before: the filter reaches back."

    def feed(self, samples: bytes) -> bytes:
        """The next piece. What comes out is late by half a filter, half a millisecond."""
        if self._rate_hz % RATE_HZ:
            samples, self._state = audioop.ratecv(
                samples, 4, 1, self._rate_hz, self._ratio * RATE_HZ, self._state
            )
        if self._ratio == 1:
            return audioop.lin2lin(samples, 4, 2)
        return audioop.lin2lin(self._down(array("i", samples)), 4, 2)

    def _down(self, piece: array[int]) -> bytes:
        taps, ratio = _filter(self._ratio), self._ratio
        waiting = self._kept + piece
        count = (len(waiting) - len(taps)) // ratio
        if count <= 0:
            self._kept = waiting
            return b""
        total = bytes(4 * count)
        # Each tap by itself over all samples it meets: the arithmetic is audioop's, not Python's.
        for at, tap in enumerate(taps):
            met = waiting[at : at + count * ratio : ratio].tobytes()
            total = audioop.add(total, audioop.mul(met, 4, tap), 4)
        self._kept = waiting[count * ratio :]
        return total


@cache
def _filter(ratio: int) -> tuple[float, ...]:
    """A low-pass for `ratio` times 8000 samples a second: Hamming's window over a sinc, together 1."""
    count = TAPS_A_SAMPLE * ratio + 1
    middle = count // 2
    shape = 2 * CUT_OFF_HZ / (ratio * RATE_HZ)
    taps = [
        _sinc(shape * (at - middle)) * (0.54 - 0.46 * cos(2 * pi * at / (count - 1))) for at in range(count)
    ]
    total = sum(taps)
    return tuple(tap / total for tap in taps)


def _sinc(x: float) -> float:
    return 1.0 if x == 0 else sin(pi * x) / (pi * x)
