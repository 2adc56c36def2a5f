"""Tones: make one, and tell how much of a sound is one.

Used by `branchbox selftest` and by tests that check sound. Goertzel's algorithm is one bin of a Fourier transform.
"""

from __future__ import annotations

from array import array
from math import cos, pi, sin
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["sine", "tone_share"]


def sine(
    frequency_hz: float, count: int, *, start: int = 0, rate_hz: int = 8000, peak: int = 8000
) -> array[int]:
    """`count` samples of a sine from its sample number `start` on; `peak` is at most 32767."""
    step = 2 * pi * frequency_hz / rate_hz
    return array("h", [round(peak * sin(step * at)) for at in range(start, start + count)])


def tone_share(samples: Sequence[int], frequency_hz: float, *, rate_hz: int = 8000) -> float:
    """How much of the sound's power is in a tone of that frequency: 0 (none, or silence) to about 1 (all).

    The tone may be off by half of `rate_hz / len(samples)`; 800 samples at 8000 Hz tell 10 Hz apart.
    """
    count = len(samples)
    power = sum(sample * sample for sample in samples)
    if not power:
        return 0.0
    coefficient = 2 * cos(2 * pi * frequency_hz / rate_hz)
    last = before = 0.0
    for sample in samples:
        last, before = sample + coefficient * last - before, last
    bin_power = last * last + before * before - coefficient * last * before
    return 2 * bin_power / (count * power)
