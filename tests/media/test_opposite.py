"""media/opposite.py: which lines of two joined legs belong together, and that their packets go that way."""

from __future__ import annotations

from appliance.media.answer import common_part
from appliance.media.opposite import opposite
from appliance.media.sdp import Media, parse_sdp
from tests.media.descriptions import VIDEO, describe
from tests.media.fakes import make_relay, media_ports, rtp_packet

AUDIO = b"m=audio 5000 RTP/AVP 0\r\n"
REFUSED = b"m=audio 0 RTP/AVP 0\r\n"
KEYED = "audio 4000 RTP/SAVP 0", "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"


def lines(*descriptions: bytes) -> tuple[tuple[Media, ...], tuple[Media, ...]]:
    told, said = (*descriptions, b"")[:2]
    return parse_sdp(told).media, parse_sdp(said).media if said else ()


def test_a_call_has_its_lines_at_the_same_places() -> None:
    offer = describe(*VIDEO) + AUDIO
    assert opposite(lines(offer), lines(offer)) == ()
    assert opposite(((), ()), lines(offer)) == ()
    assert opposite(lines(offer), ((), ())) == ()


def test_lines_in_another_order_are_found_by_their_kinds() -> None:
    one, other = describe(*VIDEO) + AUDIO, describe("audio 4000 RTP/AVP 0")
    assert opposite(lines(one), lines(other)) == (None, 0)
    assert opposite(lines(other), lines(one)) == (1,)


def test_a_refused_line_belongs_to_nobody() -> None:
    one, other = describe("audio 0 RTP/AVP 0") + AUDIO, describe("audio 4000 RTP/AVP 0")
    assert opposite(lines(one), lines(other)) == (None, 0)
    assert opposite(
        lines(describe(*KEYED) + AUDIO, describe("audio 0 RTP/SAVP 0") + AUDIO), lines(other)
    ) == (None, 0)


def test_two_offers_that_were_joined_hear_each_other() -> None:
    relay, sockets, _ = make_relay()
    one, other = describe(*KEYED) + AUDIO, describe("audio 6000 RTP/AVP 0")
    legs = [relay.open_leg("203.0.113.1", "192.0.2.30") for _ in range(2)]
    for leg, own, partner in zip(legs, (one, other), (other, one), strict=True):
        leg.expect(own)
        leg.describe(common_part(own, partner))
    relay.join(*legs)
    assert [len(media_ports(leg.described)) for leg in legs] == [2, 1]
    pair = legs[1]._pairs[0]
    assert pair is not None
    pair.rtp.receive(rtp_packet(), ("192.0.2.30", 6000), 1.0)
    assert [target for socket in sockets.open.values() for _, target in socket.sent] == [("192.0.2.30", 5000)]
    pair = legs[0]._pairs[1]
    assert pair is not None
    pair.rtp.receive(rtp_packet(sequence=2), ("192.0.2.30", 5000), 1.0)
    assert ("192.0.2.30", 6000) in [target for socket in sockets.open.values() for _, target in socket.sent]
