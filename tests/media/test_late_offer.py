"""media/late_offer.py: an offer as the answer to another one."""

from __future__ import annotations

import pytest

from appliance.errors import PeerError
from appliance.media.late_offer import as_answer
from appliance.media.sdp import parse_sdp

HEAD = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
PHONE = "m=audio 4000 RTP/AVP 9 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
CARRIER = "m=audio 6000 RTP/AVP 8 18 96\r\na=rtpmap:96 telephone-event/8000\r\n"
VIDEO = "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"


def answer(own: str, other: str) -> str:
    made = as_answer(parse_sdp((HEAD + own).encode()), parse_sdp((HEAD + other).encode()))
    assert parse_sdp(bytes(made)) == made
    return bytes(made).decode().removeprefix(HEAD)


def test_what_both_know() -> None:
    """Each side's own numbers: RFC 3264 §5.1 lets them differ."""
    assert answer(PHONE, CARRIER) == (
        "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    )
    assert answer(CARRIER, PHONE) == "m=audio 6000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"


def test_as_many_media_as_were_offered() -> None:
    assert answer(PHONE + VIDEO, CARRIER).count("m=") == 1
    assert answer(CARRIER, PHONE + VIDEO).endswith("m=video 0 RTP/AVP 97\r\n")
    assert answer(CARRIER + VIDEO, PHONE + VIDEO).endswith(VIDEO)
    assert answer(CARRIER, PHONE + PHONE).endswith("m=audio 0 RTP/AVP 9 8 0 101\r\n")


@pytest.mark.parametrize(
    ("own", "other", "made"),
    [
        ("", "", None),
        ("", "sendonly", "recvonly"),
        ("", "recvonly", "sendonly"),
        ("", "inactive", "inactive"),
        ("sendonly", "", "sendonly"),
        ("sendonly", "sendonly", "inactive"),
        ("recvonly", "sendonly", "recvonly"),
    ],
)
def test_directions(own: str, other: str, made: str | None) -> None:
    lines = answer(PHONE + (f"a={own}\r\n" if own else ""), CARRIER + (f"a={other}\r\n" if other else ""))
    found = [
        each[2:]
        for each in lines.splitlines()
        if each[2:] in {"sendrecv", "sendonly", "recvonly", "inactive"}
    ]
    assert found == ([made] if made else [])


@pytest.mark.parametrize(
    "other",
    [
        "m=audio 6000 RTP/AVP 18\r\n",
        "m=audio 6000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n",
        "m=audio 6000 RTP/SAVP 8\r\n",
        "m=audio 0 RTP/AVP 8\r\n",
        VIDEO,
        "",
    ],
)
def test_nothing_in_common(other: str) -> None:
    with pytest.raises(PeerError) as refused:
        answer(PHONE, other)
    assert refused.value.status == 488
