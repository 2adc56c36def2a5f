"""media/codecs.py: G.711 alone."""

from __future__ import annotations

import pytest

from appliance.media.codecs import beyond_g711, only_g711
from appliance.media.sdp import parse_sdp

HEAD = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
AUDIO = (
    "m=audio 4000 RTP/AVP 96 9 8 0 18 101 13 102\r\n"
    "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:8 PCMA/8000/1\r\na=fmtp:18 annexb=no\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=rtpmap:102 telephone-event/48000\r\na=ptime:20\r\n"
)
CUT = (
    "m=audio 4000 RTP/AVP 8 0 101 13\r\n"
    "a=rtpmap:8 PCMA/8000/1\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n"
)
VIDEO = "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=rtcp-fb:* nack\r\n"


def cut(text: str) -> str:
    return bytes(only_g711(parse_sdp((HEAD + text).encode()))).decode().removeprefix(HEAD)


def test_g711_its_keys_and_its_comfort_noise_stay() -> None:
    assert cut(AUDIO) == CUT
    assert cut(AUDIO + VIDEO) == CUT + VIDEO, "and what is no sound"
    assert cut(CUT) == CUT


@pytest.mark.parametrize(
    "media",
    [
        "m=audio 4000 RTP/AVP 9 101\r\na=rtpmap:101 telephone-event/8000\r\n",
        "m=audio 0 RTP/AVP 9 8\r\n",
        "m=image 4000 udptl t38\r\n",
        "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/16000\r\n",
        VIDEO,
    ],
)
def test_what_would_be_nothing_stays_as_it_is(media: str) -> None:
    assert cut(media) == media
    assert not beyond_g711(parse_sdp((HEAD + media).encode()))


def test_beyond_g711() -> None:
    assert beyond_g711(parse_sdp((HEAD + AUDIO).encode()))
    assert not beyond_g711(parse_sdp((HEAD + CUT).encode()))
    assert beyond_g711(parse_sdp((HEAD + CUT + AUDIO).encode()))
