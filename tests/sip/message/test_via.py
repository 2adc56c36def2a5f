"""The Via header. RFC 3261 §20.42, RFC 3581, RFC 5118 §4.5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import Via


@pytest.mark.parametrize(
    ("text", "transport", "host", "port", "branch"),
    [
        ("SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7", "UDP", "erlang.bell-telephone.com", 5060, "z9hG4bK87asdks7"),
        ("SIP/2.0/UDP 192.0.2.1:5060 ;received=192.0.2.207;branch=z9hG4bK77", "UDP", "192.0.2.1", 5060, "z9hG4bK77"),
        ("SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7", "UDP", "first.example.com", 4000, "z9hG4bKa7"),
        ("sip/2.0/tls [2001:db8::9:1]", "TLS", "[2001:db8::9:1]", None, None),
        ("SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bK-.!%66*_", "UNKNOWN", "t5.example.com", None, "z9hG4bK-.!%66*_"),
        ("SIP  /   2.0\t/TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8", "TCP", "spindle.example.com", None, "z9hG4bK9ikj8"),
    ],
)  # fmt: skip
def test_forms(text: str, transport: str, host: str, port: int | None, branch: str | None) -> None:
    via = Via.parse(text)
    assert (via.transport, via.host, via.port, via.branch) == (transport, host, port, branch)
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize(
    "text",
    [
        "", "SIP/2.0/UDP", "SIP/2.0/UDP 192.0.2.15;;,;,,", "SIP/7.0/UDP c.example.com", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP h x",
        "SIP/2.0/UDP [x]", "SIP/2.0/UDP <h>", "HTTP/2.0/UDP h", "SIP/2.0/UDP h:-1",
    ],
)  # fmt: skip
def test_what_is_no_via(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        Via.parse(text)
    assert (refusal.value.status, refusal.value.reason) == (400, "Malformed Via")


@pytest.mark.parametrize("value", ["2001:db8::9:255", "[2001:db8::9:255]"])
def test_received_comes_with_and_without_brackets(value: str) -> None:
    via = Via.parse(f"SIP/2.0/UDP [2001:db8::9:1];received={value};branch=z9hG4bKas3-111")
    assert via.received == "2001:db8::9:255"
    assert via.address == "2001:db8::9:1"


def test_rport() -> None:
    assert Via.parse("SIP/2.0/UDP h;rport=5071").rport == 5071
    asking = Via.parse("SIP/2.0/UDP h;rport")
    assert (asking.rport, asking.wants_rport, asking.received) == (None, True, None)
    assert not Via.parse("SIP/2.0/UDP h").wants_rport
    with pytest.raises(PeerError):
        _ = Via.parse("SIP/2.0/UDP h;rport=x").rport


def test_lists_in_order() -> None:
    vias = Via.parse_many("SIP/2.0/UDP a;branch=1 , SIP/2.0/TCP b:1;branch=2")
    assert [via.address for via in vias] == ["a", "b"]


@given(
    st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True),
    st.sampled_from(["h.example", "192.0.2.1", "[2001:db8::1]"]),
    st.integers(0, 65_535) | st.none(),
    st.sampled_from(["", ";branch=z9hG4bKx", ";rport;branch=y;received=::1", ' ; a="b c"']),
)
def test_reading_undoes_printing(transport: str, host: str, port: int | None, params: str) -> None:
    text = f"SIP/2.0/{transport} {host}" + ("" if port is None else f":{port}") + params
    via = Via.parse(text)
    assert Via.parse(str(via)) == via
    assert (via.transport, via.host, via.port) == (transport, host, port)
