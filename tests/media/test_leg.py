"""media/leg.py: what a leg's peer is told, across offers, answers and re-INVITEs, and which hosts it may use."""

from __future__ import annotations

import pytest

from appliance.errors import LocalError, PeerError
from appliance.media.leg import LegMedia
from appliance.media.relay import Relay
from tests.media.fakes import OFFER, FakeSockets, Socket, make_relay, media_ports, rtcp_packet, rtp_packet

OURS = "203.0.113.1"
ANSWER = OFFER.replace(b"192.0.2.10", b"192.0.2.20").replace(b"49170", b"5000")
VIDEO = b"m=video 49180 RTP/AVP 96\r\n"


def origin(sdp: bytes) -> tuple[str, int]:
    fields = next(line for line in sdp.decode().splitlines() if line.startswith("o=")).split()
    return fields[1], int(fields[2])


def make_call(
    sockets: FakeSockets, relay: Relay, offer: bytes = OFFER, answer: bytes = ANSWER
) -> tuple[LegMedia, ...]:
    caller, callee = relay.open_leg(OURS, "192.0.2.10"), relay.open_leg(OURS, "192.0.2.20")
    caller.expect(offer)
    callee.describe(offer)
    relay.join(caller, callee)
    callee.expect(answer)
    caller.describe(answer)
    return caller, callee


def inject(leg: LegMedia, data: bytes, source: tuple[str, int], *, at: int = 0, rtcp: bool = False) -> None:
    pair = leg._pairs[at]
    assert pair is not None
    (pair.rtcp if rtcp else pair.rtp).receive(data, source, 1.0)


def sent(sockets: FakeSockets) -> list[tuple[bytes, tuple[str, int]]]:
    return [each for socket in sockets.open.values() for each in socket.sent]


def test_a_call_is_relayed_both_ways_and_its_ports_given_back() -> None:
    relay, sockets, _ = make_relay()
    caller, callee = make_call(sockets, relay)
    assert relay.open_ports == 4
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    inject(callee, rtp_packet(8), ("192.0.2.20", 5000))
    inject(caller, rtcp_packet(), ("192.0.2.10", 49171), rtcp=True)
    assert sorted(sent(sockets)) == sorted(
        [
            (rtp_packet(), ("192.0.2.20", 5000)),
            (rtp_packet(8), ("192.0.2.10", 49170)),
            (rtcp_packet(), ("192.0.2.20", 5001)),
        ]
    )
    assert (caller.statistics().packets, caller.statistics().octets) == (2, 200)
    assert caller.statistics().last_packet_at == 1.0
    caller.close()
    callee.close()
    callee.close()
    assert (relay.open_ports, sockets.open, relay._own) == (0, {}, set())


def test_the_same_description_has_the_same_version_and_a_changed_one_a_higher() -> None:
    leg = make_relay()[0].open_leg(OURS, "192.0.2.20")
    first = leg.describe(OFFER)
    assert leg.describe(OFFER) == first
    # Where the other side's media comes from is not this peer's affair: our description does not change.
    assert leg.describe(OFFER.replace(b"2890844526", b"3").replace(b"49170", b"6000")) == first
    held = leg.describe(OFFER + b"a=sendonly\r\n")
    assert origin(held) == (origin(first)[0], origin(first)[1] + 1)
    assert media_ports(held) == media_ports(first)


def test_each_leg_has_a_session_of_its_own() -> None:
    relay, _, _ = make_relay()
    sessions = {origin(relay.open_leg(OURS, "192.0.2.1").describe(OFFER))[0] for _ in range(5)}
    assert len(sessions) == 5


def test_an_m_line_keeps_its_ports_through_refusal_and_return() -> None:
    relay, _, _ = make_relay()
    leg = relay.open_leg(OURS, "192.0.2.20")
    audio, video = media_ports(leg.describe(OFFER + VIDEO))
    assert audio != video
    assert media_ports(leg.describe(OFFER + VIDEO.replace(b"49180", b"0"))) == [audio, 0]
    assert media_ports(leg.describe(OFFER + VIDEO)) == [audio, video]
    assert relay.open_ports == 4


def test_a_medium_over_tcp_is_offered_as_refused() -> None:
    leg = make_relay()[0].open_leg(OURS, "192.0.2.20")
    assert media_ports(leg.describe(OFFER + b"m=message 2855 TCP/MSRP *\r\n"))[1] == 0


