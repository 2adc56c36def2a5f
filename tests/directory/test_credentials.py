"""Who a request proves to be. RFC 7616, RFC 8760, RFC 3261 §22."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import blake2b

import msgspec
import pytest

from appliance.directory import Credentials, nonces
from appliance.directory.nonces import NONCE_LIFETIME, NONCE_LIFETIME_UNCOUNTED
from appliance.directory.throttle import MAX_FAILURES, WINDOW
from appliance.errors import PeerError
from appliance.sip.message import Authorization, Challenge, Request
from appliance.sip.message.digest import ALGORITHMS, digest_response, ha1
from appliance.sip.transport.answer import note_source
from tests.directory.fakes import HOME, REALM, HandClock, Known, Phone, credentials


def refused(proof: Credentials, request: Request) -> list[Challenge]:
    with pytest.raises(PeerError) as refusal:
        proof.verify(request)
    assert (refusal.value.status, refusal.value.reason) == (401, "Unauthorized")
    return [Challenge.parse(value) for _, value in refusal.value.headers]


def test_a_first_challenge_offers_all_algorithms_md5_first() -> None:
    first, second, third = Phone().challenges(credentials(HandClock()))
    assert (first.algorithm, second.algorithm, third.algorithm) == ("MD5", "SHA-256", "SHA-512-256")
    assert (first.realm, first.qop, first.stale, first.nonce) == (REALM, ("auth",), False, second.nonce)
    assert first.opaque


@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_right_password(which: int) -> None:
    proof, phone = credentials(HandClock()), Phone()
    challenge = phone.challenges(proof)[which]
    assert proof.verify(phone.answer(challenge, phone.request())) == "101"
    assert proof.verify(phone.answer(challenge, phone.request())) == "101", "the next count"


def test_who_claims_to_be_ours_right_or_wrong() -> None:
    proof, phone = credentials(HandClock()), Phone()
    assert not proof.is_claimed_by(phone.request())
    challenge = phone.challenges(proof)[0]
    assert proof.is_claimed_by(phone.answer(challenge, phone.request()))
    stranger = msgspec.structs.replace(challenge, realm="carrier.example")
    assert not proof.is_claimed_by(phone.answer(stranger, phone.request()))
    odd = phone.request()
    odd.headers.add("Authorization", "Bearer x")
    assert not proof.is_claimed_by(odd)


def test_a_client_without_qop() -> None:
    proof, phone = credentials(HandClock()), Phone()
    challenge = phone.challenges(proof)[0]
    old = Challenge(challenge.realm, challenge.nonce, opaque=challenge.opaque)
    assert proof.verify(phone.answer(old, phone.request())) == "101"
    assert refused(proof, phone.answer(old, phone.request()))[0].stale, "no count: each use needs a nonce"
    assert refused(proof, phone.answer(challenge, phone.request()))[0].stale


def test_a_body_may_be_signed_too() -> None:
    proof, phone = credentials(HandClock()), Phone()
    request = phone.request(method="INVITE")
    request.body = b"v=0\r\n\xff"
    challenge = phone.challenges(proof)[1]
    blank = Authorization(
        "101", REALM, challenge.nonce, request.uri, "", "SHA-256", "auth-int", "c", "00000001"
    )
    secret = ha1("SHA-256", "101", REALM, "secret")
    signed = msgspec.structs.replace(blank, response=digest_response(secret, "INVITE", blank, request.body))
    request.headers.set("Authorization", str(signed))
    changed = Request("INVITE", request.uri, request.headers, b"v=1\r\n\xff")
    assert not refused(proof, changed)[0].stale
    assert proof.verify(request) == "101"


def test_an_extension_whose_password_is_older_than_an_algorithm_uses_the_others() -> None:
    known = Known("101", "secret")
    known.ha1_sha512_256 = ""
    proof = Credentials(HandClock(), REALM, {"101": known}.get)
    phone = Phone()
    again = refused(proof, phone.answer(phone.challenges(proof)[2], phone.request()))
    assert [each.algorithm for each in again] == ["SHA-256", "MD5"]
    assert not again[0].stale
    assert proof.verify(phone.answer(again[0], phone.request(), count=1)) == "101"


class HashCount:
    """How often each hash function runs, and over how many of its blocks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, int]] = []
        for name, function in ALGORITHMS.items():
            monkeypatch.setitem(ALGORITHMS, name, partial(self._hash, name, function))
        monkeypatch.setattr(nonces, "blake2b", self._prove)

    def _hash(self, name: str, function: Callable[[str], str], text: str) -> str:
        self.made.append((name, len(text.encode("utf-8", "surrogateescape"))))
        return function(text)

    def _prove(self, text: bytes, *, key: bytes, digest_size: int) -> blake2b:
        self.made.append(("proof", len(text)))
        return blake2b(text, key=key, digest_size=digest_size)

    def take(self) -> list[tuple[str, int]]:
        made, self.made = self.made, []
        return made


