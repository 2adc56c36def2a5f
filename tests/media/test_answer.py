"""media/answer.py: what an end of our own answers and offers, and how a hold is told so that music can be heard."""

from __future__ import annotations

import pytest
from hypothesis import given

from appliance.errors import PeerError
from appliance.media.answer import PLAYABLE, answer_to, fitted, held, holds, offer_anew, own_offer
from appliance.media.formats import TELEPHONE_EVENT, formats_of
from appliance.media.sdp import Direction, parse_sdp
from tests.media.descriptions import VIDEO, any_offer, describe
from tests.media.fakes import OFFER, make_relay

DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


def refusal(offer: bytes) -> tuple[int, str]:
    with pytest.raises(PeerError) as caught:
        answer_to(offer)
    return caught.value.status, caught.value.reason


def test_an_offer_is_answered_with_what_we_can_play_by_its_own_numbers() -> None:
    offer = describe(
        "audio 4000 RTP/AVP 18 99 8 97", "rtpmap:99 pcmu/8000/1", "rtpmap:97 telephone-event/8000"
    )
    assert answer_to(offer) == (
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        b"m=audio 9 RTP/AVP 99 8 97\r\na=rtpmap:99 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        b"a=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def test_the_first_audio_that_can_be_played_is_taken_and_all_else_refused() -> None:
    offer = describe(*VIDEO) + (
        b"m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"
        b"m=audio 0 RTP/AVP 0\r\nm=audio 4002 RTP/AVPF 0\r\na=mid:3\r\nm=audio 4004 RTP/AVP 0\r\nm=image 4006 udptl t38\r\n"
    )
    media = parse_sdp(answer_to(offer)).media
    assert [each.port for each in media] == [0, 0, 0, 9, 0, 0]
    assert [each.proto for each in media] == [
        "RTP/AVP",
        "RTP/SAVP",
        "RTP/AVP",
        "RTP/AVPF",
        "RTP/AVP",
        "udptl",
    ]
    assert b"a=mid:3\r\n" in answer_to(offer)


@pytest.mark.parametrize(
    ("offered", "answered"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_the_direction_is_mirrored(offered: str, answered: str) -> None:
    assert parse_sdp(answer_to(OFFER + f"a={offered}\r\n".encode())).media[0].direction == answered


def test_the_times_are_the_offer_s() -> None:
    assert b"\r\nt=1 2\r\n" in answer_to(OFFER.replace(b"t=0 0", b"t=1 2"))


@pytest.mark.parametrize(
    "section",
    [
        ("audio 4000 RTP/AVP 18",),
        ("audio 4000 RTP/AVP 101", "rtpmap:101 telephone-event/8000"),
        ("audio 4000 RTP/AVP 0", "rtpmap:0 opus/48000/2"),
        ("audio 4000 RTP/AVP 96", "rtpmap:96 PCMU/16000"),
        ("audio 4000 RTP/AVP 96", "rtpmap:96"),
        ("audio 4000 RTP/AVP 96", "rtpmap:96 PCMU/x"),
        ("audio 4000 RTP/AVP 96", "rtpmap:96 PCMU/8000000000"),
        ("audio 4000 RTP/SAVP 0",),
        ("audio 4000 UDP/TLS/RTP/SAVPF 0",),
        ("audio 0 RTP/AVP 0",),
        ("video 4000 RTP/AVP 34",),
    ],
)
def test_what_cannot_be_played_is_refused(section: tuple[str, ...]) -> None:
    assert refusal(describe(*section)) == (488, "Not Acceptable Here")


def test_what_is_no_description_is_a_bad_request() -> None:
    assert refusal(b"hello")[0] == 400


@given(any_offer())
def test_an_answer_fits_any_offer(offer: bytes) -> None:
    offered = parse_sdp(offer).media
    try:
        answered = parse_sdp(answer_to(offer)).media
    except PeerError as error:
        assert error.status == 488
        return
    assert len(answered) == len(offered)
    (accepted,) = (at for at, media in enumerate(answered) if not media.rejected)
    for ours, theirs in zip(answered, offered, strict=True):
        assert (ours.kind, ours.proto) == (theirs.kind, theirs.proto)
    taken = formats_of(answered[accepted])
    assert taken.items() <= formats_of(offered[accepted]).items()
    assert set(taken.values()) <= {*PLAYABLE, TELEPHONE_EVENT}


def test_our_own_offer_can_be_answered_by_ourselves() -> None:
    media = parse_sdp(own_offer()).media[0]
    assert list(formats_of(media).values()) == [*PLAYABLE, TELEPHONE_EVENT]
    assert formats_of(parse_sdp(answer_to(own_offer())).media[0]) == formats_of(media)


def test_a_leg_puts_its_address_into_all_of_these() -> None:
    leg = make_relay()[0].open_leg("203.0.113.1", "192.0.2.20")
    nowhere = OFFER.replace(b"c=IN IP4 192.0.2.10", b"c=IN IP4 0.0.0.0")
    for made in (own_offer(), answer_to(OFFER), offer_anew(nowhere), held(nowhere)):
        told = leg.describe(made)
        assert b"c=IN IP4 203.0.113.1\r\n" in told
        assert b"192.0.2" not in told
        assert b"0.0.0.0" not in told


def test_an_offer_anew_has_no_direction_and_no_address_that_holds() -> None:
    said = (
        OFFER.replace(b"t=0 0", b"t=0 0\r\na=inactive")
        + b"c=IN IP4 0.0.0.0\r\na=recvonly\r\nm=video 0 RTP/AVP 96\r\n"
    )
    anew = offer_anew(said)
    assert [each.direction for each in parse_sdp(anew).media] == ["sendrecv", "sendrecv"]
    assert [each.port for each in parse_sdp(anew).media] == [49170, 0]
    assert b"c=IN IP4 192.0.2.1\r\n" in anew
    assert b"a=x-unknown:kept" in anew
    assert not holds(anew)
    assert offer_anew(anew) == anew


@pytest.mark.parametrize(
    ("tail", "is_hold"),
    [
        (b"", False), (b"a=recvonly\r\n", False), (b"a=sendonly\r\n", True), (b"a=inactive\r\n", True),
        (b"c=IN IP4 0.0.0.0\r\n", True), (b"c=IN IP6 ::\r\n", True),
        # another audio line on which they listen; a refused one says nothing
        (b"a=sendonly\r\nm=audio 4 RTP/AVP 0\r\n", False), (b"a=sendonly\r\nm=audio 0 RTP/AVP 0\r\n", True),
        (b"m=video 4 RTP/AVP 96\r\na=sendonly\r\n", False),
    ],
)  # fmt: skip
def test_a_hold_is_seen_and_told_as_sendonly(tail: bytes, is_hold: bool) -> None:
    said = OFFER + tail
    assert holds(said) is is_hold
    told = parse_sdp(held(said)).media
    assert told[0].direction == (
        "sendonly" if holds(OFFER + tail.partition(b"m=")[0]) else parse_sdp(said).media[0].direction
    )
    assert not (told[0].connection and told[0].connection.unspecified)
    assert holds(held(said)) is is_hold


def test_a_hold_for_the_whole_session_is_seen() -> None:
    said = OFFER.replace(b"t=0 0", b"t=0 0\r\na=inactive")
    assert holds(said)
    assert parse_sdp(held(said)).media[0].direction == "sendonly"


def test_nothing_said_is_no_hold() -> None:
    assert not holds(b"")
    assert not holds(describe("video 4000 RTP/AVP 34", "inactive"))


@pytest.mark.parametrize("offered", DIRECTIONS)
@pytest.mark.parametrize("wanted", DIRECTIONS)
def test_an_answer_is_fitted_to_the_offer_s_direction(offered: Direction, wanted: Direction) -> None:
    answer, offer = (OFFER + f"a={each}\r\n".encode() for each in (wanted, offered))
    said = parse_sdp(fitted(answer, offer)).media[0].direction
    allowed = {
        "sendrecv": {"sendrecv", "sendonly", "recvonly", "inactive"},
        "sendonly": {"recvonly", "inactive"},
        "recvonly": {"sendonly", "inactive"},
        "inactive": {"inactive"},
    }[offered]
    assert said in allowed
    if wanted in allowed:
        assert said == wanted
