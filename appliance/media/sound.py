"""Sounds to play: G.711 in packets of 20 ms, made once.

RFC 3551 §4.5.14 (a sample is an octet, by either law).
"""

from __future__ import annotations

import audioop
from typing import TYPE_CHECKING

from appliance.media.g711 import RATE_HZ

if TYPE_CHECKING:
    from appliance.media.g711 import Law

__all__ = ["FRAME_S", "FRAME_SAMPLES", "Sound"]

FRAME_S = 0.02
FRAME_SAMPLES = 160
"Also a frame's octets, and by how much an RTP timestamp rises."
SAMPLE_OCTETS = 2


class Sound:
    """Sound in both laws, ready to be sent: 16 kB a second. Nobody changes it, and many legs may be played it at once."""

    def __init__(self, samples: bytes) -> None:
        """`samples` are 16-bit, mono, 8000 a second, in this machine's byte order; silence fills the last frame up.

        Encoding takes some 20 ms for a minute: longer sounds are made in a thread.
        """
        samples += bytes(-len(samples) % (FRAME_SAMPLES * SAMPLE_OCTETS))
        self._octets: dict[Law, bytes] = {
            "PCMU": audioop.lin2ulaw(samples, SAMPLE_OCTETS),
            "PCMA": audioop.lin2alaw(samples, SAMPLE_OCTETS),
        }
        self.frames = len(samples) // (FRAME_SAMPLES * SAMPLE_OCTETS)

    @property
    def seconds(self) -> float:
        """How long it takes to play it once."""
        return self.frames * FRAME_SAMPLES / RATE_HZ

    def samples(self) -> bytes:
        """The sound as `__init__` takes it, as it arrives at a telephone."""
        return audioop.ulaw2lin(self._octets["PCMU"], SAMPLE_OCTETS)

    def frame(self, at: int, law: Law) -> bytes:
        """The payload of one packet; `at` counts from 0."""
        start = at * FRAME_SAMPLES
        return self._octets[law][start : start + FRAME_SAMPLES]