OLD = Known("103", "secret")
OLD.ha1_sha512_256 = ""
NOT_LET_IN = [("101", "wrong"), ("999", "secret"), ("102", ""), ("103", "wrong"), ("998", "")]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("qop", [("auth",), ()])
def test_nobody_can_tell_an_absent_extension_from_a_wrong_password(
    monkeypatch: pytest.MonkeyPatch, algorithm: str, qop: tuple[str, ...]
) -> None:
    extensions = {"101": Known("101", "secret"), "102": Known("102", "other"), "103": OLD}
    seen = set()
    for number, password in NOT_LET_IN:
        proof = Credentials(HandClock(), REALM, extensions.get)
        proof._opaque = "o"  # one process has one
        phone = Phone(number, password)
        first = phone.challenges(proof)
        challenge = next(each for each in first if each.algorithm == algorithm)
        challenge = msgspec.structs.replace(challenge, qop=qop)
        request = phone.answer(challenge, phone.request())
        hashes = HashCount(monkeypatch)
        with pytest.raises(PeerError) as refusal:
            proof.verify(request)
        monkeypatch.undo()
        said = (refusal.value.status, refusal.value.reason, refusal.value.headers)
        nonces = [each.nonce for each in first] + [
            Challenge.parse(value).nonce for _, value in refusal.value.headers
        ]
        text = repr((first, said))
        for nonce in nonces:
            text = text.replace(nonce, "N" * len(nonce))
        seen.add((text, tuple(hashes.take())))
    assert len(seen) == 1
    ((_, work),) = seen
    assert len(work) == 4, "two hashes of the digest, one proof of the nonce, one proof of the next"


def test_nobody_is_not_let_in_by_the_digest_that_stands_for_nobody() -> None:
    proof = credentials(HandClock())
    phone = Phone("999", "")
    request = phone.answer(phone.challenges(proof)[0], phone.request())
    assert refused(proof, request)[0].stale is False


@pytest.mark.parametrize(
    "authorization",
    [
        "NoOneKnowsThisScheme opaque-data=here", "Digest username=x", "",
        'Digest username="101", realm="elsewhere", nonce="n", uri="u", response="r"',
        f'Digest username="101", realm="{REALM}", nonce="n", uri="u", response="r", algorithm=MD5-sess',
    ],
)  # fmt: skip
def test_credentials_that_say_nothing_are_as_good_as_none(authorization: str) -> None:
    assert len(refused(credentials(HandClock()), Phone().request(("Authorization", authorization)))) == 3


def test_among_several_the_ones_for_our_realm_count() -> None:
    proof, phone = credentials(HandClock()), Phone()
    request = phone.answer(phone.challenges(proof)[0], phone.request())
    request.headers.add_first(
        "Authorization", 'Digest username="x", realm="elsewhere", nonce="n", uri="u", response="r"'
    )
    assert proof.verify(request) == "101"


@pytest.mark.parametrize("response", ["", "é", "x" * 1000])
def test_a_response_of_any_kind_is_merely_wrong(response: str) -> None:
    proof, phone = credentials(HandClock()), Phone()
    nonce = phone.challenges(proof)[0].nonce
    text = f'Digest username="101", realm="{REALM}", nonce="{nonce}", uri="u", response="{response}"'
    assert not refused(proof, phone.request(("Authorization", text)))[0].stale


def test_a_request_cannot_be_replayed() -> None:
    proof, phone = credentials(HandClock()), Phone()
    challenge = phone.challenges(proof)[0]
    request = phone.answer(challenge, phone.request())
    assert proof.verify(request) == "101"
    assert refused(proof, request)[0].stale


@pytest.mark.parametrize(("qop", "lifetime"), [(("auth",), NONCE_LIFETIME), ((), NONCE_LIFETIME_UNCOUNTED)])
def test_an_old_nonce_is_stale_only_with_the_right_password(qop: tuple[str, ...], lifetime: float) -> None:
    clock = HandClock()
    proof, phone, liar = credentials(clock), Phone(), Phone(password="wrong")
    challenge = phone.challenges(proof)[0]
    challenge = Challenge(challenge.realm, challenge.nonce, "MD5", qop)
    clock.advance(lifetime + 1)
    assert refused(proof, phone.answer(challenge, phone.request()))[0].stale
    assert not refused(proof, liar.answer(challenge, liar.request()))[0].stale


