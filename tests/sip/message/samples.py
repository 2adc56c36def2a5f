"""Messages that the tests of this folder share."""

from __future__ import annotations

from hypothesis import strategies as st

from appliance.sip.message import Headers, Message, Request, Response
from appliance.sip.message.names import header_key

__all__ = ["BODY", "INVITE", "OK", "edit", "messages", "wire"]

BODY = "v=0\r\n"

INVITE = """\
INVITE sip:102@192.0.2.10 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bK1;rport
Max-Forwards: 70
From: "Alice" <sip:101@192.0.2.10>;tag=a1
To: <sip:102@192.0.2.10>
Call-ID: 1-abc@192.0.2.21
CSeq: 1 INVITE
Contact: <sip:101@192.0.2.21:5060>
Content-Type: application/sdp
Content-Length: 5

v=0
"""

OK = """\
SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK2
From: <sip:101@192.0.2.10>;tag=a1
To: <sip:102@192.0.2.10>;tag=b1
Call-ID: 1-abc@192.0.2.21
CSeq: 1 INVITE
Content-Length: 0

"""


def wire(text: str) -> bytes:
    """A message as it is sent: with CRLF."""
    return text.replace("\n", "\r\n").encode()


def edit(text: str, old: str, new: str) -> bytes:
    """The message with one piece of it replaced, as it is sent."""
    assert old in text
    return wire(text.replace(old, new, 1))


TOKENS = st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~]{1,12}", fullmatch=True)
CORE = frozenset({"via", "from", "to", "call-id", "cseq", "max-forwards", "content-length"})
"Headers that are read when a message comes, and must be right."


def _line(octets: bytes) -> str:
    return octets.replace(b"\r", b"").replace(b"\n", b"").decode("utf-8", "surrogateescape")


# Any text, and any octets that are none: all but the ends of lines.
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")) | st.binary().map(_line)
OTHERS = st.tuples(
    (st.sampled_from(["Subject", "k", "Route", "X-Own", "x-OWN"]) | TOKENS).filter(
        lambda name: header_key(name) not in CORE
    ),
    LINES.map(lambda value: value.strip(" \t")),
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Any message that may come, of sane outline: mandatory headers, any others, any body."""
    method = draw(TOKENS)
    fields = [
        *(("Via", f"SIP/2.0/UDP h;branch=z9hG4bK{draw(TOKENS)}") for _ in range(draw(st.integers(1, 3)))),
        ("From", f"<sip:a@b>;tag={draw(TOKENS)}"),
        ("To", draw(st.sampled_from(["<sip:b@c>", '"B, <b>" <sip:b@c;x>;tag=t']))),
        ("Call-ID", draw(TOKENS)),
        ("CSeq", f"{draw(st.integers(0, 2**32 - 1))} {method}"),
        *draw(st.lists(OTHERS, max_size=6)),
    ]
    headers, body = Headers(draw(st.permutations(fields))), draw(st.binary(max_size=40))
    if draw(st.booleans()):
        uri = draw(
            st.sampled_from(["sip:102@192.0.2.10", "sips:a%20b@[2001:db8::1]:5061;lr", "tel:+1-2;x=y"])
        )
        return Request(method, uri, headers, body)
    return Response(draw(st.integers(100, 699)), draw(LINES), headers, body)
