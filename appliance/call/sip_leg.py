"""One leg of a call: events above, SIP below. What both kinds of leg do within the dialog.

RFC 3261 §12.2, §14; RFC 3311 (UPDATE); RFC 6086 (INFO); RFC 3428 (MESSAGE).
`sip_leg_inbound` and `sip_leg_outbound` add the INVITE that makes the dialog.
"""

from __future__ import annotations

__all__ = ["SipLeg"]

from functools import partial
from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.events import Asked, HungUp, Outcome, Updated, Withdrawn
from appliance.call.passing import ALLOW, content_of, passing, with_content
from appliance.call.sip_session import SipSession
from appliance.errors import PeerError
from appliance.sip.dialog import InviteState, OfferState
from appliance.sip.message import Response

if TYPE_CHECKING:
    from appliance.call.events import Content, Reply
    from appliance.call.wire import Wire
    from appliance.clock import Timer
    from appliance.media.leg import LegMedia
    from appliance.sip.dialog import Dialog, InviteUsage
    from appliance.sip.endpoint import ClientTransaction, Failed, ServerTransaction
    from appliance.sip.message import Request
    from appliance.sip.transport.flow import Flow


# A re-INVITE is mostly answered by the phone itself, sometimes by a person who is asked about video. RFC 3261
# §16.6 step 11 gives any INVITE three minutes (timer C); no other limit ends one that got a 100 and no more.
REINVITE_SECONDS = 180.0


