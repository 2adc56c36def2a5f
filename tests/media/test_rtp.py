"""media/rtp.py: headers, and what RTCP is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.media.rtp import Packet, is_rtcp
from tests.media.fakes import rtcp_packet, rtp_packet

U16, U32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)


@given(st.builds(Packet, st.integers(0, 127), U16, U32, U32, st.binary(max_size=200), st.booleans()))
def test_parse_and_print_are_inverses(packet: Packet) -> None:
    assert Packet.parse(bytes(packet)) == packet


@given(st.binary(max_size=60))
def test_any_bytes_give_a_packet_or_a_peer_error(data: bytes) -> None:
    for candidate in (data, b"\x80" + data, b"\xbf" + data):
        try:
            Packet.parse(candidate)
        except PeerError as error:
            assert error.status == 400


def test_sources_extension_and_padding_are_read_over() -> None:
    # §5.1: P=1, X=1, CC=2, M=1, PT=8
    header = bytes.fromhex("b288 0007 0000000a 0000000b") + bytes(8)
    extension = bytes.fromhex("bede 0001") + bytes(4)
    packet = Packet.parse(header + extension + b"sound" + b"\x00\x00\x03")
    assert packet == Packet(8, 7, 10, 11, b"sound", marker=True)


@pytest.mark.parametrize(
    "data", [b"", rtp_packet()[:11], b"\x00" + rtp_packet()[1:], b"\x8f" + rtp_packet()[1:20]]
)
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        Packet.parse(data)


def test_rtcp_is_told_from_rtp() -> None:
    assert is_rtcp(rtcp_packet(200))
    assert not is_rtcp(rtp_packet(0))
    assert not is_rtcp(rtp_packet(0x80 | 101))  # a marked telephone-event
    assert not is_rtcp(rtcp_packet()[:7])
