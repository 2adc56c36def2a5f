"""Who a request proves to be. RFC 7616, RFC 8760, RFC 3261 §22."""

from __future__ import annotations

import pytest

from appliance.directory import Credentials
from appliance.directory.nonces import NONCE_LIFETIME, NONCE_LIFETIME_UNCOUNTED
from appliance.directory.throttle import MAX_FAILURES, WINDOW
from appliance.errors import PeerError
from appliance.sip.message import Challenge, Request
from tests.directory.fakes import REALM, HandClock, Phone, credentials


def refused(proof: Credentials, request: Request) -> list[Challenge]:
    with pytest.raises(PeerError) as refusal:
        proof.verify(request)
    assert (refusal.value.status, refusal.value.reason) == (401, "Unauthorized")
    return [Challenge.parse(value) for _, value in refusal.value.headers]


def test_a_first_challenge_offers_both_algorithms_md5_first() -> None:
    first, second = Phone().challenges(credentials(HandClock()))
    assert (first.algorithm, second.algorithm) == ("MD5", "SHA-256")
    assert (first.realm, first.qop, first.stale, first.nonce) == (REALM, ("auth",), False, second.nonce)
    assert first.opaque


@pytest.mark.parametrize("which", [0, 1])
def test_the_right_password(which: int) -> None:
    proof, phone = credentials(HandClock()), Phone()
    challenge = phone.challenges(proof)[which]
    assert proof.verify(phone.answer(challenge, phone.request())) == "101"
    assert proof.verify(phone.answer(challenge, phone.request())) == "101", "the next count"


def test_a_client_without_qop() -> None:
    proof, phone = credentials(HandClock()), Phone()
    challenge = phone.challenges(proof)[0]
    old = Challenge(challenge.realm, challenge.nonce, opaque=challenge.opaque)
    assert proof.verify(phone.answer(old, phone.request())) == "101"


def test_nobody_can_tell_an_absent_extension_from_a_wrong_password() -> None:
    answers = []
    for phone in (Phone("101", "wrong"), Phone("999", "secret"), Phone("102", "")):
        proof = credentials(HandClock())
        challenge = phone.challenges(proof)[0]
        with pytest.raises(PeerError) as refusal:
            proof.verify(phone.answer(challenge, phone.request()))
        (again,) = [Challenge.parse(value) for _, value in refusal.value.headers]
        answers.append(
            (refusal.value.status, refusal.value.reason, again.algorithm, again.stale, len(again.nonce))
        )
    assert len(set(answers)) == 1


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
    assert len(refused(credentials(HandClock()), Phone().request(("Authorization", authorization)))) == 2


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
    moved.headers.set("Via", "SIP/2.0/UDP 192.0.2.21;branch=z9hG4bK1;rport=9;received=192.0.2.99")
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