def test_a_medium_added_later_is_relayed_too() -> None:
    relay, sockets, _ = make_relay()
    caller, callee = make_call(sockets, relay)
    caller.expect(OFFER + VIDEO)
    callee.describe(OFFER + VIDEO)
    callee.expect(ANSWER + VIDEO.replace(b"49180", b"5002"))
    caller.describe(ANSWER + VIDEO.replace(b"49180", b"5002"))
    inject(caller, rtp_packet(96), ("192.0.2.10", 49180), at=1)
    assert sent(sockets) == [(rtp_packet(96), ("192.0.2.20", 5002))]


def test_early_sound_is_heard_before_the_answer() -> None:
    relay, sockets, _ = make_relay()
    caller, callee = relay.open_leg(OURS, "192.0.2.10"), relay.open_leg(OURS, "192.0.2.20")
    caller.expect(OFFER)
    callee.describe(OFFER)
    relay.join(caller, callee)
    inject(callee, rtp_packet(96), ("192.0.2.20", 7000))  # not what we offered
    inject(callee, rtp_packet(0), ("192.0.2.66", 7000))  # not the peer
    inject(callee, rtp_packet(0), ("192.0.2.20", 7000))
    assert sent(sockets) == [(rtp_packet(0), ("192.0.2.10", 49170))]


def test_rtcp_goes_where_the_peer_says() -> None:
    relay, sockets, _ = make_relay()
    caller, callee = make_call(sockets, relay, answer=ANSWER + b"a=rtcp:6001 IN IP4 192.0.2.21\r\n")
    inject(caller, rtcp_packet(), ("192.0.2.10", 49171), rtcp=True)
    assert sent(sockets) == [(rtcp_packet(), ("192.0.2.21", 6001))]
    inject(callee, rtcp_packet(), ("192.0.2.21", 6001), rtcp=True)
    assert sent(sockets)[-1][1] == ("192.0.2.10", 49171) or sent(sockets)[0][1] == ("192.0.2.10", 49171)


def test_rtcp_on_one_port_meets_rtcp_on_two() -> None:
    relay, sockets, _ = make_relay()
    caller, _ = make_call(sockets, relay, offer=OFFER + b"a=rtcp-mux\r\n")
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    inject(caller, rtcp_packet(), ("192.0.2.10", 49170))
    assert sent(sockets) == [(rtp_packet(), ("192.0.2.20", 5000)), (rtcp_packet(), ("192.0.2.20", 5001))]


def test_rtcp_on_one_port_stays_there_when_both_agree() -> None:
    relay, sockets, _ = make_relay()
    mux = b"a=rtcp-mux\r\n"
    caller, _ = make_call(sockets, relay, offer=OFFER + mux, answer=ANSWER + mux)
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    inject(caller, rtcp_packet(), ("192.0.2.10", 49170))
    assert [address for _, address in sent(sockets)] == [("192.0.2.20", 5000)] * 2


@pytest.mark.parametrize(
    "host",
    [
        "224.0.0.1",
        "255.255.255.255",
        "127.0.0.1",
        "phone.example",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "fe80::1%é",
    ],
)
def test_a_description_cannot_make_us_send_to_a_crowd_or_to_ourselves(host: str) -> None:
    relay, sockets, _ = make_relay()
    version = b"IP6" if ":" in host else b"IP4"
    answer = ANSWER.replace(b"c=IN IP4 192.0.2.20", b"c=IN " + version + b" " + host.encode())
    caller, callee = make_call(sockets, relay, answer=answer)
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert sent(sockets) == []
    assert callee.statistics().unsent == 1
    # The peer's own packets still show where it is.
    inject(callee, rtp_packet(), ("192.0.2.20", 5000))
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert (rtp_packet(), ("192.0.2.20", 5000)) in sent(sockets)


def test_our_own_port_is_no_target() -> None:
    relay, sockets, _ = make_relay()
    caller = relay.open_leg(OURS, "192.0.2.10")
    (own,) = media_ports(caller.describe(ANSWER))
    callee = relay.open_leg(OURS, "192.0.2.20")
    callee.expect(ANSWER.replace(b"192.0.2.20", OURS.encode()).replace(b"5000", str(own).encode()))
    relay.join(caller, callee)
    caller.expect(OFFER)
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert sent(sockets) == []


