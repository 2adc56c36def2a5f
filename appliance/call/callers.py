"""Who an INVITE comes from: somebody on a line or trunk, known by the address, or an extension, which has to prove it.

RFC 3261 §22.
"""

from __future__ import annotations

__all__ = ["Callers"]

from typing import TYPE_CHECKING

from appliance.call.inbound import read_dialled
from appliance.call.unread import UnreadCalls
from appliance.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.events import Dialled
    from appliance.call.exchange import Directory, Exchange
    from appliance.call.outside import OutsideCaller
    from appliance.call.record import CallRecord
    from appliance.sip.message import Request
    from appliance.sip.transport.flow import Flow

CHALLENGE = 401


class Callers:
    """Of one exchange."""

    def __init__(self, exchange: Exchange, directory: Directory, tell: Callable[[CallRecord], None]) -> None:
        """`tell` gets the records of calls from outside that cannot be read."""
        self._exchange = exchange
        self._directory = directory
        self._unread = UnreadCalls(self._way_at, exchange.refusals, tell, exchange.wire.token, exchange.wall)
        exchange.wire.endpoint.on_unreadable = self._unread.received

    def read(self, request: Request, flow: Flow) -> tuple[OutsideCaller | None, Dialled]:
        """Who calls from outside, if it is nobody in the house, and what they ask for.

        PeerError when that cannot be read, or as a challenge.
        """
        try:
            came = self.from_outside(request, flow)
            if came is not None:
                return came, came.dialled(request)
        except PeerError as refusal:
            self._unread.note(refusal, flow, request)
            raise
        return None, self._dialled_by_phone(request, flow)

    def from_outside(self, request: Request, flow: Flow) -> OutsideCaller | None:
        """Who calls from outside; None: a phone does. PeerError when it cannot be read."""
        outside = self._exchange.router.around.outside
        came = None if outside is None else outside.caller(request, flow)
        return None if came is None or self._is_phone(request, flow, came) else came

    def _is_phone(self, request: Request, flow: Flow, came: OutsideCaller) -> bool:
        """Whether an INVITE from the address of a line or trunk is an extension's all the same, and has to prove it.

        Either it tries to, with credentials for our own realm, or it comes from where a phone of the extension in From is
        registered: without being asked that one would never prove anything. A phone beside the server, on the same
        machine or behind the same NAT, may call over another connection than it registered over; but the port that the
        server itself is reached at is no phone's.
        """
        if self._directory.identity.is_claimed_by(request):
            return True
        number, whereabouts = request.from_.uri.number or "", self._directory.whereabouts
        return whereabouts.is_at(number, flow) or (
            not came.from_its_port and whereabouts.is_near(number, flow.remote[0])
        )

    def _dialled_by_phone(self, request: Request, flow: Flow) -> Dialled:
        try:
            number = self._directory.identity.verify(request)
        except PeerError as refusal:
            if refusal.status == CHALLENGE:
                self._note_stranger(request, flow, refusal)
            raise
        # As a challenge, this is no refusal: the phone asks again, with what suits both.
        self._exchange.options.check_first(request)
        extension = self._directory.find(number)
        return read_dialled(request, number, extension.name if extension else "")

    def _note_stranger(self, request: Request, flow: Flow, refusal: PeerError) -> None:
        """Count who is asked to prove something, unless that is only because our phones are asked, too."""
        refusals = self._exchange.refusals
        if self._directory.identity.is_claimed_by(request):
            if not any("stale=true" in value for _, value in refusal.headers):
                refusals.note_stranger("wrong_password")
        elif not self._directory.whereabouts.is_near(request.from_.uri.number or "", flow.remote[0]):
            refusals.note_stranger("no_credentials")

    def _way_at(self, flow: Flow) -> str:
        outside = self._exchange.router.around.outside
        return "" if outside is None else outside.way_at(flow)
