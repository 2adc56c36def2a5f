"""appliance/sip/transport/own_address.py: RFC 3261 §8.1.1.7, §8.1.1.8."""

from __future__ import annotations

import pytest

from appliance.sip.message import NameAddr, Via
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.own_address import contact_of, via_of

V4 = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.9", 5060))
V6 = Flow("tls", ("fe80::1%eth0", 5061), ("fe80::2%eth0", 5061), 1)


def test_via() -> None:
    assert via_of(V4, "z9hG4bK1") == "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport"
    assert Via.parse(via_of(V6, "z9hG4bK1")).address == "fe80::1"


@pytest.mark.parametrize("user", ["100", "a b", "x>;evil", "r\r\nB: c", "üñ", '"', "%41", "\udcff"])
def test_a_contact_can_be_read_whatever_the_user(user: str) -> None:
    for flow in (V4, V6):
        contact = NameAddr.parse(contact_of(flow, user))
        assert contact.uri.port == flow.local[1]
        assert contact.params == {}


def test_a_sips_uri_where_it_is_wanted_and_true() -> None:
    """§12.1.1, §26.2.2: over UDP it would lead nowhere."""
    wss = Flow("wss", ("192.0.2.1", 443), ("192.0.2.9", 40_000), 2)
    assert contact_of(V6, "1", secure=True) == "<sips:1@[fe80::1]:5061>"
    assert contact_of(wss, "1", secure=True) == "<sips:1@192.0.2.1:443;transport=ws>"
    assert contact_of(V4, "1", secure=True) == contact_of(V4, "1") == "<sip:1@192.0.2.1:5060>"
