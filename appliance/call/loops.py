"""Calls that come back: what an exchange passes on from one trunk to another it marks, and knows its mark again.

RFC 5393 §4.2: a request that returns with all the same that decides where it goes is in a loop. A proxy tells it by its own Via;
a back-to-back user agent makes that anew (RFC 7332 §1), so a header of our own says it, which trunks alone get to see. Max-Forwards
ends what goes round by exchanges that drop the header; by then each of seventy has tried all peers of its trunk.
"""

from __future__ import annotations

__all__ = ["Loops", "marks"]

import hashlib
from typing import TYPE_CHECKING

import msgspec

from appliance.call.cause import Cause
from appliance.call.inbound import RefusedError

if TYPE_CHECKING:
    from appliance.call.events import Baggage, Dialled
    from appliance.sip.message import Request

HEADER = "Branchbox-Passed"
MARK_OCTETS = 8
MOST_MARKS = 20
"Exchanges that a call passes on its way: no company has as many in a row, and the header stays short."


def marks(dialled: Dialled) -> Baggage:
    """What the INVITE by a trunk carries of them."""
    return ((HEADER, ", ".join(dialled.passed)),) if dialled.passed else ()


class Loops:
    """Of one exchange."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: at most 64 octets, of this process alone: nobody can make a mark of ours, or learn what one means."""
        self._secret = secret

    def passed(self, request: Request, dialled: Dialled) -> Dialled:
        """The call with the marks that it came with by a trunk, and our own. RefusedError for one that has been here."""
        if not dialled.way_in.startswith("trunk:"):
            return dialled
        came = tuple(
            mark.strip()
            for value in request.headers.get_all(HEADER)
            for mark in value.split(",")
            if mark.strip()
        )
        own = self._mark(dialled)
        if own in came or len(came) >= MOST_MARKS:
            raise RefusedError(Cause.LOOP)
        return msgspec.structs.replace(dialled, passed=(*came, own))

    def _mark(self, dialled: Dialled) -> str:
        what = f"{dialled.way_in} {dialled.to_number}".encode()
        return hashlib.blake2b(what, digest_size=MARK_OCTETS, key=self._secret).hexdigest()
