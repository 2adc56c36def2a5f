"""Who calls and what number: RFC 3261 §8.2, §16.6 step 3; RFC 3966."""

from __future__ import annotations

import pytest

from appliance.call.inbound import RefusedError, check_caller, dialled_number, read_dialled
from appliance.errors import PeerError
from appliance.sip.message import Headers, Request


def invite(*headers: tuple[str, str], uri: str = "sip:102@pbx") -> Request:
    return Request("INVITE", uri, Headers([("From", "<sip:101@pbx>;tag=a"), *headers]))


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("sip:102@192.0.2.1:5060;transport=udp", "102"),
        ("sip:%2372@pbx", "#72"),
        ("sip:102;phone-context=x@pbx", "102"),
        ("sip:192.0.2.1", ""),
        ("tel:+49-30-12(34).5", "+493012345"),
        ("tel:102;phone-context=example.org", "102"),
        ("sip:+49-30-12(34).5@pbx;user=phone", "+493012345"),
        ("sip:1-2@pbx;user=ip", "1-2"),
        ("sip:%ff@pbx", "?"),
        (f"sip:{'9' * 500}@pbx", "9" * 64),
    ],
)
def test_dialled_number(uri: str, number: str) -> None:
    assert dialled_number(uri) == number


def test_a_uri_that_is_none() -> None:
    with pytest.raises(PeerError):
        dialled_number("sip:")


def test_hops() -> None:
    assert read_dialled(invite(), "101", "A").hops_left == 69
    assert read_dialled(invite(("Max-Forwards", "5")), "101", "A").hops_left == 4


def test_from_must_be_the_callers_own() -> None:
    check_caller(invite(), "101")
    by_number = Request("INVITE", "tel:102", Headers([("From", "<tel:1-01;phone-context=pbx>;tag=a")]))
    check_caller(by_number, "101")
    with pytest.raises(RefusedError) as refusal:
        check_caller(invite(), "102")
    assert refusal.value.status == 403
