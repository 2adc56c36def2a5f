"""appliance/sip/transaction/companions.py: RFC 3261 §17.1.1.3 and §9.1."""

from __future__ import annotations

from appliance.sip.message import Headers, Request
from appliance.sip.transaction.companions import make_ack, make_cancel

INVITE = Request(
    "INVITE",
    "sip:bob@biloxi.example",
    Headers([
        ("Via", "SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bKkjshdyff"),
        ("Route", "<sip:one.example;lr>"),
        ("Route", "<sip:two.example;lr>, <sip:three.example;lr>"),
        ("From", "Alice <sip:alice@atlanta.example>;tag=88sja8x"),
        ("To", "Bob <sip:bob@biloxi.example>"),
        ("Call-ID", "987asjd97y7atg"),
        ("CSeq", "986759 INVITE"),
        ("Contact", "<sip:alice@pc33.atlanta.example>"),
        ("Require", "100rel"),
    ]),
    b"v=0\r\n",
)  # fmt: skip


def test_the_ack_of_the_rfc() -> None:
    ack = make_ack(INVITE, INVITE.respond(486, to_tag="99sa0xk"))
    assert ack.encode() == (
        b"ACK sip:bob@biloxi.example SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bKkjshdyff\r\n"
        b"Route: <sip:one.example;lr>\r\n"
        b"Route: <sip:two.example;lr>, <sip:three.example;lr>\r\n"
        b"Max-Forwards: 70\r\n"
        b"From: Alice <sip:alice@atlanta.example>;tag=88sja8x\r\n"
        b"To: Bob <sip:bob@biloxi.example>;tag=99sa0xk\r\n"
        b"Call-ID: 987asjd97y7atg\r\n"
        b"CSeq: 986759 ACK\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_a_cancel_equals_its_invite_where_it_must() -> None:
    cancel = make_cancel(INVITE, [("Reason", 'SIP;cause=200;text="Call completed elsewhere"')])
    for name in ("Via", "From", "To", "Call-ID"):
        assert cancel.headers.get_all(name) == INVITE.headers.get_all(name)
    assert cancel.headers.get_all("Route") == INVITE.headers.get_all("Route")
    assert cancel.headers.get("CSeq") == "986759 CANCEL"
    assert cancel.headers.get("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    # §9.1: no Require, as nobody on the way can negotiate.
    assert "Require" not in cancel.headers
    assert cancel.body == b""
