"""appliance/sip/transport/answer.py: RFC 3261 §18.2.1, §18.2.2; RFC 3581. On the wire: test_endpoint.py."""

from __future__ import annotations

import pytest

from appliance.sip.message import Headers, Request, Via
from appliance.sip.transport.answer import answerable, fallback_address, note_source, reply_flow
from appliance.sip.transport.flow import Address, Flow

UDP = Flow("udp", ("2001:db8::1", 5060), ("2001:db8::9", 5062))
TCP = Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.10", 40_000), 7)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        (("192.0.2.1", 5060), True),
        (("fe80::1%eth0", 5060), True),
        (("192.0.2.1", 0), False),
        (("192.0.2.1", 65_536), False),
        (("239.255.255.250", 5060), False),
        (("ff05::2", 5060), False),
        (("255.255.255.255", 5060), False),
        (("::", 5060), False),
        (("pbx.example", 5060), False),
        (("", 5060), False),
    ],
)
def test_answers_go_to_one_host(address: Address, may: bool) -> None:
    assert answerable(address) is may


def test_ipv6_peers() -> None:
    request = Request(
        "OPTIONS", "sip:a@b", Headers([("Via", "SIP/2.0/UDP [2001:db8::9];rport;branch=z9hG4bK1")])
    )
    assert reply_flow(request.via, UDP) is UDP
    note_source(request, UDP)
    # RFC 5118 §4.5: received takes no brackets.
    assert request.headers.get("Via") == (
        "SIP/2.0/UDP [2001:db8::9];rport=5062;branch=z9hG4bK1;received=2001:db8::9"
    )
    assert request.via.received == "2001:db8::9"
    assert request.via.rport == 5062


@pytest.mark.parametrize(
    "via",
    [
        "SIP/2.0/UDP h;branch=z9hG4bK1",
        "SIP/2.0/UDP h:5070;rport;branch=z9hG4bK1",
        "SIP/2.0/UDP h;RPORT=7;x;branch=z9hG4bK1;Received=192.0.2.9",
        "SIP/2.0/UDP [2001:db8::7] ; rport ; branch=z9hG4bK1",
        "SIP/2.0/UDP h;rport;branch=z9hG4bK1, SIP/2.0/UDP other;branch=z9hG4bK2",
    ],
)
def test_what_is_noted_is_what_the_line_says(via: str) -> None:
    request = Request("OPTIONS", "sip:a@b", Headers([("Via", via)]))
    note_source(request, UDP)
    assert request.via == Via.parse_many(request.headers.get_all("Via")[0])[0]


def test_only_the_topmost_via_is_touched() -> None:
    vias = [("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("Via", "SIP/2.0/UDP other;rport;branch=z9hG4bK2")]
    request = Request("OPTIONS", "sip:a@b", Headers(vias))
    note_source(request, UDP)
    assert request.headers.get_all("Via") == [f"{vias[0][1]};received=2001:db8::9", vias[1][1]]


def test_a_parameter_that_begins_like_rport_is_left_alone() -> None:
    request = Request(
        "OPTIONS", "sip:a@b", Headers([("Via", "SIP/2.0/UDP h;rportal=1;rport ;branch=z9hG4bK1")])
    )
    note_source(request, UDP)
    assert request.headers.get("Via") == (
        "SIP/2.0/UDP h;rportal=1;rport=5062;branch=z9hG4bK1;received=2001:db8::9"
    )


def test_over_a_connection_the_via_decides_only_when_it_is_gone() -> None:
    via = Via.parse("SIP/2.0/TCP 10.0.0.7;maddr=224.0.1.75")
    assert reply_flow(via, TCP) is TCP
    assert fallback_address(via, TCP) == ("192.0.2.10", 5060)
    assert fallback_address(Via.parse("SIP/2.0/TLS 10.0.0.7:5071"), TCP) == ("192.0.2.10", 5071)
