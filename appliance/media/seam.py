"""What a peer hears from several sources in turn, its partner, music, a tone, another partner, made one stream.

RFC 3550 §5.1: every source has an SSRC of its own, and numbers and timestamps that begin anywhere. A peer should take the change of one for
another, and there are phones that do not: baresip 1.0.0 drops all that comes with timestamps behind those of the source before,
so that it is deaf from a hold on. Here whoever comes next goes on with the SSRC, the numbers and the clock of the one before.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from appliance.media.g711 import RATE_HZ
from appliance.media.rtp import HEADER_OCTETS, is_rtcp
from appliance.media.sound import FRAME_SAMPLES

if TYPE_CHECKING:
    from appliance.media.stream import Stream

__all__ = ["Heard", "Place", "Seam", "place_of"]

_HEADER = struct.Struct("!BBHII")
VERSION_BITS = 0x80
MARKER = 0x80
MOST_SECONDS = 60.0
"Of silence that timestamps tell of: half their range would be three days, and no player waits that long."


class Place(NamedTuple):
    """Where a stream is: of one packet."""

    sequence: int
    timestamp: int
    ssrc: int


class Heard(NamedTuple):
    """What a peer heard last from a source that it hears no more."""

    source: int
    "Which port it came in at; another may have this name once that is gone."
    data: bytes
    at: float
    "Seconds, by the relay's clock."


def place_of(data: bytes, payload_type: int) -> Place | None:
    """Where a stream is whose last packet that was; None when it is no RTP, or of another payload type."""
    if len(data) < HEADER_OCTETS or data[0] & 0xC0 != VERSION_BITS or data[1] & 0x7F != payload_type:
        return None
    _, _, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    return Place(sequence, timestamp, ssrc)


class Seam:
    """Of one port of a leg, from the first change of sources on."""

    __slots__ = ("_at", "_place", "_shift", "_source", "_stream", "feeder", "payload_type")

    def __init__(self, stream: Stream, payload_type: int, place: Place, at: float) -> None:
        """`place` and `at` (seconds, by the relay's clock) are of the last packet that the peer of `stream` has got."""
        self._stream = stream
        self.payload_type = payload_type
        "Of the codec, whose clock is G.711's; what comes with others goes on with it, but begins nothing."
        self._place = place
        self._at = at
        self._source: int | None = None  # the SSRC that comes in at present
        self._shift = (0, 0)
        self.feeder: Stream | None = None
        "Where what is sent comes in."

    def next(self, now: float) -> Place:
        """Of a packet that is sent now, the first one of another source."""
        samples = max(FRAME_SAMPLES, round(min(now - self._at, MOST_SECONDS) * RATE_HZ))
        last = self._place
        return Place(last.sequence + 1 & 0xFFFF, last.timestamp + samples & 0xFFFF_FFFF, last.ssrc)

    def note(self, last: Place, now: float) -> None:
        """Something of our own was played until now, and that was its last packet. Whoever is heard next comes anew."""
        self._place = last
        self._at = now
        self._source = None

    def send(self, data: bytes) -> None:
        """A datagram of the partner's, to the peer."""
        if len(data) < HEADER_OCTETS or data[0] & 0xC0 != VERSION_BITS or is_rtcp(data):
            self._stream.send(data)
            return
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        now = self._now()
        if ssrc != self._source:
            if second & 0x7F != self.payload_type:
                self._stream.send(data)  # keys or noise ahead of any sound, or another codec
                return
            to = self.next(now)
            self._shift = to.sequence - sequence, to.timestamp - timestamp
            self._source = ssrc
            second |= MARKER
        sequence, timestamp = sequence + self._shift[0] & 0xFFFF, timestamp + self._shift[1] & 0xFFFF_FFFF
        if sequence - self._place.sequence & 0xFFFF < 0x8000:  # one that was overtaken is not the last
            self._place = Place(sequence, timestamp, self._place.ssrc)
            self._at = now
        header = _HEADER.pack(first, second, sequence, timestamp, self._place.ssrc)
        self._stream.send(header + data[HEADER_OCTETS:])

    def _now(self) -> float:
        at = None if self.feeder is None else self.feeder.last_packet_at
        return self._at if at is None else at
