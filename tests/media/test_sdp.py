"""media/sdp.py: every line is kept, what is understood is typed, and nothing but PeerError comes of bad bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.media.sdp import MAX_MEDIA, MAX_OCTETS, Connection, Rtcp, parse_sdp
from tests.media.fakes import OFFER

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

LINES = st.sampled_from(
    [
        "m=audio 5000 RTP/AVP 0 8", "m=video 0 RTP/AVP 96", "m=audio 70000 RTP/AVP 0", "m=x", "c=IN IP6 ::1",
        "c=IN IP4 phone.example", "c=ATM X 1", "c=", "a=sendonly", "a=rtcp:5003", "a=rtcp:x", "a=rtcp-mux", "a=\udcff",
        "", "y=unknown", "nonsense", "b=AS:64",
    ]
)  # fmt: skip


@given(st.lists(LINES), st.sampled_from(["\r\n", "\n"]))
def test_a_description_is_printed_byte_for_byte_as_it_came(lines: list[str], end: str) -> None:
    data = (HEAD + "".join(line + end for line in lines)).encode("utf-8", "surrogateescape")
    try:
        description = parse_sdp(data)
    except PeerError as error:
        assert error.status in (400, 488)
    else:
        assert bytes(description) == data
        assert len(description.media) == sum(line.startswith("m=") for line in lines)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_description_or_a_peer_error(data: bytes) -> None:
    for candidate in (data, HEAD.encode() + data):
        try:
            assert bytes(parse_sdp(candidate)) == candidate
        except PeerError as error:
            assert error.status in (400, 488)


def test_a_plain_offer_is_understood() -> None:
    (audio,) = parse_sdp(OFFER).media
    assert (audio.kind, audio.port, audio.proto, audio.formats) == (
        "audio",
        49170,
        "RTP/AVP",
        ("0", "8", "101"),
    )
    assert audio.connection == Connection("192.0.2.10")
    assert audio.payload_types == {0, 8, 101}
    assert audio.direction == "sendrecv"
    assert audio.rtcp is None
    assert audio.is_rtp
    assert not audio.rejected
    assert not audio.rtcp_mux


def test_a_section_overrides_what_the_session_says() -> None:
    body = HEAD + (
        "a=sendonly\r\n"
        "m=audio 5000 RTP/AVP 0\r\n"
        "m=video 5002/2 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP6 2001:DB8:0::1\r\na=inactive\r\na=rtcp-mux\r\n"
        "a=rtcp:6000 IN IP6 2001:db8::2\r\n"
        "m=image 5004 udptl t38\r\nc=IN IP4 phone.example\r\n"
        "m=message 0 TCP/MSRP *\r\n"
    )
    audio, video, image, message = parse_sdp(body.encode()).media
    assert (audio.direction, audio.connection) == ("sendonly", Connection("192.0.2.1"))
    assert (video.direction, video.connection) == ("inactive", Connection("2001:db8::1"))
    assert (video.port, video.rtcp, video.rtcp_mux, video.is_dtls) == (
        5002,
        Rtcp(6000, "2001:db8::2"),
        True,
        True,
    )
    # A host name is kept and never looked up.
    assert (image.is_rtp, image.is_datagrams, image.connection) == (False, True, Connection(None))
    assert image.payload_types == frozenset()
    assert (message.rejected, message.is_datagrams, message.direction) == (True, False, "sendonly")


def test_a_zone_of_the_peers_machine_is_no_address_of_ours() -> None:
    body = HEAD.replace("c=IN IP4 192.0.2.1", "c=IN IP6 fe80::1%eth0") + "m=audio 5000 RTP/AVP 0\r\n"
    assert parse_sdp(body.encode()).media[0].connection == Connection(None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_the_old_hold_is_seen(host: str) -> None:
    version = "IP6" if ":" in host else "IP4"
    body = HEAD.replace("c=IN IP4 192.0.2.1", f"c=IN {version} {host}") + "m=audio 5000 RTP/AVP 0\r\n"
    connection = parse_sdp(body.encode()).media[0].connection
    assert connection is not None
    assert connection.unspecified


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(400, "", id="empty"),
        pytest.param(400, "v=1\r\n", id="another version"),
        pytest.param(400, "v=0\r\ns=-\r\n", id="no origin"),
        pytest.param(400, HEAD + "no line\r\n", id="no line"),
        pytest.param(400, HEAD + "m=audio 5000\r\n", id="short m="),
        pytest.param(400, HEAD + "m=audio ５０ RTP/AVP 0\r\n", id="digits that are not ASCII"),
        pytest.param(400, HEAD + "m=audio 65536 RTP/AVP 0\r\n", id="port too high"),
        pytest.param(400, HEAD + "m=audio -1 RTP/AVP 0\r\n", id="negative port"),
        pytest.param(400, HEAD.replace("c=IN IP4 192.0.2.1\r\n", "") + "m=audio 1 RTP/AVP 0\r\n", id="no c="),
        pytest.param(400, HEAD + "m=audio 1 RTP/AVP 0\r\nc=IN IP4\r\n", id="short c="),
        pytest.param(400, HEAD + "m=audio 1 RTP/AVP 0\r\na=rtcp: \r\n", id="empty a=rtcp"),
        pytest.param(488, HEAD + "m=audio 1 RTP/AVP 0\r\nc=ATM NSAP 47\r\n", id="no Internet address"),
        pytest.param(488, HEAD + "m=audio 0 RTP/AVP 0\r\n" * (MAX_MEDIA + 1), id="too many media"),
        pytest.param(488, HEAD + "a=x\r\n" * 2000, id="too many lines"),
        pytest.param(488, HEAD + "a=" + "x" * MAX_OCTETS, id="too long"),
    ],
)
def test_what_cannot_be_used_says_how_to_answer(status: int, body: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_sdp(body.encode())
    assert caught.value.status == status


def test_a_refused_medium_needs_no_address() -> None:
    body = HEAD.replace("c=IN IP4 192.0.2.1\r\n", "") + "m=audio 0 RTP/AVP 0\r\n"
    assert parse_sdp(body.encode()).media[0].connection is None
