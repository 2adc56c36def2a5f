"""appliance/lines/credentials.py. RFC 3261 §22; RFC 7616 §3.3-3.6; RFC 8760 §2.4."""

from __future__ import annotations

import random
from typing import Any

import pytest

from appliance.lines.credentials import MAX_REALMS, Credentials, Unproven, strongest
from appliance.sip.message import Authorization, Headers, Request, Response
from tests.lines.carrier import PASSWORD, account, challenge, proven


def request(method: str = "INVITE", body: bytes = b"v=0") -> Request:
    fields = [("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"), ("Call-ID", "c"), ("CSeq", f"7 {method}")]
    return Request(method, "sip:102@carrier.example", Headers(fields), body)


def response(status: int, *headers: tuple[str, str]) -> Response:
    return Response(status, headers=Headers(headers))


def made(**fields: Any) -> Credentials:
    return Credentials(account(**fields), random.Random(1))


def registered(realm: str = "carrier.example", **fields: Any) -> Credentials:
    """Credentials with which a registrar was content."""
    credentials = made(**fields)
    attempt = credentials.attempt("REGISTER")
    register = request("REGISTER")
    again = attempt.answer(register, response(401, challenge(realm=f'"{realm}"')))
    assert isinstance(again, Request)
    attempt.accepted(response(200))
    return credentials


@pytest.mark.parametrize(
    ("algorithms", "chosen"),
    [
        (["MD5", "SHA-256", "SHA-512-256"], "SHA-512-256"),
        (["sha-256", "MD5"], "SHA-256"),
        (["SHA3-256", "MD5-sess", "MD5"], "MD5"),
        ([""], "MD5"),
        (["MD5-sess"], None),
    ],
)
def test_the_strongest_algorithm_that_we_know(algorithms: list[str], chosen: str | None) -> None:
    headers = [challenge(f"n{number}", algorithm=each) for number, each in enumerate(algorithms)]
    answer = made().attempt("REGISTER").answer(request("REGISTER"), response(401, *headers))
    if chosen is None:
        assert answer == Unproven("no_algorithm", "MD5-SESS")
    else:
        assert isinstance(answer, Request)
        assert (len(answer.headers.get_all("Authorization")), proven(answer).algorithm) == (1, chosen)


@pytest.mark.parametrize(
    ("qop", "used"), [('"auth"', "auth"), ('"auth-int,auth"', "auth"), ('"auth-int"', "auth-int"), ("", None)]
)
def test_each_quality_of_protection(qop: str, used: str | None) -> None:
    answer = made().attempt("INVITE").answer(request(), response(401, challenge(qop=qop)))
    assert isinstance(answer, Request)
    assert proven(answer).qop == used


def test_one_that_asks_for_a_quality_that_we_do_not_know() -> None:
    assert strongest(response(401, challenge(qop='"other"'))) == []


def test_what_the_next_request_bears() -> None:
    answer = made().attempt("INVITE").answer(request(), response(407, challenge(proxy="1", opaque='"o\\"p"')))
    assert isinstance(answer, Request)
    assert (answer.headers.get("Via"), answer.cseq.number, answer.body) == (None, 8, b"v=0")
    assert proven(answer, "Proxy-Authorization").opaque == 'o"p'
    assert answer.headers.get("Authorization") is None


def test_a_proxy_and_a_registrar_ask_one_after_the_other() -> None:
    attempt = made().attempt("REGISTER")
    first = attempt.answer(request("REGISTER"), response(407, challenge("p", realm='"proxy"', proxy="1")))
    assert isinstance(first, Request)
    second = attempt.answer(first, response(401, challenge("r")))
    assert isinstance(second, Request)
    assert (proven(second).nonce, proven(second).nc) == ("r", "00000001")
    assert (proven(second, "Proxy-Authorization").nonce, proven(second, "Proxy-Authorization").nc) == (
        "p",
        "00000002",
    )
    assert second.cseq.number == 9


def test_both_ask_at_once() -> None:
    answer = (
        made()
        .attempt("REGISTER")
        .answer(
            request("REGISTER"), response(401, challenge("r"), challenge("p", realm='"proxy"', proxy="1"))
        )
    )
    assert isinstance(answer, Request)
    assert (proven(answer).nonce, proven(answer, "Proxy-Authorization").nonce) == ("r", "p")


