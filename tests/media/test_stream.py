"""media/stream.py: strict sources, latching, and where packets go."""

from __future__ import annotations

import pytest

from appliance.media.stream import RELATCH_PACKETS, Announced, Carries, Stream
from tests.media.fakes import FakeSockets, Socket, rtcp_packet, rtp_packet

PEER = ("192.0.2.10", 49170)
BEHIND_NAT = ("198.51.100.7", 61000)
HOSTS = frozenset({PEER[0], BEHIND_NAT[0]})


def make(carries: Carries = Carries.RTP) -> tuple[Stream, Stream, Socket, Socket]:
    """A stream, the one it is joined to, and their sockets."""
    sockets = FakeSockets()
    here, there = sockets("203.0.113.1", 30000), sockets("203.0.113.1", 30002)
    stream = Stream(here, carries, HOSTS, set())
    other = Stream(there, carries, HOSTS, set())
    stream.other, other.other = other, stream
    stream.announce(Announced(PEER, HOSTS, held=False))
    other.announce(Announced(("192.0.2.20", 5000), HOSTS, held=False))
    return stream, other, here, there


def test_packets_go_where_the_other_peer_wants_them() -> None:
    stream, _, _, there = make()
    stream.receive(rtp_packet(), PEER, 7.0)
    assert there.sent == [(rtp_packet(), ("192.0.2.20", 5000))]
    assert (stream.packets, stream.octets, stream.dropped, stream.last_packet_at) == (1, 172, 0, 7.0)


def test_the_first_packet_fixes_the_source_and_others_are_dropped() -> None:
    stream, _, here, there = make()
    stream.receive(rtp_packet(), BEHIND_NAT, 0)
    assert stream.source == stream.target == BEHIND_NAT
    for intruder in (PEER, (BEHIND_NAT[0], 61001), ("192.0.2.66", 49170)):
        stream.receive(rtp_packet(), intruder, 0)
    assert (stream.packets, stream.dropped, len(there.sent)) == (1, 3, 1)
    stream.send(b"back")
    assert here.sent == [(b"back", BEHIND_NAT)]


def test_a_host_that_nobody_named_is_never_let_in() -> None:
    stream, _, _, there = make()
    stream.receive(rtp_packet(), ("192.0.2.66", PEER[1]), 0)
    assert (stream.source, stream.dropped, there.sent) == (None, 1, [])


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\r\n\r\n", rtp_packet()[:11], b"\x40" + rtp_packet()[1:], rtp_packet(96), rtcp_packet()],
)
def test_no_other_packet_than_plausible_rtp_fixes_the_source(data: bytes) -> None:
    stream, _, _, there = make()
    stream.payload_types = frozenset({0, 101})
    stream.receive(data, PEER, 0)
    assert (stream.source, stream.dropped, there.sent) == (None, 1, [])


@pytest.mark.parametrize("payload_type", [0, 101, 0x80 | 101, 13])
def test_payload_types_of_the_description_and_comfort_noise_do(payload_type: int) -> None:
    stream, _, _, _ = make()
    stream.payload_types = frozenset({0, 101})
    stream.receive(rtp_packet(payload_type), PEER, 0)
    assert stream.source == PEER


def test_once_latched_nonsense_is_still_dropped() -> None:
    stream, _, _, there = make()
    for data in (rtp_packet(), b"", b"\x00\x01", rtp_packet(96)):
        stream.receive(data, PEER, 0)
    assert (stream.packets, stream.dropped, len(there.sent)) == (2, 2, 2)


def test_rtcp_needs_an_rtcp_packet() -> None:
    stream, _, _, _ = make(Carries.RTCP)
    stream.receive(rtp_packet(), PEER, 0)
    assert stream.source is None
    stream.receive(rtcp_packet(), PEER, 0)
    assert stream.source == PEER


def test_dtls_may_come_first_and_later_where_it_is_spoken() -> None:
    for carries, expected in ((Carries.DTLS_RTP, PEER), (Carries.DTLS_RTCP, PEER), (Carries.RTP, None)):
        stream, _, _, there = make(carries)
        stream.receive(b"\x16\xfe\xff", PEER, 0)
        stream.receive(b"\x16\xfe\xff", PEER, 0)
        assert stream.source == expected
        assert len(there.sent) == (2 if expected else 0)


