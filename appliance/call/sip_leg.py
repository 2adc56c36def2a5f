"""One leg of a call: events above, SIP below. What both kinds of leg do within the dialog.

RFC 3261 §12.2, §14; RFC 3311 (UPDATE); RFC 4028 §7.4 (refreshes); RFC 6086 (INFO); RFC 3428 (MESSAGE).
`sip_leg_inbound` and `sip_leg_outbound` add the INVITE that makes the dialog.
"""

from __future__ import annotations

__all__ = ["SipLeg"]

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.events import Asked, Content, HungUp, Outcome, Updated, Withdrawn
from appliance.call.passing import content_of, passing, replying
from appliance.call.sip_shared import SharedSession
from appliance.errors import PeerError
from appliance.sip.dialog import InviteState, OfferState
from appliance.sip.message import Response

if TYPE_CHECKING:
    from appliance.call.events import Baggage, Reply
    from appliance.call.leg_options import LegOptions
    from appliance.call.wire import Wire
    from appliance.clock import Timer
    from appliance.media.leg import LegMedia
    from appliance.sip.dialog import Dialog, InviteUsage
    from appliance.sip.endpoint import ClientTransaction, Failed, ServerTransaction
    from appliance.sip.message import Message, Request
    from appliance.sip.transport.flow import Flow


# A re-INVITE is mostly answered by the phone itself, sometimes by a person who is asked about video. RFC 3261
# §16.6 step 11 gives any INVITE three minutes (timer C); no other limit ends one that got a 100 and no more.
REINVITE_SECONDS = 180.0


