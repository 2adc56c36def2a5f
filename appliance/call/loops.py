"""Calls that come back: what an exchange passes on from one trunk to another it marks, and knows its mark again.

RFC 5393 §4.2: a request that returns with all the same that decides where it goes is in a loop. A proxy tells it by its own Via;
a back-to-back user agent makes that anew (RFC 7332 §1), so a header of our own says it, which trunks alone get to see. Max-Forwards
ends what goes round by exchanges that drop the header, or change the number each time. That each of seventy then tries all peers
of its trunk (§3: what branches in a loop doubles with each hop) is what `is_worn` is for.
"""

from __future__ import annotations

__all__ = ["Loops", "is_worn", "marks"]

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

LONGEST_MARK = 32
"Twice as long as ours are: what is longer is no mark, and is not carried about."
WORN_HOPS = 62
"Of a Max-Forwards that began as 70 (RFC 3261 §8.1.1.6), eight are used up: no carrier's network takes as many up to us."
WORN_MARKS = 3
"A call from branch to branch by a centre has two."


def is_worn(dialled: Dialled) -> bool:
    """Whether a call from outside has come by so many exchanges that it goes on to one of them alone, whatever that says.

    What a loop costs then: no more calls go round than there are peers to try, to the power of three where all exchanges are ours,
    of four where every second one is somebody else's. Each goes round until it is known again, or Max-Forwards ends it.
    """
    return len(dialled.passed) >= WORN_MARKS or (dialled.way_in != "" and dialled.hops_left < WORN_HOPS)


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
            if 0 < len(mark.strip()) <= LONGEST_MARK
        )
        own = self._mark(dialled)
        if own in came or len(came) >= MOST_MARKS:
            raise RefusedError(Cause.LOOP)
        return msgspec.structs.replace(dialled, passed=(*came, own))

    def _mark(self, dialled: Dialled) -> str:
        what = f"{dialled.way_in} {dialled.to_number}".encode()
        return hashlib.blake2b(what, digest_size=MARK_OCTETS, key=self._secret).hexdigest()
