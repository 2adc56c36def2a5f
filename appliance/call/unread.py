"""Calls from outside that nobody can read, that are too large, or want what nobody here knows: counted, and in the records, so
that the fault is seen.

RFC 3261 §21.4.1 (400), §21.4.14 (416), §21.4.15 (420), §21.4.21 (483), §21.5.7 (513).
"""

from __future__ import annotations

__all__ = ["UnreadCalls"]

from contextlib import suppress
from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.events import Dialled
from appliance.call.inbound import dialled_number
from appliance.call.record import record_refused
from appliance.errors import PeerError
from appliance.lines.arrival import number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.record import CallRecord
    from appliance.call.refusals import Refusals
    from appliance.sip.message import BadMessage, Request
    from appliance.sip.transport.flow import Flow

NO_HOPS = 0
MERGED = 482
"RFC 3261 §8.2.2.2: the same call by another way, which is let in once."
TOO_MANY_HOPS = 483


class UnreadCalls:
    """Of one exchange."""

    def __init__(
        self,
        way_at: Callable[[Flow], str],
        refusals: Refusals,
        tell: Callable[[CallRecord], None],
        token: Callable[[], str],
        wall: Callable[[], float],
    ) -> None:
        """`way_at`: the line or trunk at the other end of a flow, named as in routes; empty: none. `wall`: seconds since 1970."""
        self._way_at = way_at
        self._refusals = refusals
        self._tell = tell
        self._token = token
        self._wall = wall

    def received(self, bad: BadMessage, flow: Flow) -> None:
        """Something came that is no message, or that no user is asked for."""
        if bad.method == "INVITE" and bad.status != MERGED and not _is_within_call(bad.request):
            self.note(bad, flow, bad.request)

    def note(self, refusal: PeerError, flow: Flow, request: Request | None) -> None:
        """An INVITE is refused for what stands in it."""
        way = self._way_at(flow)
        if not way:
            return  # what strangers send is no call
        cause = Cause.LOOP if refusal.status == TOO_MANY_HOPS else Cause.BAD_REQUEST
        ending = Ending(cause, refusal.status, refusal.reason)
        self._refusals.note(way, ending.cause.value)
        caller, callee = ("", "") if request is None else _numbers(request)
        dialled = Dialled(caller, "", callee, NO_HOPS, None, (), way_in=way)
        self._tell(record_refused(self._token(), dialled, ending, self._wall()))


def _is_within_call(request: Request | None) -> bool:
    if request is not None:
        with suppress(PeerError):
            return request.to.tag is not None
    return False


def _numbers(request: Request) -> tuple[str, str]:
    """Who calls whom, as far as that can be read."""
    caller = callee = ""
    with suppress(PeerError):
        callee = dialled_number(request.uri)
    with suppress(PeerError):
        caller = number_of(request.from_.uri)
    return caller, callee
