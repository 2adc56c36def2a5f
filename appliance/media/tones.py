"""The tones that telephones know: ringing, busy, error, a short yes, a chime; each as the region is used to it.

ITU-T E.180/Q.35 and its supplement 2 (tones of the administrations), E.182 (what they mean).
"""

from __future__ import annotations

import audioop
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from appliance.media.g711 import RATE_HZ
from appliance.media.sound import Sound
from appliance.media.tone import sine

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["REGIONS", "Region", "Tone", "silence", "tone"]

Region = Literal["china", "europe", "north-america", "united-kingdom"]
Tone = Literal["ring-back", "busy", "error", "confirmation", "attention"]
REGIONS: tuple[Region, ...] = get_args(Region)

PEAK = 5_000
"Of one frequency: some -13 dBm0. E.180 asks for -10 dBm0 give or take 5 on a line, two frequencies together."


class Part(NamedTuple):
    """A piece of a tone: its frequencies together, or none for a pause."""

    seconds: float
    hz: tuple[float, ...] = ()


RING_BACK: dict[Region, tuple[Part, ...]] = {
    "china": (Part(1.0, (450,)), Part(4.0)),
    "europe": (Part(1.0, (425,)), Part(4.0)),
    "north-america": (Part(2.0, (440, 480)), Part(4.0)),
    "united-kingdom": (Part(0.4, (400, 450)), Part(0.2), Part(0.4, (400, 450)), Part(2.0)),
}
BUSY: dict[Region, tuple[Part, ...]] = {
    "china": (Part(0.35, (450,)), Part(0.35)),
    "europe": (Part(0.5, (425,)), Part(0.5)),
    "north-america": (Part(0.5, (480, 620)), Part(0.5)),
    "united-kingdom": (Part(0.375, (400,)), Part(0.375)),
}
# E.180 §7: the three tones that go before an announcement of failure, here instead of one
ERROR = (Part(0.33, (950,)), Part(0.33, (1_400,)), Part(0.33, (1_800,)), Part(1.0))
CONFIRMATION = (Part(0.1, (850,)), Part(0.05), Part(0.2, (1_100,)))
# What is heard where words would be that nobody has spoken yet: a major third, downwards, as a door chime has it.
ATTENTION = (Part(0.4, (660,)), Part(0.1), Part(0.6, (528,)))


@lru_cache(len(REGIONS) * len(get_args(Tone)))
def tone(kind: Tone, region: Region = "europe") -> Sound:
    """A tone, once through: ring-back and busy are for looping. Made in some milliseconds, and kept."""
    match kind:
        case "ring-back":
            return _sound(RING_BACK[region])
        case "busy":
            return _sound(BUSY[region])
        case "error":
            return _sound(ERROR)
        case "confirmation":
            return _sound(CONFIRMATION)
        case "attention":
            return _sound(ATTENTION)


@lru_cache(1)
def silence() -> Sound:
    """A second of nothing, for looping: packets that keep a NAT's way open."""
    return _sound((Part(1.0),))


def _sound(parts: Iterable[Part]) -> Sound:
    return Sound(b"".join(map(_samples, parts)))


def _samples(part: Part) -> bytes:
    count = round(part.seconds * RATE_HZ)
    samples = bytes(2 * count)
    for hz in part.hz:
        samples = audioop.add(samples, sine(hz, count, peak=PEAK).tobytes(), 2)
    return samples
