"""A callee's leg whose INVITE makes no offer, for a peer that cannot stand one: it offers, and our ACK has the answer.

RFC 3261 §13.2.1; RFC 3264 §5, §6. The call does not hear of it: to it the peer's offer is an answer to the caller's.
"""

from __future__ import annotations

__all__ = ["LateOfferLeg", "outbound_leg"]

from typing import TYPE_CHECKING

import msgspec

from appliance.call.cause import Cause, Ending
from appliance.call.events import Confirmed, Content, HungUp
from appliance.call.sip_leg_outbound import OutboundLeg
from appliance.errors import PeerError
from appliance.media.late_offer import as_answer
from appliance.media.sdp import parse_sdp

if TYPE_CHECKING:
    from appliance.call.destination import Destination
    from appliance.call.early_dialog import EarlyDialog
    from appliance.call.events import Answered, Dialled
    from appliance.call.leg_options import LegOptions
    from appliance.call.wire import Wire
    from appliance.sip.message import Response


class LateOfferLeg(OutboundLeg):
    """Keeps the caller's offer back until the peer has made its own."""

    __slots__ = ("_answer", "_withheld")

    def __init__(self, wire: Wire, target: Destination, call_id: str, options: LegOptions) -> None:
        super().__init__(wire, target, call_id, options)
        self._withheld: Content | None = None
        self._answer: Content | None = None  # for our ACK

    def dial(self, dialled: Dialled, content: Content | None) -> None:
        if content is not None and content.is_session:
            self._withheld, content = content, None
        super().dial(dialled, content)

    def _tell(self, response: Response, content: Content | None, *, reliable: bool) -> None:
        if content is not None and content.is_session:
            # Sound before the answer: what the peer says of it will be its offer.
            try:
                content = self._for_caller(content)
            except PeerError:
                content = None
        super()._tell(response, content, reliable=reliable)

    def _picked_up(self, early: EarlyDialog | None, response: Response) -> Answered:
        answered = super()._picked_up(early, response)
        offer, own = answered.content, self._withheld
        if own is None:
            return answered
        if offer is None or not offer.is_session:
            raise PeerError(488, "Not Acceptable Here")  # §13.2.1: now it was the peer's to offer
        self._answer = Content(own.kind, bytes(as_answer(parse_sdp(own.body), parse_sdp(offer.body))))
        return msgspec.structs.replace(answered, content=self._for_caller(offer))

    def _for_caller(self, offer: Content) -> Content:
        """PeerError 488."""
        own = self._withheld
        if own is None:
            return offer
        return Content(offer.kind, bytes(as_answer(parse_sdp(offer.body), parse_sdp(own.body))))

    def _success(self, response: Response) -> None:
        try:
            super()._success(response)
        except PeerError:
            failed = HungUp(Ending.of(Cause.MEDIA))
            self.hang_up(failed)
            self.on_event(self, failed)
        answer, self._answer = self._answer, None
        if answer is not None and self.awaits_answer:
            self.confirm(Confirmed(answer))


def outbound_leg(wire: Wire, target: Destination, call_id: str, options: LegOptions) -> OutboundLeg:
    """The leg that suits its peer. PeerError 503 when no port is left."""
    leg = (OutboundLeg if options.early_offer else LateOfferLeg)(wire, target, call_id, options)
    leg.media.only_g711 = options.only_g711
    return leg
