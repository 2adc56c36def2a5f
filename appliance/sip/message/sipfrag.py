"""`message/sipfrag`: a piece of a SIP message as a body; here a status line, which tells how a referred call goes.

RFC 3420 §2; RFC 3515 §2.4.5.
"""

from __future__ import annotations

import re

import msgspec

from appliance.sip.message.grammar import malformed
from appliance.sip.message.reasons import reason_phrase

__all__ = ["SIPFRAG", "StatusFragment"]

SIPFRAG = "message/sipfrag"
"The media type. Its `version` parameter is 2.0 when it is not given (RFC 3420 §2)."

# A body may have more lines behind the first, headers and all; some phones end the first by a lone LF.
_STATUS_LINE = re.compile(rb"[Ss][Ii][Pp]/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]*))?(?:\r?\n|\Z)")


class StatusFragment(msgspec.Struct, frozen=True, gc=False):
    """A response, of which the status line is told."""

    status: int
    "100 to 699."
    reason: str

    @classmethod
    def parse(cls, body: bytes) -> StatusFragment:
        """Read a body; PeerError 400 when it does not begin with a status line."""
        found = _STATUS_LINE.match(body)
        if found is None:
            malformed("Sipfrag")
        return cls(int(found[1]), (found[2] or b"").decode("utf-8", "surrogateescape"))

    @classmethod
    def of(cls, status: int, reason: str | None = None) -> StatusFragment:
        """A status with its usual words, or others."""
        return cls(status, reason_phrase(status) if reason is None else reason)

    def encode(self) -> bytes:
        """The body."""
        return f"SIP/2.0 {self.status} {self.reason}\r\n".encode("utf-8", "surrogateescape")
