"""Digest. RFC 7616 §3.9 (its examples), RFC 2617 §3.5, RFC 2069 with errata 749, RFC 8760."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import Authorization, Challenge
from appliance.sip.message.digest import digest_response, ha1

NONCE_7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    secret = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    answer = Authorization(
        "Mufasa", "http-auth@example.org", NONCE_7616, "/dir/index.html", "", algorithm, "auth",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "00000001",
    )  # fmt: skip
    assert digest_response(secret, "GET", answer) == response


def test_the_example_of_rfc_2617() -> None:
    secret = ha1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life")
    answer = Authorization(
        "Mufasa", "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html", "", "MD5", "auth", "0a4f113b", "00000001",
    )  # fmt: skip
    assert digest_response(secret, "GET", answer) == "6629fae49393a05397450978507c4ef1"


def test_without_qop_as_in_rfc_2069() -> None:
    secret = ha1("MD5", "Mufasa", "testrealm@host.com", "CircleOfLife")
    answer = Authorization(
        "Mufasa", "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html", ""
    )
    assert digest_response(secret, "GET", answer) == "1949323746fe6a43ef61f9606e7febea"


def test_auth_int_covers_the_body() -> None:
    answer = Authorization("a", "r", "n", "sip:x", "", "SHA-256", "auth-int", "c", "00000001")
    one, other = (digest_response("secret", "INVITE", answer, body) for body in (b"v=0", b"v=1"))
    assert one != other


def test_sha_512_256() -> None:
    assert len(ha1("SHA-512-256", "a", "r", "p")) == 64


def test_reading_a_challenge() -> None:
    text = 'Digest realm="a \\"b\\", c", nonce="n=,", algorithm=SHA-256, qop="auth, auth-int" , opaque="", stale=TRUE, unknown=x'
    assert Challenge.parse(text) == Challenge(
        'a "b", c', "n=,", "SHA-256", ("auth", "auth-int"), "", stale=True
    )
    assert Challenge.parse("digest realm=r,nonce=n") == Challenge("r", "n")
    assert Challenge.parse("Digest\trealm=r,nonce=n") == Challenge("r", "n")


def test_printing_a_challenge() -> None:
    # RFC 7616 §3.3: realm, nonce, opaque and qop MUST be quoted, stale and algorithm MUST NOT.
    whole = Challenge('a "b"', "n", "SHA-256", ("auth", "auth-int"), "o", stale=True)
    assert str(whole) == (
        'Digest realm="a \\"b\\"", nonce="n", opaque="o", stale=true, algorithm=SHA-256, qop="auth,auth-int"'
    )
    # RFC 2069: what is not said is not printed either.
    assert str(Challenge("r", "n")) == 'Digest realm="r", nonce="n", algorithm=MD5'


def test_reading_credentials() -> None:
    text = (
        'Digest username="101",realm="r",nonce="n",uri="sip:x",response="0f",algorithm=md5,'
        'cnonce="c",opaque="o",qop=auth,nc=0000000A'
    )
    assert Authorization.parse(text) == Authorization(
        "101", "r", "n", "sip:x", "0f", "MD5", "auth", "c", "0000000A", "o"
    )


CREDENTIALS = 'Digest username="1", realm="r", nonce="n", uri="u", response="x"'


@pytest.mark.parametrize(
    "text",
    [
        "", "Digest", "Basic abc=", "NoOneKnowsThisScheme opaque-data=here", 'Digest username="1"', CREDENTIALS + ', realm="again"',
        CREDENTIALS + ", qop=auth", CREDENTIALS + ', qop=auth, cnonce="c"', CREDENTIALS + ', qop=auth, cnonce="c", nc=1',
        CREDENTIALS + ', qop=other, cnonce="c", nc=00000001', CREDENTIALS + ', opaque="open', CREDENTIALS + ", junk",
        CREDENTIALS + "".join(f", p{i}=x" for i in range(64)), CREDENTIALS.replace("response", "reply"),
    ],
)  # fmt: skip
def test_what_are_no_credentials(text: str) -> None:
    with pytest.raises(PeerError):
        Authorization.parse(text)


@pytest.mark.parametrize(
    "text", ["Digest realm=r", "Digest nonce=n", "Basic realm=r", "Digests realm=r,nonce=n"]
)
def test_what_is_no_challenge(text: str) -> None:
    with pytest.raises(PeerError):
        Challenge.parse(text)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("qop", [(), ("auth",), ("auth-int", "auth")])
def test_an_answer_fits_its_challenge(algorithm: str, qop: tuple[str, ...]) -> None:
    challenge = Challenge("r", "n", algorithm, qop, "o")
    secret = ha1(algorithm, "101", "r", "password")
    answer = Authorization.answer(challenge, "REGISTER", "sip:x", "101", secret, cnonce="c", count=2)
    assert Authorization.parse(str(answer)) == answer
    assert answer.response == digest_response(secret, "REGISTER", answer)
    assert (answer.qop, answer.nc) == (("auth", "00000002") if qop else (None, None))


TEXT = st.text(st.characters(codec="utf-8"))


@given(
    TEXT,
    TEXT,
    st.sampled_from(["MD5", "SHA-256"]),
    st.sampled_from([(), ("auth",), ("auth", "auth-int")]),
    TEXT | st.none(),
    st.booleans(),
)
def test_challenges_survive_printing_and_reading(
    realm: str, nonce: str, algorithm: str, qop: tuple[str, ...], opaque: str | None, stale: bool
) -> None:
    challenge = Challenge(realm, nonce, algorithm, qop, opaque, stale)
    assert Challenge.parse(str(challenge)) == challenge


@given(TEXT, TEXT, TEXT, TEXT)
def test_credentials_survive_printing_and_reading(username: str, nonce: str, uri: str, cnonce: str) -> None:
    answer = Authorization(username, "r", nonce, uri, "00", "SHA-256", "auth", cnonce, "00000001")
    assert Authorization.parse(str(answer)) == answer


@given(st.text(alphabet=st.sampled_from('Digestrlmnoc="\\, 1')).map("Digest ".__add__))
def test_any_text_is_read_or_refused(text: str) -> None:
    for kind in (Challenge, Authorization):
        try:
            kind.parse(text)
        except PeerError as refusal:
            assert refusal.status == 400


@pytest.mark.parametrize(
    ("qop", "chosen"), [("auth,auth-int", "auth"), ("auth-int", "auth-int"), ("other", None)]
)
def test_the_body_is_proven_where_nothing_less_will_do(qop: str, chosen: str | None) -> None:
    challenge = Challenge.parse(f'Digest realm="r", nonce="n", qop="{qop}"')
    secret = ha1("MD5", "101", "r", "p")
    answers = [
        Authorization.answer(challenge, "INVITE", "sip:x", "101", secret, cnonce="c", body=body)
        for body in (b"one", b"other")
    ]
    assert [each.qop for each in answers] == [chosen, chosen]
    assert (answers[0].response != answers[1].response) is (chosen == "auth-int")
