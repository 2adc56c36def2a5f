"""appliance/lines/feature.py: what an INVITE of ours has. How numbers are written: tests/call/test_way_out.py."""

from __future__ import annotations

import pytest

from appliance.lines.feature import Feature, used_by
from appliance.sip.message import Headers, Request
from tests.call.playbook import OFFER, sdp

WIDE = sdp("192.0.2.1", 30_000).replace(b"RTP/AVP 8", b"RTP/AVP 9 8")


def invite(uri: str = "sip:139@h", *headers: tuple[str, str], body: bytes = b"") -> Request:
    kind = [("Content-Type", "application/sdp; x=y")] if body else []
    return Request("INVITE", uri, Headers([*headers, *kind]), body)


@pytest.mark.parametrize(
    ("request_", "used"),
    [
        (invite(), set()),
        (invite("sip:139@h", ("Supported", "timer, 100REL")), {"100rel", "timer"}),
        (invite("sip:139@h", ("Require", "100rel"), ("Supported", "replaces")), {"100rel"}),
        (invite("sip:139@h", ("Session-Expires", "1800")), {"timer"}),
        (invite("sip:139@h;user=phone"), {"user-phone"}),
        (invite("sip:139@h;a=b;User=Phone"), {"user-phone"}),
        (invite("sip:user=phone@h"), set()),
        (invite("sip:+1390000000@h"), {"plus"}),
        (invite("sips:+8613900000000;x=y@h"), {"plus"}),
        (invite("sip:+139000000@h"), set()),
        (invite("sip:+alice.and.bob@h"), set()),
        (invite("tel:+8613900000000"), {"tel", "plus"}),
        (invite("tel:139;phone-context=h"), {"tel"}),
        (invite("sip:139@h", body=OFFER), {"early-offer"}),
        (invite("sip:139@h", body=WIDE), {"early-offer", "codecs"}),
        (invite("sip:139@h", body=b"v=1 unreadable"), {"early-offer"}),
        (Request("INVITE", "sip:139@h", Headers([("Content-Type", "text/plain")]), b"hello"), set()),
    ],
)
def test_what_is_used(request_: Request, used: set[Feature]) -> None:
    assert used_by(request_) == used
