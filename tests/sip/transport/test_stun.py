"""STUN keep-alives. RFC 5626 §8; the addresses of RFC 5769 §2.2, §2.3."""

from __future__ import annotations

import pytest

from appliance.sip.transport.stun import answer_stun

# RFC 5769: the transaction ID of all its samples.
HEADER = bytes.fromhex("2112a442b7e7a701bc34d686fa87dfae")
REQUEST = bytes.fromhex("00010000") + HEADER


@pytest.mark.parametrize(
    ("remote", "attribute"),
    [
        (("192.0.2.1", 32853), "002000080001a147e112a643"),
        (
            ("2001:db8:1234:5678:11:2233:4455:6677", 32853),
            "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
        ),
    ],
)
def test_a_phone_learns_its_address(remote: tuple[str, int], attribute: str) -> None:
    value = bytes.fromhex(attribute)
    assert answer_stun(REQUEST, remote) == bytes([1, 1, 0, len(value)]) + HEADER + value


def test_attributes_are_no_matter() -> None:
    software = bytes.fromhex("8022000474657374")
    request = bytes.fromhex("00010008") + HEADER + software
    assert answer_stun(request, ("192.0.2.1", 32853)) == answer_stun(REQUEST, ("192.0.2.1", 32853))


@pytest.mark.parametrize(
    "data",
    [
        b"", REQUEST[:-1], REQUEST + b"x", b"\0\2" + REQUEST[2:], b"\1\1" + REQUEST[2:],
        REQUEST[:4] + b"\0\0\0\0" + REQUEST[8:], b"\0\1\0\4" + REQUEST[4:], b"\0" * 20,
    ],
)  # fmt: skip
def test_anything_else_is_not_answered(data: bytes) -> None:
    assert answer_stun(data, ("192.0.2.1", 32853)) is None
