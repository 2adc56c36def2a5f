"""G.711: 16-bit samples to µ-law and A-law octets and back, by table.

ITU-T G.711; RFC 3551 §4.5.14 (PCMU is payload type 0, PCMA 8, both 8000 Hz).
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PAYLOAD_TYPES", "RATE_HZ", "Law", "decode", "encode"]

Law = Literal["PCMU", "PCMA"]
PAYLOAD_TYPES: dict[Law, int] = {"PCMU": 0, "PCMA": 8}
RATE_HZ = 8000

_BIAS = 33  # µ-law's segments begin at powers of two after this is added
_CLIP = 8_158  # the largest magnitude that the last segment holds


def decode(data: bytes, law: Law) -> array[int]:
    """Samples of -32768 to 32767, one for each octet."""
    table = _decoding(law)
    return array("h", [table[octet] for octet in data])


def encode(samples: Iterable[int], law: Law) -> bytes:
    """One octet for each sample of -32768 to 32767."""
    table = _encoding(law)
    return bytes([table[sample & 0xFFFF] for sample in samples])


@cache
def _decoding(law: Law) -> tuple[int, ...]:
    from_octet = _from_mu_law if law == "PCMU" else _from_a_law
    return tuple(from_octet(octet) for octet in range(256))


@cache
def _encoding(law: Law) -> bytes:
    to_octet = _to_mu_law if law == "PCMU" else _to_a_law
    return bytes(to_octet(value - 0x1_0000 if value & 0x8000 else value) for value in range(0x1_0000))


def _from_mu_law(octet: int) -> int:
    octet ^= 0xFF
    magnitude = ((((octet & 0x0F) << 1) + _BIAS << (octet >> 4 & 7)) - _BIAS) << 2
    return -magnitude if octet & 0x80 else magnitude


def _to_mu_law(sample: int) -> int:
    value = sample >> 2  # µ-law is defined on 14 bits
    sign = 0x80 if value < 0 else 0
    magnitude = min(abs(value), _CLIP) + _BIAS
    segment = magnitude.bit_length() - 6
    return ~(sign | segment << 4 | magnitude >> segment + 1 & 0x0F) & 0xFF


def _from_a_law(octet: int) -> int:
    octet ^= 0x55
    segment = octet >> 4 & 7
    magnitude = (octet & 0x0F) << 4 | 8
    if segment:
        magnitude = magnitude + 0x100 << segment - 1
    return magnitude if octet & 0x80 else -magnitude


def _to_a_law(sample: int) -> int:
    value = sample >> 3  # A-law is defined on 13 bits
    sign = 0x80 if value >= 0 else 0
    magnitude = value if value >= 0 else ~value  # -1 and 0 share the lowest step
    segment = max(magnitude.bit_length() - 5, 0)
    return (sign | segment << 4 | magnitude >> (segment or 1) & 0x0F) ^ 0x55
