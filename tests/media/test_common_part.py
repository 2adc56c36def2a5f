"""media/common_part.py: two offers become each other's answers."""

from __future__ import annotations

import pytest
from hypothesis import given

from appliance.errors import PeerError
from appliance.media.common_part import NO_SOUND, common_part
from appliance.media.formats import formats_of
from appliance.media.sdp import parse_sdp
from tests.media.descriptions import VIDEO, any_offer, describe
from tests.media.fakes import OFFER

WIDE = describe(
    "audio 4000 RTP/AVP 111 96 8 97",
    *("rtpmap:111 opus/48000/2", "fmtp:111 useinbandfec=1", "rtpmap:96 PCMU/8000"),
    *("rtpmap:97 telephone-event/8000", "fmtp:97 0-15", "x-kept:1", "ptime:20"),
)
SECURE = "audio 4000 RTP/SAVP 0"
KEYS_80, KEYS_32 = ("AES_CM_128_HMAC_SHA1_80 inline:", "AES_CM_128_HMAC_SHA1_32 inline:")


def refused(offer: bytes, other: bytes) -> int:
    with pytest.raises(PeerError) as caught:
        common_part(offer, other)
    return caught.value.status


def test_the_other_s_offer_is_cut_down_to_what_both_have_by_its_own_numbers() -> None:
    (audio,) = parse_sdp(common_part(OFFER, WIDE)).media
    assert audio.formats == ("96", "8", "97")
    assert [line.value for line in audio.lines[1:]] == [
        *(
            "rtpmap:96 PCMU/8000",
            "rtpmap:97 telephone-event/8000",
            "fmtp:97 0-15",
            "x-kept:1",
            "ptime:20",
            "sendrecv",
        )
    ]
    assert audio.connection is not None
    assert audio.connection.host == "192.0.2.30"
    (audio,) = parse_sdp(common_part(WIDE, OFFER)).media
    assert audio.formats == ("0", "8", "101")


def test_lines_stand_in_the_order_of_the_offer_and_those_without_counterpart_are_refused() -> None:
    both = describe(*VIDEO) + b"m=audio 4000 RTP/AVP 0\r\na=mid:sound\r\nm=image 5 udptl t38\r\n"
    answer = parse_sdp(common_part(both, OFFER)).media
    assert [(each.kind, each.port) for each in answer] == [("video", 0), ("audio", 49170), ("image", 0)]
    assert b"a=mid:sound\r\n" in common_part(both, OFFER)
    answer = parse_sdp(common_part(OFFER, both)).media
    assert [(each.kind, each.port) for each in answer] == [("audio", 4000)]
    assert b"a=mid" not in common_part(OFFER, both)


def test_keys_without_sound_are_no_common_ground() -> None:
    events = ("101 13", "rtpmap:101 telephone-event/8000")
    one = describe(f"audio 4000 RTP/AVP 0 {events[0]}", events[1])
    other = describe(f"audio 4000 RTP/AVP 8 {events[0]}", events[1])
    assert refused(one, other) == 488


def test_a_number_without_a_name_is_nobody_else_s() -> None:
    assert refused(describe("audio 4 RTP/AVP 96"), describe("audio 4 RTP/AVP 97")) == 488
    assert refused(b"hello", OFFER) == 400


def test_both_are_told_the_same_suite_the_other_s_key_and_their_own_tag() -> None:
    one = describe(SECURE, f"crypto:1 {KEYS_80}ONE80", f"crypto:2 {KEYS_32}ONE32")
    other = describe(SECURE, f"crypto:4 {KEYS_32}OTHER32", f"crypto:5 {KEYS_80}OTHER80", "crypto:6 FUTURE x")
    assert f"a=crypto:2 {KEYS_32}OTHER32\r\n".encode() in common_part(one, other)
    assert f"a=crypto:4 {KEYS_32}ONE32\r\n".encode() in common_part(other, one)
    assert common_part(one, other).count(b"a=crypto") == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((SECURE, f"crypto:1 {KEYS_80}A"), (SECURE, f"crypto:1 {KEYS_32}B")),
        ((SECURE, f"crypto:1 {KEYS_80}A"), ("audio 4000 RTP/AVP 0",)),
        (
            ("audio 4000 UDP/TLS/RTP/SAVPF 0", "setup:actpass"),
            ("audio 4000 UDP/TLS/RTP/SAVPF 0", "setup:actpass"),
        ),
    ],
)
def test_encrypted_sound_that_cannot_be_joined_is_refused(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assert refused(describe(*one), describe(*other)) == 488


def test_feedback_is_no_hindrance() -> None:
    answer = common_part(OFFER, OFFER.replace(b"RTP/AVP", b"RTP/AVPF"))
    assert b" RTP/AVP 0 8 101\r\n" in answer


@pytest.mark.parametrize(
    ("offered", "others", "answered"),
    [
        ("sendrecv", "sendrecv", "sendrecv"),
        ("sendonly", "sendrecv", "recvonly"),
        ("recvonly", "sendrecv", "sendonly"),
        ("sendrecv", "recvonly", "recvonly"),
        ("sendonly", "sendonly", "inactive"),
    ],
)
def test_the_direction_is_one_that_both_want(offered: str, others: str, answered: str) -> None:
    one, other = (OFFER + f"a={each}\r\n".encode() for each in (offered, others))
    assert parse_sdp(common_part(one, other)).media[0].direction == answered


@given(any_offer(), any_offer())
def test_any_two_offers_become_answers_or_nothing(one: bytes, other: bytes) -> None:
    offered = parse_sdp(one).media
    try:
        answered = parse_sdp(common_part(one, other)).media
    except PeerError as error:
        assert error.status == 488
        return
    assert [each.kind for each in answered] == [each.kind for each in offered]
    theirs = [set(formats_of(each).items()) for each in parse_sdp(other).media]
    for ours, offer in zip(answered, offered, strict=True):
        assert ours.proto == offer.proto
        if ours.rejected:
            continue
        formats = formats_of(ours)
        assert set(formats.values()) <= set(formats_of(offer).values())
        assert any(set(formats.items()) <= each for each in theirs)
        assert not set(formats.values()) <= set(NO_SOUND)
