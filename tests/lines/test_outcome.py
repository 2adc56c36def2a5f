"""appliance/lines/outcome.py: what an answer to a REGISTER means. RFC 3261 §10.2.4, §10.2.8, §21."""

from __future__ import annotations

from typing import get_args

import pytest

from appliance.lines.outcome import Accepted, Cause, Challenged, Failure, TooBrief, read
from appliance.sip.message import Headers, Response, Uri

OURS = Uri.parse("sip:101@192.0.2.1:5060")
VIA = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"


def response(status: int, *headers: tuple[str, str]) -> Response:
    return Response(status, headers=Headers(headers))


@pytest.mark.parametrize(
    ("status", "cause", "final"),
    [
        (300, "redirected", True), (305, "redirected", True), (400, "refused", True), (403, "forbidden", True),
        (404, "refused", True), (408, "server", False), (420, "refused", True), (429, "server", False),
        (480, "server", False), (491, "server", False), (494, "server", False), (500, "server", False),
        (503, "server", False), (504, "server", False), (600, "refused", True), (603, "refused", True),
    ],
)  # fmt: skip
def test_refusals(status: int, cause: Cause, final: bool) -> None:
    outcome = read(response(status, ("Retry-After", "30")), OURS, 600)
    assert isinstance(outcome, Failure)
    assert (outcome.cause, outcome.final, outcome.code, outcome.retry_after) == (cause, final, status, 30)
    assert outcome.cause in get_args(Cause)


def test_what_is_answered() -> None:
    assert read(response(401), OURS, 600) == read(response(407), OURS, 600) == Challenged()
    assert read(response(423, ("Min-Expires", " 900 ")), OURS, 600) == TooBrief(900)


def test_what_a_carrier_says_is_kept_short_and_printable() -> None:
    answer = Response(403, "No\x1b[31m" + "x" * 300, Headers([("Reason", 'Q.850;cause=21;text="no"')]))
    outcome = read(answer, OURS, 600)
    assert isinstance(outcome, Failure)
    assert (len(outcome.reason), outcome.reason[:5]) == (200, "No[31")
    said = read(response(403, ("Reason", "Q.850;cause=21")), OURS, 600)
    assert isinstance(said, Failure)
    assert said.reason == "Forbidden; Q.850;cause=21"


@pytest.mark.parametrize(
    ("contact", "expiry"),
    [
        ("<sip:101@192.0.2.1:5060>;expires=60", 60),
        ("<sip:%3101@192.0.2.1:5060;x=y>;expires=60;q=0.5", 60),
        ("<sip:101@192.0.2.1>;expires=60", 60),  # the default port left out: another URI, the same place
        ("<sip:101@192.0.2.1:5060;transport=udp>;expires=60", 60),
        ('<sip:101@192.0.2.1:5060>;expires="60"', 60),
        ("<sip:101@192.0.2.1:5060>;expires=x", 300),
        ("<sip:101@192.0.2.1:5060>;expires=4294967295", 604_800),
        ("<sip:101@192.0.2.1:5061>;expires=60", None),
        ("<sip:102@192.0.2.1:5060>;expires=60", None),
        ("<sip:101@203.0.113.1:5060>;expires=60", None),
        ("*", None),
    ],
)
def test_our_own_contact(contact: str, expiry: int | None) -> None:
    outcome = read(response(200, ("Contact", contact), ("Expires", "300")), OURS, 600)
    assert (outcome.expiry if isinstance(outcome, Accepted) else None) == expiry


@pytest.mark.parametrize(
    ("via", "seen"),
    [
        (VIA, None),
        (f"{VIA};rport", None),
        (f"{VIA};received=203.0.113.5;rport=41000", ("203.0.113.5", 41000)),
        (f"{VIA};received=[2001:db8::1];rport=41000", ("2001:db8::1", 41000)),
        (f"{VIA};received=203.0.113.5", ("203.0.113.5", 5060)),
        (f"{VIA};rport=41000", ("192.0.2.1", 41000)),
        (f"{VIA};received=evil.example;rport=1", None),
        (f"{VIA};received=0.0.0.0;rport=1", None),
        (f"{VIA};rport=x", None),
    ],
)
def test_where_the_carrier_sees_us(via: str, seen: tuple[str, int] | None) -> None:
    outcome = read(response(200, ("Via", via), ("Contact", f"<{OURS}>")), OURS, 600)
    assert isinstance(outcome, Accepted)
    assert outcome.seen_at == seen


def test_what_cannot_be_read_of_our_names_is_left_out() -> None:
    headers = ("P-Associated-URI", "<sip:"), ("P-Associated-URI", "<sip:+1@a>, <tel:+1>")
    outcome = read(response(200, ("Contact", f"<{OURS}>"), *headers), OURS, 600)
    assert isinstance(outcome, Accepted)
    assert outcome.associated == ("sip:+1@a", "tel:+1")
