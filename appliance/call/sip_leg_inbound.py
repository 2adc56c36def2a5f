"""The caller's leg: the server side of the INVITE that starts a call.

RFC 3261 §9.2 (CANCEL), §12.1.1, §13.3 (UAS).
"""

from __future__ import annotations

__all__ = ["InboundLeg"]

from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.events import HungUp, Outcome
from appliance.call.passing import ALLOW, content_of, passing, with_content, with_reason
from appliance.call.sip_leg import SipLeg
from appliance.sip.dialog import Dialog, InviteState, InviteUsage

if TYPE_CHECKING:
    from appliance.call.events import Answered, Progress
    from appliance.call.wire import Wire
    from appliance.sip.endpoint import ServerTransaction
    from appliance.sip.message import Request


class InboundLeg(SipLeg):
    """Tells the caller how the call gets on."""

    __slots__ = ()

    def __init__(
        self,
        wire: Wire,
        transaction: ServerTransaction,
        number: str,
        dialled: str,
    ) -> None:
        """PeerError for an INVITE that makes no dialog, or when no port is left."""
        request, flow = transaction.request, transaction.flow
        # The tag is the transaction's, so that its 100 and its answer to a CANCEL carry the same.
        dialog = Dialog.of_uas(request, transaction.tag, wire.endpoint.contact(flow, dialled))
        super().__init__(wire, flow, number, wire.open_media(flow), InviteUsage.received())
        self.dialog = dialog
        self._server = transaction
        self._receive_offer(content_of(request))
        wire.endpoint.add_dialog(dialog.id, self)
        transaction.on_cancel = self._cancelled
        transaction.on_failed = self._failed

    @property
    def _open(self) -> bool:
        """Whether the INVITE waits for its final response still."""
        return not self.over and self.dialog is not None and not self.dialog.confirmed

    def progress(self, event: Progress) -> None:
        """Pass on a provisional response."""
        if self._open and self._server is not None:
            headers = with_content(
                (("Contact", self.contact), ("Allow", ALLOW), *event.baggage), event.content
            )
            body = event.content.body if event.content else b""
            self._server.reply(event.status, event.text, headers=headers, body=body)

    def answer(self, event: Answered) -> None:
        """The callee has picked up."""
        if self._open and self.dialog is not None:
            self.dialog.confirm()
            self._accept(event.content, event.baggage)

    def hang_up(self, event: HungUp) -> None:
        if self._open:
            self._refuse(Outcome(event.ending.status, event.ending.text, None, with_reason(event)))
            self._finish()
        else:
            super().hang_up(event)

    def _cancelled(self, cancel: Request) -> None:
        # §9.2: the CANCEL has its 200 already; the INVITE MUST now get 487.
        if self._open and self.usage.state is InviteState.RECEIVED:
            self._refuse(Outcome(487, "Request Terminated"))
            self._finish()
            self.on_event(self, HungUp(Ending.of(Cause.CANCELLED), passing(cancel)))

    def _failed(self) -> None:
        # No answer can reach the caller any more. After a refusal, or a 2xx, this says nothing new.
        if self._open and self.usage.state is InviteState.RECEIVED:
            # RFC 6026 §8.8: the transaction stays until it has a final response, heard or not.
            self._refuse(Outcome(500, "Server Internal Error"))
            self._finish()
            self.on_event(self, HungUp(Ending.of(Cause.LOST)))
