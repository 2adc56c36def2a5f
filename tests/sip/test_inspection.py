"""appliance/sip/inspection.py: RFC 3261 §8.2.1, §8.2.2, §16.3. On the wire: test_endpoint.py."""

from __future__ import annotations

import pytest

from appliance.errors import PeerError
from appliance.sip.inspection import allow_header, check_required, check_target, refuse_method, wants_sips
from appliance.sip.message import Headers, Request


def test_methods() -> None:
    allowed = {"ACK", "BYE", "OPTIONS"}
    assert [refuse_method(name, allowed).status for name in ("BYE", "REFER", "refer", "FOO")] == [
        481,
        405,
        501,
        501,
    ]
    assert refuse_method("REFER", allowed).headers == (("Allow", "ACK, BYE, OPTIONS"),)
    assert allow_header(allowed) == ("Allow", "ACK, BYE, OPTIONS")


@pytest.mark.parametrize("uri", ["sip:a@b", "SIPS:a@b", "tel:+49123"])
def test_schemes(uri: str) -> None:
    check_target(Request("INVITE", uri))
    with pytest.raises(PeerError, match="416"):
        check_target(Request("INVITE", f"x{uri}"))


@pytest.mark.parametrize(("method", "left", "passes"), [
    ("INVITE", "0", False), ("INVITE", "1", True), ("OPTIONS", "0", True), ("REGISTER", "0", True),
])  # fmt: skip
def test_hops(method: str, left: str, passes: bool) -> None:
    request = Request(method, "sip:a@b", Headers([("Max-Forwards", left)]))
    if passes:
        check_target(request)
    else:
        with pytest.raises(PeerError, match="483"):
            check_target(request)


def test_requirements() -> None:
    check_required(Request("INVITE", "sip:a@b"), ())
    request = Request("INVITE", "sip:a@b", Headers([("Require", "timer, 100rel"), ("Require", "foo")]))
    check_required(request, {"timer", "100rel", "foo"})
    with pytest.raises(PeerError) as refusal:
        check_required(request, {"100rel"})
    assert refusal.value.headers == (("Unsupported", "timer, foo"),)


@pytest.mark.parametrize(
    ("uri", "headers", "wants"),
    [
        ("SIPS:a@b", [], True),
        ("sip:a@b", [], False),
        ("sip:a@b", [("Contact", "<sips:c@d>")], True),
        ("sip:a@b", [("Contact", "<sip:c@d>"), ("Record-Route", "<sips:p;lr>, <sip:q;lr>")], True),
        ("sip:a@b", [("Contact", "<sips:c@d>"), ("Record-Route", "<sip:p;lr>")], False),
    ],
)
def test_who_wants_a_sips_contact(uri: str, headers: list[tuple[str, str]], wants: bool) -> None:
    assert wants_sips(Request("INVITE", uri, Headers(headers))) is wants
