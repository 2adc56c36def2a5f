"""Session descriptions for tests: by hand, and any that Hypothesis thinks of."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["VIDEO", "any_offer", "describe"]

HEAD = "v=0\r\no=- 7 7 IN IP4 192.0.2.30\r\ns=-\r\nc=IN IP4 192.0.2.30\r\nt=0 0\r\n"
VIDEO = ("video 4100 RTP/AVP 96", "rtpmap:96 H264/90000", "fmtp:96 profile-level-id=42801F")


def describe(media: str, *attributes: str) -> bytes:
    """A description with one m= line."""
    return (HEAD + f"m={media}\r\n" + "".join(f"a={each}\r\n" for each in attributes)).encode()


FORMATS = {
    "0": "", "8": "", "9": "", "18": "", "13": "",
    "96": "rtpmap:96 PCMA/8000", "97": "rtpmap:97 PCMU/8000/1", "98": "rtpmap:98 opus/48000/2",
    "101": "rtpmap:101 telephone-event/8000", "102": "rtpmap:102 telephone-event/48000", "110": "",
}  # fmt: skip
EXTRA = (
    "mid:a",
    "rtcp-mux",
    "ptime:30",
    "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x",
    "x-unknown",
    "fmtp:101 0-16",
)


@st.composite
def _section(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["audio", "audio", "video"]))
    proto = draw(
        st.sampled_from(["RTP/AVP", "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "UDP/TLS/RTP/SAVPF", "TCP/X"])
    )
    port = draw(st.sampled_from([0, 4000, 4000, 4000]))
    formats = draw(st.lists(st.sampled_from(list(FORMATS)), min_size=1, max_size=6, unique=True))
    directions = st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive", ""])
    extra = draw(st.lists(st.sampled_from(EXTRA), max_size=3, unique=True))
    attributes = [*(FORMATS[each] for each in formats), *extra, draw(directions)]
    return f"m={kind} {port} {proto} {' '.join(formats)}\r\n" + "".join(
        f"a={each}\r\n" for each in attributes if each
    )


def any_offer() -> st.SearchStrategy[bytes]:
    """Descriptions of up to four media, of which some can be played."""
    return st.lists(_section(), max_size=4).map(lambda sections: (HEAD + "".join(sections)).encode())