def test_so_many_realms_and_no_more() -> None:
    headers = [challenge(f"n{number}", realm=f'"r{number}"') for number in range(20)]
    credentials = made()
    answer = credentials.attempt("REGISTER").answer(request("REGISTER"), response(401, *headers))
    assert isinstance(answer, Request)
    assert len(answer.headers.get_all("Authorization")) == MAX_REALMS
    for number in range(20):
        registered_in = credentials.attempt("REGISTER")
        registered_in.answer(request("REGISTER"), response(401, challenge(realm=f'"x{number}"')))
        registered_in.accepted(response(200))
    assert len(credentials.known(registers=True)) <= 2 * MAX_REALMS
    assert [realm for realm in ("x15", "x16", "x19") if credentials.answers(realm, registers=False)] == [
        "x16",
        "x19",
    ]


def test_calls_are_proven_at_once_after_the_first() -> None:
    credentials = registered()
    attempt = credentials.attempt("INVITE")
    plain = request()
    attempt.put(plain)
    # What the registrar asked for is nothing that the callee should see.
    assert plain.headers.get("Authorization") is None
    again = attempt.answer(plain, response(407, challenge("call", proxy="1")))
    assert isinstance(again, Request)
    attempt.accepted(response(200))
    following = request()
    credentials.attempt("INVITE").put(following)
    proof = proven(following, "Proxy-Authorization")
    assert (proof.nonce, proof.nc) == ("call", "00000002")
    assert following.headers.get("Authorization") is None
    # Each method's own: a registrar does not see the proxy's.
    register = request("REGISTER")
    credentials.attempt("REGISTER").put(register)
    assert proven(register).nc == "00000002"
    assert register.headers.get("Proxy-Authorization") is None


@pytest.mark.parametrize(
    ("realm", "answered"),
    [("carrier.example", True), ("CARRIER.example", True), ("ims", True), ("evil.example", False)],
)
def test_whom_we_call_cannot_ask_for_a_proof(realm: str, answered: bool) -> None:
    credentials = registered("ims")
    answer = credentials.attempt("INVITE").answer(request(), response(401, challenge(realm=f'"{realm}"')))
    if answered:
        assert isinstance(answer, Request)
    else:
        assert answer == Unproven("wrong_realm", "evil.example")


def test_without_a_registration_the_first_realm_counts() -> None:
    answer = made().attempt("INVITE").answer(request(), response(407, challenge(realm='"any"', proxy="1")))
    assert isinstance(answer, Request)


def test_a_configured_realm_is_the_only_one() -> None:
    credentials = made(realm="198.51.100.1")
    for method in ("REGISTER", "INVITE"):
        refused = credentials.attempt(method).answer(request(method), response(401, challenge()))
        assert refused == Unproven("wrong_realm", "carrier.example")
    answer = credentials.attempt("INVITE").answer(
        request(), response(401, challenge(), challenge(realm='"198.51.100.1"'))
    )
    assert isinstance(answer, Request)
    assert len(answer.headers.get_all("Authorization")) == 1


def test_the_nonce_to_use_next() -> None:
    credentials = made()
    attempt = credentials.attempt("REGISTER")
    attempt.answer(request("REGISTER"), response(401, challenge("n1")))
    attempt.accepted(response(200, ("Authentication-Info", 'qop=auth, nextnonce="n\\"2", nc=00000001')))
    following = request("REGISTER")
    credentials.attempt("REGISTER").put(following)
    proof = Authorization.parse(following.headers.get("Authorization") or "")
    assert (proof.nonce, proof.nc) == ('n"2', "00000001")


def test_three_tries_and_no_more() -> None:
    attempt = made().attempt("INVITE")
    last: Request | Unproven = request()
    for number in range(3):
        assert isinstance(last, Request)
        last = attempt.answer(last, response(401, challenge(f"n{number}", stale="TRUE")))
    assert isinstance(last, Request)
    assert attempt.answer(last, response(401, challenge("n9", stale="true"))) == Unproven(
        "too_many_tries", "carrier.example"
    )
    other = made().attempt("INVITE")
    again = other.answer(request(), response(401, challenge()))
    assert isinstance(again, Request)
    assert other.answer(again, response(401, challenge("n2"))) == Unproven(
        "wrong_password", "carrier.example"
    )


@pytest.mark.parametrize(
    "header", ["Digest", "Digest realm=x", "Basic realm=x", "", "Digest nonce=n, nonce=n"]
)
def test_challenges_that_cannot_be_read(header: str) -> None:
    answer = (
        made().attempt("REGISTER").answer(request("REGISTER"), response(401, ("WWW-Authenticate", header)))
    )
    assert answer == Unproven("no_challenge")


def test_no_secret_is_shown() -> None:
    credentials = registered()
    assert PASSWORD not in repr(credentials)
    assert repr(credentials) == "<Credentials of l1>"
