"""RTP packets: the fixed header, bytes to values and back.

RFC 3550 §5.1 (header), §5.3.1 (extension), RFC 5761 §4 (telling RTP from RTCP).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from appliance.errors import PeerError

__all__ = ["HEADER_OCTETS", "Packet", "is_rtcp"]

HEADER_OCTETS = 12
VERSION_BITS = 0x80  # version 2 in the two highest bits

_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet. Contributing sources, extension and padding are read over and not kept."""

    payload_type: int
    "0 to 127."
    sequence: int
    "0 to 65535, up by one each packet."
    timestamp: int
    "32 bits, in units of the codec's clock."
    ssrc: int
    "32 bits."
    payload: bytes
    marker: bool = False

    @classmethod
    def parse(cls, data: bytes) -> Packet:
        """The packet in `data`; PeerError 400 when it is none."""
        if len(data) < HEADER_OCTETS or data[0] & 0xC0 != VERSION_BITS:
            raise PeerError(400, "Not An RTP Packet")
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        start = HEADER_OCTETS + 4 * (first & 0x0F)
        if first & 0x10:
            start += _extension_octets(data, start)
        end = len(data) - (data[-1] if first & 0x20 else 0)
        if start > end:
            raise PeerError(400, "RTP Packet Too Short")
        return cls(second & 0x7F, sequence, timestamp, ssrc, data[start:end], marker=bool(second & 0x80))

    def __bytes__(self) -> bytes:
        second = self.payload_type | (0x80 if self.marker else 0)
        header = _HEADER.pack(VERSION_BITS, second, self.sequence, self.timestamp, self.ssrc)
        return header + self.payload


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram of version 2 is RTCP: RFC 5761 §4 keeps 192 to 223 free for it."""
    return len(data) >= 8 and data[0] & 0xC0 == VERSION_BITS and 192 <= data[1] <= 223


def _extension_octets(data: bytes, start: int) -> int:
    if len(data) < start + 4:
        raise PeerError(400, "RTP Packet Too Short")
    return 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
