"""Messages that the tests of this folder share."""

from __future__ import annotations

__all__ = ["BODY", "INVITE", "OK", "edit", "wire"]

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