class SipLeg(SipSession):
    """A session that carries re-INVITE, UPDATE, INFO and MESSAGE between its peer and the call."""

    __slots__ = ("_client", "_patience", "_reply")

    def __init__(self, wire: Wire, flow: Flow, number: str, media: LegMedia, usage: InviteUsage) -> None:
        super().__init__(wire, flow, number, media, usage)
        self._client: ClientTransaction | None = None  # our re-INVITE, until its outcome
        self._reply: Reply | None = None
        self._patience: Timer | None = None  # how long that may take

    # --- what the peer sends within the dialog

    def receive(self, transaction: ServerTransaction) -> None:
        """A request other than ACK and CANCEL. PeerError says how to refuse it."""
        request = transaction.request
        if self.dialog is None or (self.over and request.method != "BYE"):
            raise PeerError(481, "Call/Transaction Does Not Exist")
        self.dialog.receive_request(request)
        if request.method == "BYE":
            self._receive_bye(transaction)
            return
        match request.method:
            case "INVITE":
                self._receive_invite(transaction)
            case "UPDATE":
                self._receive_update(transaction)
            case "INFO" | "MESSAGE":
                asked = Asked(request.method, content_of(request), passing(request), _replying(transaction))
                self.on_event(self, asked)
            case "OPTIONS":
                answer = (("Allow", ALLOW), ("Accept", "application/sdp"))
                transaction.reply(200, headers=answer)
            case _:
                raise PeerError(405, "Method Not Allowed", (("Allow", ALLOW),))

    def _receive_bye(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        transaction.reply(200)
        told, self._bye = self.over, None
        self._finish()
        if not told:
            self.on_event(self, HungUp(Ending.of(Cause.NORMAL), passing(request)))

    def _receive_invite(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        self._run(self.usage.receive_invite(self._wire.random.random()))
        content = content_of(request)
        try:
            self._receive_offer(content)
        except PeerError:
            self.usage.reject()
            raise
        self._server = transaction
        self.flow = transaction.flow  # a phone behind NAT may come from another port by now
        transaction.on_cancel = self._receive_withdrawal
        transaction.on_failed = partial(self._invite_failed, transaction)
        updated = Updated(content, passing(request), self._decide_on(transaction), full=True)
        self.on_event(self, updated)

    def _receive_withdrawal(self, _cancel: Request) -> None:
        # §9.2: the final response follows, 487 or, if the other side was quicker, what it said.
        if self.usage.state is InviteState.RECEIVED and not self.over:
            self.on_event(self, Withdrawn())

    def _invite_failed(self, transaction: ServerTransaction) -> None:
        # No answer of ours can reach the peer any more. A 2xx on its way is left to the wait for its ACK.
        if self._server is transaction and self.usage.state is InviteState.RECEIVED:
            # RFC 6026 §8.8: the transaction stays until it has a final response, heard or not.
            self._refuse(Outcome(500, "Server Internal Error"))
            self.on_event(self, Withdrawn())

    def _decide_on(self, transaction: ServerTransaction) -> Reply:
        def decide(outcome: Outcome) -> None:
            if self._server is not transaction or self.usage.state is not InviteState.RECEIVED:
                return  # the leg ended meanwhile, and 487 went out
            if outcome.status < 300:
                self._accept(outcome.content, outcome.baggage)
            else:
                self._refuse(outcome)

        return decide

    def _receive_update(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        content = content_of(request)
        self._receive_offer(content)
        offered = content is not None and content.is_session
        self.flow = transaction.flow
        respond = _replying(transaction, with_contact=self.contact)

        def decide(outcome: Outcome) -> None:
            if offered:
                self.offers.withdraw()
            respond(outcome)

        self.on_event(self, Updated(content, passing(request), decide, full=False))

    # --- what the call wants of the peer

    def update(self, event: Updated) -> None:
        """Pass on a wish for other media; `event.reply` gets the outcome, 491 when it comes at a bad time."""
        dialog = self.dialog
        if self.over or dialog is None:
            event.reply(Outcome(481, "Call/Transaction Does Not Exist"))
        elif self._is_busy_for(event):
            event.reply(Outcome(491, "Request Pending"))
        elif event.full:
            self._send_reinvite(dialog, event)
        else:
            self._send_update(dialog, event)

    def _is_busy_for(self, event: Updated) -> bool:
        # §14.1: one INVITE at a time; RFC 3311 §5.1: one offer at a time, and a re-INVITE always leads to one.
        offers = event.full or (event.content is not None and event.content.is_session)
        if offers and self.offers.state is not OfferState.STABLE:
            return True
        return event.full and not self.usage.may_invite

    def _send_reinvite(self, dialog: Dialog, event: Updated) -> None:
        self.usage.send_invite()
        self._send_offer(event.content)
        self._reply = event.reply
        request = self._make(dialog, "INVITE", (("Allow", ALLOW), *event.baggage), event.content)
        self._invite_seq = dialog.local_seq or 0
        self._client = self._wire.endpoint.send_request(request, self.flow, self._reinvite_event)
        self._patience = self._wire.timers.after(REINVITE_SECONDS, self.withdraw)

    def _send_update(self, dialog: Dialog, event: Updated) -> None:
        offered = self._send_offer(event.content)
        request = self._make(dialog, "UPDATE", (("Allow", ALLOW), *event.baggage), event.content)

        def decided(response: Response | Failed) -> None:
            if isinstance(response, Response) and response.status < 200:
                return
            if offered:
                self.offers.withdraw()  # by its answer, or by its refusal
            if isinstance(response, Response) and response.status < 300:
                dialog.refresh_target(response)
            self._asked_event(response, event.reply)

        self._wire.endpoint.send_request(request, self.flow, decided)

    def _send_offer(self, content: Content | None) -> bool:
        if content is None or not content.is_session:
            return False
        self.offers.send_offer()
        return True

    def withdraw(self) -> None:
        """Cancel the `update` that waits for its outcome; the outcome still comes."""
        if self._client is not None:
            self._client.cancel()

    def ask(self, event: Asked) -> None:
        """Carry something within the call; `event.reply` gets the outcome."""
        if self.over or self.dialog is None:
            event.reply(Outcome(481, "Call/Transaction Does Not Exist"))
            return
        request = self._make(self.dialog, event.kind, event.baggage, event.content)
        self._wire.endpoint.send_request(
            request, self.flow, lambda response: self._asked_event(response, event.reply)
        )

    # --- what comes back

    def _reinvite_event(self, event: Response | Failed) -> None:
        if not isinstance(event, Response):
            self._reinvite_failed(Outcome(408, "Request Timeout"))
        elif event.status < 200:
            return
        elif event.status >= 300:
            outcome = Outcome(event.status, event.reason, content_of(event), passing(event))
            self._reinvite_failed(outcome)
        elif event.cseq.number != self._invite_seq:
            return  # the 2xx of an INVITE before: its ACK is lost for good, and the peer has moved on
        elif self.over:
            self._acknowledge_late(event)
        elif self.usage.state is InviteState.SENT:
            reply = self._take_reply()
            answered = self._answered(event)
            if reply is not None:
                reply(Outcome(200, event.reason, answered.content, answered.baggage))
        else:
            self._run(self.usage.receive_final(event.status, 0.0))

    def _reinvite_failed(self, outcome: Outcome) -> None:
        reply = self._take_reply()
        if self.over:
            return
        self.offers.withdraw()
        effects = self.usage.receive_final(outcome.status, 0.0)
        if reply is not None:
            reply(outcome)
        self._run(effects)

    def _take_reply(self) -> Reply | None:
        """The re-INVITE has its outcome: who waits for it."""
        reply, self._reply, self._client = self._reply, None, None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        return reply

    def _close(self) -> None:
        # A re-INVITE that a dying peer never answers would otherwise wait for ever.
        self.withdraw()
        self._take_reply()
        super()._close()

    def _asked_event(self, event: Response | Failed, reply: Reply) -> None:
        if not isinstance(event, Response):
            reply(Outcome(408, "Request Timeout"))
            self._lose()
        elif event.status >= 200:
            reply(Outcome(event.status, event.reason, content_of(event), passing(event)))
            # §12.2.1.2: 481 and 408 SHOULD end the dialog.
            if event.status in {408, 481}:
                self._lose()


def _replying(transaction: ServerTransaction, with_contact: str | None = None) -> Reply:
    def reply(outcome: Outcome) -> None:
        headers = with_content(outcome.baggage, outcome.content)
        if with_contact is not None and outcome.status < 300:
            headers.append(("Contact", with_contact))
        body = outcome.content.body if outcome.content else b""
        transaction.reply(outcome.status, outcome.text, headers=headers, body=body)

    return reply
