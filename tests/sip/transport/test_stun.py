"""STUN keep-alives. RFC 5626 §8; the addresses of RFC 5769 §2.2, §2.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sip.transport.stun import answer_stun, make_stun, read_stun

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


@pytest.mark.parametrize(
    "remote", [("192.0.2.1", 32853), ("2001:db8:1234:5678:11:2233:4455:6677", 32853), ("127.0.0.1", 1)]
)
def test_we_learn_ours(remote: tuple[str, int]) -> None:
    answer = answer_stun(make_stun(b"transaction!"), remote)
    assert answer is not None
    assert read_stun(answer) == (b"transaction!", remote)


def test_what_stands_before_the_address_is_passed_over() -> None:
    software = bytes.fromhex("8022000574657374" + "31000000")
    value = bytes.fromhex("002000080001a147e112a643")
    answer = bytes.fromhex("01010018") + HEADER + software + value
    assert read_stun(answer) == (HEADER[4:], ("192.0.2.1", 32853))


@pytest.mark.parametrize(
    "data",
    [
        b"", REQUEST, b"\1\1" + REQUEST[2:], b"\1\1\0\4" + HEADER + b"\0\x20\0\x08", b"\1\1\0\4" + REQUEST[4:],
        b"\1\1\0\x0c" + HEADER + bytes.fromhex("0020000700011111e112a643"), b"\1\1\0\2" + HEADER + b"ab",
        b"\1\1\0\x0c" + bytes(16) + bytes(12), b"\1\1\0\x0c" + HEADER + bytes.fromhex("002000140001a147e112a643"),
    ],
)  # fmt: skip
def test_answers_that_say_nothing(data: bytes) -> None:
    assert read_stun(data) is None


@given(st.binary(max_size=80))
def test_any_octets_are_survived(data: bytes) -> None:
    for octets in (data, b"\1\1" + len(data).to_bytes(2, "big") + HEADER + data):
        read_stun(octets)
        answer_stun(octets, ("192.0.2.1", 1))