def test_a_nonce_is_for_one_address_and_one_process() -> None:
    clock = HandClock()
    proof, phone = credentials(clock), Phone()
    challenge = phone.challenges(proof)[0]
    moved = phone.answer(challenge, phone.request())
    moved.source = ("192.0.2.99", 9)
    assert refused(proof, moved)[0].stale
    assert refused(credentials(clock), phone.answer(challenge, phone.request()))[0].stale
    made_up = Challenge(REALM, "nönce", "MD5", ("auth",))
    assert refused(proof, phone.answer(made_up, phone.request()))[0].stale


def test_what_was_signed_is_what_was_asked_for() -> None:
    proof, phone = credentials(HandClock()), Phone()
    challenge = phone.challenges(proof)[0]
    assert proof.verify(phone.answer(challenge, phone.request(), uri="sip:pbx.example")) == "101", (
        "another host"
    )
    refused(proof, phone.answer(challenge, phone.request(), uri="sip:112@192.0.2.10"))
    assert (
        proof.verify(phone.answer(challenge, phone.request(method="INVITE"), uri="sip:pbx.example")) == "101"
    )
    refused(proof, phone.answer(challenge, phone.request(), uri="no uri"))
    refused(proof, phone.answer(challenge, phone.request(), uri="sip:112@::1:5060"))
    assert proof.verify(phone.answer(challenge, phone.request(), uri="sip:::1:5060")) == "101", (
        "sipp over IPv6"
    )
    other_method = phone.answer(challenge, phone.request())
    other_method.method = "INVITE"
    refused(proof, other_method)


def test_a_stale_or_wrong_answer_gets_its_own_algorithm_back() -> None:
    proof, phone = credentials(HandClock()), Phone(password="wrong")
    challenge = phone.challenges(proof)[1]
    assert [each.algorithm for each in refused(proof, phone.answer(challenge, phone.request()))] == [
        "SHA-256"
    ]


def test_guessing_is_slowed_down_for_that_pair_alone() -> None:
    clock = HandClock()
    proof, liar = credentials(clock), Phone(password="wrong")
    challenge = liar.challenges(proof)[0]
    for _ in range(MAX_FAILURES):
        refused(proof, liar.answer(challenge, liar.request()))
    lucky, neighbour = Phone(), Phone("102", "other")
    refused(proof, lucky.answer(lucky.challenges(proof)[0], lucky.request()))
    assert proof.verify(neighbour.answer(neighbour.challenges(proof)[0], neighbour.request())) == "102"
    lucky.address = "192.0.2.99"
    assert proof.verify(lucky.answer(lucky.challenges(proof)[0], lucky.request())) == "101"
    lucky.address = "192.0.2.21"
    clock.advance(WINDOW)
    assert proof.verify(lucky.answer(lucky.challenges(proof)[0], lucky.request())) == "101"


def test_guessing_is_counted_by_where_it_comes_from_wherever_the_answers_go() -> None:
    proof = credentials(HandClock())

    def sent(phone: Phone, number: int) -> Request:
        request = phone.request(method="INVITE")
        via = f"SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bK{number};maddr=192.0.2.{number};received=192.0.2.{number}"
        request.headers.set("Via", via)
        note_source(request, HOME)
        return request

    liar, lucky = Phone(password="wrong"), Phone()
    for number in range(MAX_FAILURES):
        refused(proof, liar.answer(liar.challenges(proof)[0], sent(liar, 100 + number)))
    refused(proof, lucky.answer(lucky.challenges(proof)[0], sent(lucky, 99)))


def test_guesses_with_a_nonce_that_address_never_got_do_not_count() -> None:
    proof, liar, phone = credentials(HandClock()), Phone(password="wrong"), Phone()
    for _ in range(MAX_FAILURES + 1):
        refused(proof, liar.answer(Challenge(REALM, "forged"), liar.request()))
    assert proof.verify(phone.answer(phone.challenges(proof)[0], phone.request())) == "101"


def test_long_names_are_not_kept_whole() -> None:
    proof, liar = credentials(HandClock()), Phone("1" * 5000)
    refused(proof, liar.answer(liar.challenges(proof)[0], liar.request()))
    kept = [*proof._throttle._failures, *proof._offers._waiting]
    assert kept
    assert all(len(number) <= 32 for _, number in kept)
