"""media/rewrite.py: our addresses in, the peer's out, ICE and BUNDLE out, all else as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.media.rewrite import Origin, PortPair, rewrite
from appliance.media.sdp import parse_sdp
from tests.media.fakes import OFFER

if TYPE_CHECKING:
    from collections.abc import Sequence

BROWSER = b"""v=0
o=- 46117 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=ice-lite
m=audio 9000 UDP/TLS/RTP/SAVPF 111 0
c=IN IP4 198.51.100.7
a=rtcp:9001 IN IP4 198.51.100.7
a=candidate:1 1 udp 2122260223 198.51.100.7 9000 typ host
a=end-of-candidates
a=ice-ufrag:abcd
a=ice-pwd:efgh
a=fingerprint:sha-256 AB:CD
a=mid:0
a=rtcp-mux
m=video 9000 UDP/TLS/RTP/SAVPF 96
c=IN IP4 198.51.100.7
a=rtcp:9000
a=mid:1
"""


def told(data: bytes, ports: Sequence[PortPair | None], host: str = "203.0.113.1") -> list[str]:
    return bytes(rewrite(parse_sdp(data), host, ports, Origin(77, 3))).decode().splitlines()


def test_only_addresses_and_ports_change() -> None:
    before = OFFER.decode().splitlines()
    after = told(OFFER, [PortPair(30000, 30001)])
    assert after[1] == "o=- 77 3 IN IP4 203.0.113.1"
    assert after[3] == "c=IN IP4 203.0.113.1"
    assert after[5] == "m=audio 30000 RTP/AVP 0 8 101"
    assert [line for at, line in enumerate(after) if at not in (1, 3, 5)] == [
        line for at, line in enumerate(before) if at not in (1, 3, 5)
    ]


def test_line_ends_stay_as_they_were() -> None:
    printed = bytes(
        rewrite(parse_sdp(BROWSER), "203.0.113.1", [PortPair(4, 5), PortPair(6, 7)], Origin(1, 1))
    )
    assert b"\r" not in printed


def test_no_address_of_the_peer_and_no_candidate_is_left() -> None:
    lines = told(BROWSER, [PortPair(30000, 30001), PortPair(30002, 30003)])
    assert not [line for line in lines if "198.51.100" in line or "127.0.0.1" in line]
    assert not [line for line in lines if line.startswith(("a=ice", "a=candidate", "a=end-of", "a=group"))]
    assert "a=fingerprint:sha-256 AB:CD" in lines
    assert "a=rtcp:30001 IN IP4 203.0.113.1" in lines
    # RFC 5761: written as one port, so it stays one.
    assert "a=rtcp:30002" in lines


def test_a_refused_medium_stays_refused_and_one_over_tcp_becomes_so() -> None:
    body = OFFER + b"m=video 0 RTP/AVP 96\r\nm=message 2855 TCP/MSRP *\r\na=path:msrp\r\n"
    lines = told(body, [PortPair(30000, 30001), None, None])
    assert "m=video 0 RTP/AVP 96" in lines
    assert "m=message 0 TCP/MSRP *" in lines


def test_another_kind_of_ip_changes_the_address_type() -> None:
    lines = told(OFFER, [PortPair(30000, 30001)], host="2001:db8::5")
    assert "o=- 77 3 IN IP6 2001:db8::5" in lines
    assert "c=IN IP6 2001:db8::5" in lines


def test_the_old_hold_arrives_as_a_hold() -> None:
    held = OFFER.replace(b"c=IN IP4 192.0.2.10", b"c=IN IP4 0.0.0.0")
    assert "c=IN IP4 0.0.0.0" in told(held, [PortPair(30000, 30001)])
    assert "c=IN IP6 ::" in told(held, [PortPair(30000, 30001)], host="2001:db8::5")
    held6 = OFFER.replace(b"c=IN IP4 192.0.2.10", b"c=IN IP6 ::")
    assert "c=IN IP4 0.0.0.0" in told(held6, [PortPair(30000, 30001)])
    assert "c=IN IP6 ::" in told(held6, [PortPair(30000, 30001)], host="2001:db8::5")


def test_a_number_of_ports_is_left_out() -> None:
    body = OFFER.replace(b"audio 49170 ", b"audio 49170/2 ")
    assert "m=audio 30000 RTP/AVP 0 8 101" in told(body, [PortPair(30000, 30001)])
