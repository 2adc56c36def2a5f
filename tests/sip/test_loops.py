"""appliance/sip/transaction_table.py: a request of ours that somebody sends back. RFC 3261 §16.3 step 4."""

from __future__ import annotations

from appliance.sip.endpoint import ServerTransaction
from appliance.sip.message import Request, parse_message
from tests.sip.wire import UDP, Wire, text_of


def test_a_request_of_ours_that_comes_back_is_a_loop() -> None:
    wire, got = Wire(), list[ServerTransaction]()
    wire.endpoint.serve("INVITE", got.append)
    invite = parse_message(text_of("INVITE", uri="sip:101@192.0.2.10"))
    assert isinstance(invite, Request)
    invite.headers.remove("Via")
    wire.endpoint.send_request(invite, UDP, lambda _: None)
    sent = wire.request()

    def returned(number: int, **changes: str) -> bytes:
        hop = f"SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKhop{number}"
        vias = {"Via": f"{hop}, {sent.headers.get('Via')}", "Call_ID": f"c{number}"}
        return text_of("INVITE", **{"uri": "sip:101@192.0.2.10", **vias, **changes})

    wire.receive(returned(1))
    answer = wire.response()
    assert (answer.status, got) == (482, [])
    # One that goes elsewhere by now is a spiral; one with another branch, or Vias nobody can read, is another request.
    wire.receive(returned(2, uri="sip:102@192.0.2.1"))
    wire.receive(returned(3, Via="SIP/2.0/UDP h;branch=z9hG4bKh3, SIP/2.0/UDP g;branch=z9hG4bKg"))
    wire.receive(returned(4, Via="SIP/2.0/UDP h;branch=z9hG4bKh4, nonsense"))
    assert len(got) == 3
