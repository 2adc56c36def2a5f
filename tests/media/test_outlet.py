"""media/outlet.py: on which line and by which number a peer can be played something."""

from __future__ import annotations

import pytest

from appliance.media.outlet import Playable, find_playable
from appliance.media.sdp import Media, parse_sdp
from tests.media.descriptions import VIDEO, describe

SUITE = "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"


def media(section: str, *attributes: str) -> tuple[Media, ...]:
    return parse_sdp(describe(section, *attributes)).media


def test_the_peer_s_own_order_and_numbers_count() -> None:
    said = media("audio 4000 RTP/AVP 18 99 0", "rtpmap:99 PCMA/8000")
    assert find_playable((), said) == Playable(0, 99, "PCMA")


def test_what_the_peer_was_told_of_is_better_and_nothing_else_is_no_hindrance() -> None:
    said = media("audio 4000 RTP/AVP 8 0")
    assert find_playable(media("audio 9 RTP/AVP 96", "rtpmap:96 PCMU/8000"), said) == Playable(0, 0, "PCMU")
    assert find_playable(media("audio 9 RTP/AVP 18"), said) == Playable(0, 8, "PCMA")


def test_the_first_line_that_takes_sound_is_played_on() -> None:
    said = parse_sdp(describe(*VIDEO) + b"m=audio 0 RTP/AVP 0\r\nm=audio 4004 RTP/AVP 0\r\n").media
    assert find_playable((), said) == Playable(2, 0, "PCMU")
    told = parse_sdp(describe(*VIDEO) + b"m=audio 0 RTP/AVP 0\r\nm=audio 0 RTP/AVP 0\r\n").media
    assert find_playable(told, said) is None


@pytest.mark.parametrize(
    "section",
    [
        ("audio 4000 RTP/AVP 18",),
        ("audio 4000 RTP/AVP 0", "sendonly"),
        ("audio 4000 RTP/AVP 0", "inactive"),
        ("audio 4000 RTP/SAVP 0", SUITE),
        ("audio 4000 UDP/TLS/RTP/SAVPF 0",),
        ("audio 4000 udptl t38",),
        ("video 4000 RTP/AVP 34",),
    ],
)
def test_who_holds_or_takes_no_plain_sound_is_played_nothing(section: tuple[str, ...]) -> None:
    assert find_playable((), media(*section)) is None


def test_an_optional_key_counts_if_both_sides_gave_one() -> None:
    plain, keyed = media("audio 4000 RTP/AVP 0"), media("audio 4000 RTP/AVP 0", SUITE)
    assert find_playable(plain, keyed) is not None
    assert find_playable(keyed, plain) is not None
    assert find_playable(keyed, keyed) is None
    assert find_playable((), plain) is not None
    assert find_playable((), ()) is None
