"""Keys out of RTP (RFC 4733)."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from appliance.media.keys import KEYS, KeyReader, event_numbers
from appliance.media.sdp import parse_sdp


def packet(
    event: int, timestamp: int, *, sequence: int = 1, payload_type: int = 101, first: int = 0x80
) -> bytes:
    header = struct.pack("!BBHII", first, payload_type, sequence, timestamp, 7)
    return header + bytes(4 * (first & 15)) + struct.pack("!BBH", event, 10, 160)


def test_each_event_is_told_once() -> None:
    pressed: list[str] = []
    reader = KeyReader(pressed.append, lambda: frozenset({101}))
    for timestamp, event in ((160, 1), (800, 1), (1600, 11), (2400, 10), (3200, 15)):
        for sequence in range(6):
            reader.read(packet(event, timestamp, sequence=sequence))
    assert "".join(pressed) == "11#*D"


def test_what_is_no_key_is_none() -> None:
    pressed: list[str] = []
    reader = KeyReader(pressed.append, lambda: frozenset({101}))
    for each in (
        packet(16, 160),  # a flash
        packet(1, 320, payload_type=8),
        packet(1, 480, first=0x90),
        packet(1, 640)[:15],
        b"",
    ):
        reader.read(each)
    reader.read(packet(2, 800, first=0x81))
    assert pressed == ["2"]


def test_other_numbers_hold_once_another_description_does() -> None:
    pressed: list[str] = []
    numbers = [frozenset({101}), frozenset({96})]
    reader = KeyReader(pressed.append, lambda: numbers[0])
    reader.read(packet(1, 160))
    del numbers[0]
    reader.read(packet(2, 320, payload_type=96))
    reader.forget()
    reader.read(packet(3, 480, payload_type=96))
    assert pressed == ["1", "3"]


@given(st.binary(max_size=40))
def test_whatever_comes(data: bytes) -> None:
    pressed: list[str] = []
    KeyReader(pressed.append, lambda: frozenset(range(128))).read(data)
    assert set(pressed) <= set(KEYS)


def test_the_numbers_of_a_description() -> None:
    sdp = b"v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 96\r\n"
    assert event_numbers(parse_sdp(sdp + b"a=rtpmap:96 telephone-event/8000\r\n").media) == {96}
    assert event_numbers(parse_sdp(sdp).media) == frozenset()
