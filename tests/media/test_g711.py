"""media/g711.py: known octets, and every sample comes back within its segment's step."""

from __future__ import annotations

import pytest

from appliance.media.g711 import Law, decode, encode


@pytest.mark.parametrize(
    ("law", "sample", "octet"),
    # ITU-T G.711 tables 1 and 2: silence, the two ends, and the first step on either side
    [
        ("PCMU", 0, 0xFF), ("PCMU", 32767, 0x80), ("PCMU", -32768, 0x00), ("PCMU", 8, 0xFE), ("PCMU", -8, 0x7E),
        ("PCMA", 0, 0xD5), ("PCMA", 32767, 0xAA), ("PCMA", -32768, 0x2A), ("PCMA", -1, 0x55),
    ],
)  # fmt: skip
def test_known_values(law: Law, sample: int, octet: int) -> None:
    assert encode([sample], law) == bytes([octet])


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_every_octet_comes_back(law: Law) -> None:
    octets = bytes(each for each in range(256) if (law, each) != ("PCMU", 0x7F))  # µ-law's second zero
    assert encode(decode(octets, law), law) == octets


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_the_error_is_within_half_a_step(law: Law) -> None:
    samples = range(-32768, 32768, 7)
    for sample, heard in zip(samples, decode(encode(samples, law), law), strict=True):
        assert abs(sample - heard) <= max(16, abs(sample) / 31 + 8)