def test_hold_by_address_stops_packets_and_resume_lets_them_flow() -> None:
    relay, sockets, _ = make_relay()
    caller, callee = make_call(sockets, relay)
    callee.expect(ANSWER.replace(b"c=IN IP4 192.0.2.20", b"c=IN IP4 0.0.0.0"))
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert sent(sockets) == []
    callee.expect(ANSWER)
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert sent(sockets) == [(rtp_packet(), ("192.0.2.20", 5000))]


def test_a_new_partner_parts_the_former_one() -> None:
    relay, sockets, _ = make_relay()
    caller, first = make_call(sockets, relay)
    second = relay.open_leg(OURS, "192.0.2.30")
    second.describe(OFFER)
    second.expect(ANSWER.replace(b"192.0.2.20", b"192.0.2.30"))
    relay.join(caller, second)
    inject(first, rtp_packet(), ("192.0.2.20", 5000))
    assert sent(sockets) == []
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert sent(sockets) == [(rtp_packet(), ("192.0.2.30", 5000))]
    relay.part(second)
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert len(sent(sockets)) == 1


def test_closing_one_leg_leaves_the_other_harmless() -> None:
    relay, sockets, _ = make_relay()
    caller, callee = make_call(sockets, relay)
    inject(callee, rtp_packet(), ("192.0.2.20", 5000))
    callee.close()
    before = sent(sockets)
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert sent(sockets) == before
    assert relay.open_ports == 2
    with pytest.raises(LocalError):
        callee.describe(OFFER)
    with pytest.raises(LocalError):
        relay.join(caller, callee)
    with pytest.raises(LocalError):
        relay.join(caller, caller)
    assert callee.statistics().packets == 1  # as it was


def test_no_port_left_is_answered_503_and_loses_nothing() -> None:
    relay, _, _ = make_relay(30000, 30003)
    leg = relay.open_leg(OURS, "192.0.2.20")
    with pytest.raises(PeerError) as caught:
        leg.describe(OFFER + VIDEO + VIDEO)
    assert caught.value.status == 503
    with pytest.raises(PeerError):
        relay.open_leg(OURS, "192.0.2.20")
    leg.close()
    assert relay.open_ports == 0


def test_a_bad_description_changes_nothing() -> None:
    relay, sockets, _ = make_relay()
    caller, _ = make_call(sockets, relay)
    for call in (caller.describe, caller.expect):
        with pytest.raises(PeerError):
            call(b"nonsense")
    inject(caller, rtp_packet(), ("192.0.2.10", 49170))
    assert len(sent(sockets)) == 1


def test_a_fax_travels_as_plain_datagrams() -> None:
    relay, sockets, _ = make_relay()
    fax = OFFER.replace(b"audio 49170 RTP/AVP 0 8 101", b"image 49170 udptl t38")
    caller, _ = make_call(
        sockets,
        relay,
        offer=fax,
        answer=ANSWER.replace(b"audio 5000 RTP/AVP 0 8 101", b"image 5000 udptl t38"),
    )
    inject(caller, b"\x00\x07t38", ("192.0.2.10", 49170))
    assert sent(sockets) == [(b"\x00\x07t38", ("192.0.2.20", 5000))]
    assert all(isinstance(each, Socket) for each in sockets.open.values())


def test_a_session_keeps_the_number_of_its_lines_whoever_it_is_joined_to() -> None:
    relay, _, _ = make_relay()
    leg = relay.open_leg(OURS, "192.0.2.20")
    leg.expect(OFFER + VIDEO)
    assert media_ports(leg.describe(ANSWER + VIDEO))[1] > 0
    # Somebody with sound only takes over: the picture is refused, not forgotten.
    alone = leg.describe(ANSWER)
    assert [port > 0 for port in media_ports(alone)] == [True, False]
    assert b"m=video 0 RTP/AVP 96\r\n" in alone
    # The answer to that has two lines, and must have one for who offered one.
    taker = relay.open_leg(OURS, "192.0.2.30")
    taker.expect(OFFER)
    assert len(media_ports(taker.describe(ANSWER + VIDEO.replace(b"49180", b"0")))) == 1
    # A line that is new, and not refused, is an offer.
    assert len(media_ports(taker.describe(ANSWER + VIDEO))) == 2
    assert len(media_ports(taker.describe(ANSWER))) == 2


def test_a_first_offer_is_passed_on_with_its_refused_lines() -> None:
    leg = make_relay()[0].open_leg(OURS, "192.0.2.20")
    assert media_ports(leg.describe(OFFER + VIDEO.replace(b"49180", b"0")))[1:] == [0]