class SipLeg(SharedSession):
    """A session that carries re-INVITE, UPDATE, INFO and MESSAGE between its peer and the call."""

    __slots__ = ("_client", "_deciding", "_patience", "_takes_update", "_update_sent", "_wish")

    def __init__(
        self, wire: Wire, flow: Flow, number: str, media: LegMedia, usage: InviteUsage, options: LegOptions
    ) -> None:
        super().__init__(wire, flow, number, media, usage, options)
        self._client: ClientTransaction | None = None  # our re-INVITE, until its outcome
        self._wish: Updated | None = None  # what it is for
        self._update_sent = False  # ours waits for its outcome
        self._deciding = False  # the peer's UPDATE, or the offer in its PRACK, waits for its outcome
        self._takes_update: bool | None = None  # as far as the peer has said
        self._patience: Timer | None = None  # how long that may take

    @property
    def way(self) -> str:
        """The line or trunk that it occupies, named as in routes; empty for an extension's."""
        return self.occupies if ":" in self.occupies else ""

    @property
    def sip(self) -> SipLeg:
        """Itself; others stand for one."""
        return self

    # --- what the peer sends within the dialog

    def receive(self, transaction: ServerTransaction) -> None:
        """A request other than ACK and CANCEL. PeerError says how to refuse it."""
        request = transaction.request
        if self.dialog is None or (self.over and not self._outlives(request)):
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
                asked = Asked(request.method, content_of(request), passing(request), replying(transaction))
                self.on_event(self, asked)
            case "PRACK" if self.options.reliable:
                self._receive_prack(transaction)
            case "OPTIONS":
                transaction.reply(200, headers=(*self.options.fields, ("Accept", "application/sdp")))
            case _:
                self._receive_other(transaction)

    def _receive_prack(self, _transaction: ServerTransaction) -> None:
        # RFC 3262 §3: it matches no response of ours.
        raise PeerError(481, "Call/Transaction Does Not Exist")

    def _receive_bye(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        transaction.reply(200)
        told, self._bye = self.over, None
        self._finish()
        if not told:
            self.on_event(self, HungUp(Ending.of(Cause.NORMAL), passing(request)))

    def _receive_invite(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        self.options.check(request)
        self._run(self.usage.receive_invite(self._wire.random.random()))
        self._learn(request)
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
        if content is not None and content.body == self.said and "Session-Expires" in request.headers:
            # RFC 4028 §7.4: nothing is changed, the session is but refreshed. The other leg has its own timer.
            self._accept_invite(Content(content.kind, self.media.described), ())
            return
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
                self._accept_invite(outcome.content, outcome.baggage)
            else:
                self._refuse(outcome)

        return decide

    def _accept_invite(self, content: Content | None, baggage: Baggage) -> None:
        if self._server is not None and self.dialog is not None:
            self.dialog.refresh_target(self._server.request)
        self._accept(content, baggage)

    def _receive_update(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        self.options.check(request)
        if self._deciding:
            # RFC 3311 §5.2: one that comes before the answer to the last MUST get 500 and wait 0 to 10 seconds.
            wait = str(int(self._wire.random.random() * 11))
            raise PeerError(500, "Update Pending", (("Retry-After", wait),))
        content = content_of(request)
        self._receive_offer(content)
        self._learn(request)
        self.flow = transaction.flow
        if content is None:
            # It refreshes the session, or moves the peer: both are this leg's own business.
            transaction.reply(200, headers=self._accept_update(request))
        else:
            self._pass_offer(transaction, content)

    def _pass_offer(self, transaction: ServerTransaction, content: Content) -> None:
        """Tell the call what an UPDATE or PRACK asks for; the outcome is its answer."""
        request = transaction.request
        self._deciding = True

        def decide(outcome: Outcome) -> None:
            self._deciding = False
            if content.is_session:
                self.offers.withdraw()
                if outcome.status < 300:
                    self._told_anew(outcome.content)
            replying(transaction, self._accept_update(request) if outcome.status < 300 else ())(outcome)
            self._decided()

        self.on_event(self, Updated(content, passing(request), decide, full=False))

    def _told_anew(self, content: Content | None) -> None:
        """The peer has agreed on this description of the other side, by UPDATE or PRACK."""

    def _decided(self) -> None:
        """What waited for the end of an offer and answer may go on."""

    def _accept_update(self, request: Request) -> Baggage:
        """What our 2xx says; RFC 6141 §4: now the peer is where its Contact says. A PRACK does not move it."""
        if request.method != "UPDATE" or self.dialog is None:
            return ()
        self.dialog.refresh_target(request)
        # RFC 4028 §9: before the answer there is no session yet that could run out.
        standing = self.dialog.confirmed and not self.over
        timing = self._grant(request) if standing else ()
        return ("Contact", self.contact), *self.options.fields_within, *timing

    def _learn(self, message: Message) -> None:
        """What the peer takes, by the Allow of this message."""
        if "Allow" in message.headers:
            self._takes_update = "UPDATE" in ",".join(message.headers.get_all("Allow"))

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
        elif self._takes_update is False:
            self._update_otherwise(dialog, event)
        else:
            self._send_update(dialog, event)

    def _is_busy_for(self, event: Updated) -> bool:
        # §14.1: one INVITE at a time; RFC 3311 §5.1: one offer at a time, and a re-INVITE always leads to one.
        invites = event.full or self._takes_update is False
        offers = invites or (event.content is not None and event.content.is_session)
        if offers and self.offers.state is not OfferState.STABLE:
            return True
        return not self.usage.may_invite if event.full else self._update_sent

    def _update_otherwise(self, dialog: Dialog, event: Updated) -> None:
        """As `update`, for a peer that does not take UPDATE."""
        if event.content is None or not event.content.is_session:
            event.reply(Outcome(200, "OK"))
        elif not dialog.confirmed:
            # RFC 3311 §5.1 has no other way before the answer. The session stays as it is.
            event.reply(Outcome(488, "Not Acceptable Here"))
        elif self.usage.may_invite:
            self._send_reinvite(dialog, event)
        else:
            event.reply(Outcome(491, "Request Pending"))

    def _send_reinvite(self, dialog: Dialog, event: Updated) -> None:
        self.usage.send_invite()
        self._send_offer(event.content)
        self._wish = event
        fields = *self.options.fields_within, *self._timer_fields(), *event.baggage
        request = self._make(dialog, "INVITE", fields, event.content)
        self._invite_seq = dialog.local_seq or 0
        self._client = self._send(dialog, request, self._reinvite_event)
        self._patience = self._wire.timers.after(REINVITE_SECONDS, self.withdraw)

    def _send_update(self, dialog: Dialog, event: Updated) -> None:
        self._update_sent = True
        offered = self._send_offer(event.content)
        timing = self._timer_fields() if dialog.confirmed else ()
        fields = *self.options.fields_within, *timing, *event.baggage
        request = self._make(dialog, "UPDATE", fields, event.content)

        def decided(response: Response | Failed) -> None:
            if isinstance(response, Response) and response.status < 200:
                return
            self._update_sent = False
            if offered:
                self.offers.withdraw()  # by its answer, or by its refusal
            self._update_event(dialog, event, response)

        self._send(dialog, request, decided)

    def _update_event(self, dialog: Dialog, event: Updated, response: Response | Failed) -> None:
        if isinstance(response, Response) and not self.over:
            if response.status < 300:
                dialog.refresh_target(response)
                self._told_anew(event.content)
                if dialog.confirmed:
                    self._granted(response)
            elif response.status in {405, 501}:
                self._takes_update = False
                self.update(event)
                return
            elif self._too_short(response):
                self._send_update(dialog, event)
                return
        self._asked_event(response, event.reply)

    def _refresh(self) -> None:
        dialog = self.dialog
        if dialog is None or self.over:
            return
        if self._takes_update:
            if not self._update_sent:
                self._send_update(dialog, Updated(None, (), self._refreshed, full=False))
        elif self.usage.may_invite and self.offers.state is OfferState.STABLE:
            # RFC 4028 §7.4: the same description, its version too, says that nothing changes.
            content = Content("application/sdp", self.media.described)
            self._send_reinvite(dialog, Updated(content, (), self._refreshed, full=True))

    def _refreshed(self, outcome: Outcome) -> None:
        content = outcome.content
        if outcome.status < 300 and content is not None and content.is_session:
            with suppress(PeerError):  # nothing was to change: what cannot be read changes nothing
                self.media.expect(content.body)
                self.said = content.body

    def _send_offer(self, content: Content | None) -> bool:
        if content is None or not content.is_session:
            return False
        self.offers.send_offer()
        return True

    def withdraw(self) -> None:
        """Cancel the `update` that waits for its outcome; the outcome still comes."""
        client, self._client = self._client, None
        if client is not None:
            client.cancel()

    def _may_send_again(self, request: Request) -> bool:
        # A re-INVITE that was withdrawn, or whose leg is over, has no `_client` any more.
        return request.method != "INVITE" or self._client is not None

    def _sent_again(self, request: Request, client: ClientTransaction) -> None:
        if request.method == "INVITE":
            self._client, self._invite_seq = client, request.cseq.number

    def ask(self, event: Asked) -> None:
        """Carry something within the call; `event.reply` gets the outcome."""
        if self.over or self.dialog is None:
            event.reply(Outcome(481, "Call/Transaction Does Not Exist"))
            return
        request = self._make(self.dialog, event.kind, event.baggage, event.content)
        self._send(self.dialog, request, lambda response: self._asked_event(response, event.reply))

    # --- what comes back

    def _reinvite_event(self, event: Response | Failed) -> None:
        if not isinstance(event, Response):
            self._reinvite_failed(Outcome(408, "Request Timeout"))
        elif event.status < 200:
            return
        elif event.status >= 300:
            wish = self._wish
            again = not self.over and wish is not None and self._too_short(event)
            self._reinvite_failed(_outcome_of(event), told=not again)
            if again and wish is not None:
                self.update(wish)
        elif self.over:
            self._acknowledge_late(event)
        elif self.usage.state is InviteState.SENT and event.cseq.number == self._invite_seq:
            wish = self._take_wish()
            self._learn(event)
            answered = self._answered(event)
            if wish is not None:
                wish.reply(Outcome(200, event.reason, answered.content, answered.baggage))
        else:
            self._run(self.usage.receive_again(event.cseq.number))

    def _reinvite_failed(self, outcome: Outcome, *, told: bool = True) -> None:
        wish = self._take_wish()
        if self.over:
            return
        self.offers.withdraw()
        effects = self.usage.receive_final(outcome.status, 0.0)
        if wish is not None and told:
            wish.reply(outcome)
        self._run(effects)

    def _take_wish(self) -> Updated | None:
        """The re-INVITE has its outcome: what it was for."""
        wish, self._wish, self._client = self._wish, None, None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        return wish

    def _close(self) -> None:
        # A re-INVITE that a dying peer never answers would otherwise wait for ever.
        self.withdraw()
        self._take_wish()
        super()._close()

    def _asked_event(self, event: Response | Failed, reply: Reply) -> None:
        if not isinstance(event, Response):
            reply(Outcome(408, "Request Timeout"))
            self._lose()
        elif event.status >= 200:
            reply(_outcome_of(event))
            # §12.2.1.2: 481 and 408 SHOULD end the dialog.
            if event.status in {408, 481}:
                self._lose()


def _outcome_of(response: Response) -> Outcome:
    # RFC 4028 §6: how long a session may live is for this leg's two ends alone.
    status, reason = (
        (500, "Server Internal Error") if response.status == 422 else (response.status, response.reason)
    )
    return Outcome(status, reason, content_of(response), passing(response))