def test_other_datagrams_pass_as_they_are() -> None:
    stream, _, _, there = make(Carries.DATAGRAMS)
    stream.receive(b"\x00\x01udptl", PEER, 0)
    stream.receive(b"\x00\x02udptl", PEER, 0)
    stream.receive(b"\x00\x02udptl", BEHIND_NAT, 0)
    assert [data for data, _ in there.sent] == [b"\x00\x01udptl", b"\x00\x02udptl"]


def test_muxed_rtcp_leaves_by_the_port_the_other_peer_takes_it_on() -> None:
    stream, _, _, there = make()
    rtcp_socket = FakeSockets()("203.0.113.1", 30003)
    rtcp = Stream(rtcp_socket, Carries.RTCP, HOSTS, set())
    rtcp.announce(Announced(("192.0.2.20", 5001), HOSTS, held=False))
    stream.receive(rtp_packet(), PEER, 0)
    stream.receive(rtcp_packet(), PEER, 0)  # the other peer muxes too
    stream.other_rtcp = rtcp
    stream.receive(rtcp_packet(), PEER, 0)
    stream.receive(rtp_packet(), PEER, 0)
    assert [data[1] for data, _ in there.sent] == [0, 200, 0]
    assert [data[1] for data, _ in rtcp_socket.sent] == [200]


def test_our_own_ports_are_no_source() -> None:
    stream, _, _, there = make()
    stream.own.add(PEER)
    stream.receive(rtp_packet(), PEER, 0)
    assert (stream.dropped, there.sent) == (1, [])


def test_a_new_address_is_used_at_once_and_latched_anew() -> None:
    stream, _, _, there = make()
    stream.receive(rtp_packet(), PEER, 0)
    moved = (PEER[0], 50000)
    stream.announce(Announced(moved, HOSTS, held=False))
    assert stream.target == moved
    stream.receive(rtp_packet(), PEER, 0)  # was on its way
    assert (stream.source, stream.target, len(there.sent)) == (None, moved, 2)
    stream.receive(rtp_packet(), moved, 0)
    assert stream.source == moved
    stream.receive(rtp_packet(), PEER, 0)
    assert (stream.dropped, len(there.sent)) == (1, 3)


def test_a_peer_that_goes_on_sending_from_the_old_address_is_latched_again() -> None:
    stream, _, _, there = make()
    stream.receive(rtp_packet(), BEHIND_NAT, 0)
    stream.announce(Announced((PEER[0], 50000), HOSTS, held=False))
    for _ in range(RELATCH_PACKETS):
        stream.receive(rtp_packet(), BEHIND_NAT, 0)
        assert stream.source is None
    stream.receive(rtp_packet(), BEHIND_NAT, 0)
    assert stream.source == stream.target == BEHIND_NAT
    assert len(there.sent) == RELATCH_PACKETS + 2


def test_the_same_address_again_changes_nothing() -> None:
    stream, _, _, _ = make()
    stream.receive(rtp_packet(), BEHIND_NAT, 0)
    stream.announce(Announced(PEER, HOSTS, held=False))
    assert stream.source == stream.target == BEHIND_NAT


def test_a_held_peer_gets_nothing_until_it_resumes() -> None:
    stream, _, here, there = make()
    stream.receive(rtp_packet(), BEHIND_NAT, 0)
    stream.announce(Announced(None, HOSTS, held=True))
    stream.send(b"x")
    stream.receive(rtp_packet(), BEHIND_NAT, 0)  # its music on hold
    assert (here.sent, stream.unsent, len(there.sent)) == ([], 1, 2)
    stream.announce(Announced(PEER, HOSTS, held=False))
    stream.send(b"y")
    assert here.sent == [(b"y", BEHIND_NAT)]


def test_what_cannot_be_sent_is_counted() -> None:
    stream, _, here, _ = make()
    here.refuses = True
    stream.send(b"x")
    assert stream.unsent == 1


def test_without_a_partner_packets_are_counted_only() -> None:
    stream, _, _, there = make()
    stream.other = None
    stream.receive(rtp_packet(), PEER, 0)
    assert (stream.source, stream.packets, there.sent) == (PEER, 1, [])
