"""appliance/sip/transaction/matching.py: RFC 3261 §17.1.3, §17.2.3, §8.2.2.2."""

from __future__ import annotations

import pytest

from appliance.sip.message import Headers, Request
from appliance.sip.transaction import matching
from appliance.sip.transaction.matching import ServerKey, cancelled_key, client_key, is_retry, merge_key


def request(method: str = "INVITE", via: str = "branch=z9hG4bK1", **changes: str) -> Request:
    fields = {
        "Via": f"SIP/2.0/UDP pc33.atlanta.example;{via}",
        "From": "<sip:alice@atlanta.example>;tag=1928",
        "To": "<sip:bob@biloxi.example>",
        "Call-ID": "a84b4c76e66710",
        "CSeq": f"314159 {method}",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return Request(method, "sip:bob@biloxi.example", Headers(fields.items()))


def server_key(message: Request, transport: str = "udp") -> ServerKey:
    return matching.server_key(message, transport)


def test_a_response_is_matched_by_branch_and_method() -> None:
    assert client_key(request().respond(200)) == ("z9hG4bK1", "INVITE")
    # A CANCEL shares the branch of its INVITE; the method in CSeq tells their responses apart.
    assert client_key(request("CANCEL").respond(200)) == ("z9hG4bK1", "CANCEL")


def test_a_repeated_request_and_its_ack_are_one_transaction() -> None:
    assert (
        server_key(request()) == server_key(request()) == server_key(request("ACK", To="<sip:bob@b>;tag=2"))
    )


@pytest.mark.parametrize("via", ["branch=z9hG4bK1", "branch=1", "branch=z9hG4bK", "ttl=1"])
def test_other_requests_are_others(via: str) -> None:
    own = server_key(request(via=via))
    assert own != server_key(request("BYE", via))
    # §17.2.3: sent-by counts, with its port.
    assert own != server_key(request(via=via, Call_ID="other"))
    assert own != server_key(request(Via=f"SIP/2.0/UDP other.example;{via}"))
    assert own != server_key(request(Via=f"SIP/2.0/UDP pc33.atlanta.example:5070;{via}"))


def test_a_cancel_finds_its_invite() -> None:
    for via in ("branch=z9hG4bK1", "branch=old"):
        assert cancelled_key(server_key(request("CANCEL", via))) == server_key(request(via=via))


def test_peers_of_rfc_2543_are_told_apart_by_all_they_say() -> None:
    own = server_key(request(via="branch=1"))
    assert own == server_key(request(via="branch=1", To="<sip:bob@biloxi.example>;tag=9"))
    assert own != server_key(request(via="branch=2"))
    assert own != server_key(request(via="branch=1", Call_ID="other"))
    assert own != server_key(request(via="branch=1", CSeq="314160 INVITE"))
    assert own != server_key(request(via="branch=1", From="<sip:alice@atlanta.example>;tag=2"))


def test_merged_requests_share_what_the_way_does_not_change() -> None:
    assert merge_key(request()) == merge_key(request(via="branch=z9hG4bKother"))
    assert merge_key(request()) != merge_key(request(CSeq="314160 INVITE"))
    assert merge_key(request()) != merge_key(request(From="<sip:alice@atlanta.example>;tag=2"))


def test_a_client_that_tries_another_transport_gets_its_answer_there() -> None:
    first, second = server_key(request(), "tcp"), server_key(request(), "udp")
    assert first != second
    assert is_retry(first, second)
    assert not is_retry(first, first)
    assert not is_retry(first, server_key(request(via="branch=z9hG4bKother"), "udp"))
