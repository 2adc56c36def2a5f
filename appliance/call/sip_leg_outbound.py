"""A callee's leg: the client side of the INVITE to one phone, or to a number outside.

RFC 3261 §9.1 (CANCEL), §12.1.2, §13.2 (UAC), §22 (challenges); §13.2.2.4 for several 2xx from one INVITE; RFC 3262 §4 (PRACK).
"""

from __future__ import annotations

__all__ = ["OutboundLeg"]

from functools import partial
from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.destination import Shown
from appliance.call.early_dialog import EarlyDialog
from appliance.call.events import Answered, Content, HungUp, Progress
from appliance.call.final_response import said_by_phone, said_outside
from appliance.call.passing import content_of, passing, with_content, with_reason
from appliance.call.sip_leg import SipLeg
from appliance.errors import PeerError
from appliance.lines.feature import used_by
from appliance.lines.refusal import Refusal
from appliance.sip.dialog import (
    Dialog,
    InviteUsage,
    OfferAnswer,
    RAck,
    ReliableClient,
    rseq_of,
)
from appliance.sip.message import Headers, Request, Response

if TYPE_CHECKING:
    from appliance.call.destination import Destination
    from appliance.call.events import Baggage, Confirmed, Dialled
    from appliance.call.leg_options import LegOptions
    from appliance.call.wire import Wire
    from appliance.lines.credentials import Attempt
    from appliance.sip.endpoint import ClientTransaction, Failed, ServerTransaction

# A phone has one, a proxy in its place a few; beyond that somebody is playing with us.
MAX_FORKS = 8

# A PRACK that the phone does not know any more has mostly crossed its final response, which then follows soon.
DOUBT_SECONDS = 2.0


class OutboundLeg(SipLeg):
    """Rings one destination. Of several that a proxy there makes of it, the first to answer is the one."""

    __slots__ = (
        "_attempt",
        "_doubt",
        "_early",
        "_invite",
        "_invite_client",
        "_offered",
        "_strays",
        "_target",
        "_unanswered",
        "_works",
        "call_id",
        "silent",
    )

    def __init__(self, wire: Wire, target: Destination, call_id: str, options: LegOptions) -> None:
        """A leg of the call `call_id`. PeerError 503 when no port is left."""
        media = wire.open_media(target.flow)
        super().__init__(wire, target.flow, target.number, media, InviteUsage.sent(), options)
        self._target = target
        self.occupies = target.occupies
        self.call_id = f"{call_id}.{wire.token()}"
        "Its Call-ID. Whoever looks for the messages of the call finds this leg's by it."
        self._early: dict[str, EarlyDialog] = {}
        # The offer of a reliable response, whose PRACK waits for the caller's answer.
        self._unanswered: tuple[EarlyDialog, RAck] | None = None
        self._strays: dict[str, Request] = {}
        self._attempt: Attempt | None = None  # what answers challenges to the INVITE
        self._invite: Request | None = None
        self._offered = False  # whether it made an offer
        self._invite_client: ClientTransaction | None = None
        self._doubt: Refusal | None = None  # what a PRACK was told that has perhaps but come too late
        self._works = False
        self.silent = True
        "Whether nothing has come yet, not even a 100."

    def dial(self, dialled: Dialled, content: Content | None) -> None:
        """Send the INVITE, with `content` retold for this phone."""
        self._offered = self._send_offer(content)
        headers = with_content(self._headers(dialled), content)
        body = content.body if content else b""
        self._invite = Request("INVITE", self._target.uri, Headers(headers), body)
        self._invite_seq = 1
        if self._target.way_out is not None:
            self.prover = self._target.way_out.attempt
            self._attempt = self.prover("INVITE")
        if self._attempt is not None:
            self._attempt.put(self._invite)
        self._invite_client = self._wire.endpoint.send_request(self._invite, self.flow, self._invite_event)

    def _headers(self, dialled: Dialled) -> list[tuple[str, str]]:
        shown = self._shown(dialled)
        # RFC 3327 §5.3: the way that the phone's REGISTER came, back.
        route = [("Route", self._target.route)] if self._target.route else []
        return [
            *route,
            ("Max-Forwards", str(dialled.hops_left)),
            ("From", f"{shown.caller};tag={self._wire.token()}"),
            ("To", shown.callee),
            ("Call-ID", self.call_id),
            ("CSeq", "1 INVITE"),
            ("Contact", self._contact(shown.contact_user)),
            *self.options.fields,
            *self.options.demands,
            *(self._session_timer.initial_fields() if self._session_timer is not None else ()),
            *shown.headers,
            *dialled.baggage,
            *shown.behind,
        ]

    def _shown(self, dialled: Dialled) -> Shown:
        way_out = self._target.way_out
        if way_out is not None:
            return way_out.shown(dialled, self.number)
        return Shown.at_home(dialled, self.number, self.flow.local[0])

    def _contact(self, user: str) -> str:
        # §8.1.1.8: an INVITE to a sips: URI names us by one.
        secure = self._target.uri[:5].lower() == "sips:"
        return self._wire.endpoint.contact(self.flow, user, secure=secure)

    @property
    def initiated(self) -> bool:
        return True

    @property
    def way_out(self) -> str:
        """The line or trunk it goes by, named as in routes; empty for a phone of ours."""
        return "" if self._target.way_out is None else self._target.way_out.name

    def works(self) -> None:
        """Somebody is there: what its way out tried is worth remembering."""
        if self._target.way_out is not None and self._invite is not None and not self._works:
            self._works = True
            self._target.way_out.worked(used_by(self._invite))

    @property
    def _answered_once(self) -> bool:
        return self.dialog is not None and self.dialog.confirmed

    def receive(self, transaction: ServerTransaction) -> None:
        if self._early:
            early = self._early.get(transaction.request.from_.tag or "")
            if early is not None:
                self.dialog, self.offers = early.dialog, early.offers
        super().receive(transaction)

    # --- what the phone answers

    def _invite_event(self, event: Response | Failed) -> None:
        try:
            self._take(event)
        except PeerError:
            # What makes a dialog cannot be read: the phone will miss an ACK or a BYE and give up by itself.
            if not self.over:
                failed = HungUp(Ending.of(Cause.FAILED))
                self.hang_up(failed)
                self.on_event(self, failed)

    def _take(self, event: Response | Failed) -> None:
        self.silent = False
        if not isinstance(event, Response):
            self._failed(HungUp(Ending.of(Cause.UNREACHABLE)))
        elif event.status < 200:
            if event.status > 100 and not self.over and not self._answered_once:
                self._provisional(event)
        elif event.status < 300:
            self._success(event)
        elif not self.over and not self._answered_once and self._too_short(event):
            assert self._session_timer is not None
            # RFC 4028 §7.3: the same INVITE, with the longer interval that the phone asks for.
            self._dial_again(self._session_timer.initial_fields())
        elif not self.over and not self._answered_once and (proven := self._proven(event)):
            self._send_again(proven)
        else:
            self._failed(self._final(event))

    def _final(self, response: Response) -> HungUp:
        if self._target.way_out is None:
            return said_by_phone(response)
        return said_outside(response, self._refusal(response))

    def _refusal(self, response: Response) -> Refusal | None:
        """What a line or trunk has said, for whoever asks what it comes of."""
        if self._target.way_out is None or self._invite is None:
            return None
        # RFC 3262 §3: a server that misses a PRACK gives up with 5xx.
        blames_prack = self._doubt is not None and 500 <= response.status < 600
        return self._doubt if blames_prack else Refusal.of(self._invite, response)

    def _proven(self, response: Response) -> Request | None:
        """The INVITE with the answer to the carrier's challenge (§22.2); None where there is none."""
        if self._attempt is None or self._invite is None or response.status not in (401, 407):
            return None
        proven = self._attempt.answer(self._invite, response)
        return proven if isinstance(proven, Request) else None

    def _provisional(self, response: Response) -> None:
        early = self._early_dialog(response)
        rseq = rseq_of(response) if self.options.reliable and early is not None else None
        if early is None or rseq is None:
            content = content_of(response)
            if early is not None and early.settled and content is not None and content.is_session:
                content = None  # RFC 6337 §2.1: the answer has come already, for certain
            self._tell(response, content, reliable=False)
            return
        if early.reliable is None:
            early.reliable = ReliableClient()
        if early.reliable.receive(rseq):
            self._receive_reliable(early, RAck(rseq, response.cseq), response)

    def _early_dialog(self, response: Response) -> EarlyDialog | None:
        tag = response.to.tag
        if not tag or self._invite is None:
            return None
        early = self._early.get(tag)
        if early is None and len(self._early) < MAX_FORKS:
            # §12.1.2: a provisional response with a tag makes an early dialog; each tag makes one.
            dialog = Dialog.of_uac(self._invite, response)
            early = self._early[tag] = EarlyDialog(dialog, offered=self._offered)
            self.dialog, self.offers = dialog, early.offers
            self._learn(response)
            self._wire.endpoint.add_dialog(dialog.id, self)
        return early

    def _tell(self, response: Response, content: Content | None, *, reliable: bool) -> None:
        fork = response.to.tag or ""
        told = Progress(response.status, response.reason, content, passing(response), fork, reliable)
        self.on_event(self, told)

    def _receive_reliable(self, early: EarlyDialog, rack: RAck, response: Response) -> None:
        self.dialog, self.offers = early.dialog, early.offers
        content = content_of(response)
        if content is not None and content.is_session:
            if early.settled:
                content = None  # a description that nobody asked for
            elif early.offers.receive_answer():
                early.answer = content
            else:
                # RFC 3262 §5: the first reliable response to an INVITE without an offer makes it.
                early.offers.receive_offer()
                self._unanswered = early, rack
            early.settled = True
        if self._unanswered is None:
            self._send_prack(early.dialog, rack, None)
        self._tell(response, content, reliable=True)

    def _send_prack(self, dialog: Dialog, rack: RAck, content: Content | None) -> None:
        prack = self._make(dialog, "PRACK", (("RAck", str(rack)),), content)
        self._send(dialog, prack, self._prack_event)

    def _prack_event(self, event: Response | Failed) -> None:
        if not isinstance(event, Response):
            self.abandon(Cause.UNREACHABLE)
        elif event.status in {408, 481}:
            self._doubt = refusal = self._refusal(event)
            self._wire.timers.after(DOUBT_SECONDS, partial(self.abandon, Cause.PRACK_REFUSED, refusal))
        elif event.status >= 300:
            self.abandon(Cause.PRACK_REFUSED, self._refusal(event))

    def abandon(self, cause: Cause, refusal: Refusal | None = None) -> None:
        """Before the answer: this phone can be talked to no further."""
        if not self.over and not self._answered_once:
            failed = HungUp(Ending.of(cause), refusal=refusal)
            self.hang_up(failed)
            self.on_event(self, failed)

    @property
    def awaits_answer(self) -> bool:
        return self._unanswered is not None or super().awaits_answer

    def confirm(self, event: Confirmed) -> None:
        if self._unanswered is None or self._answered_once:
            super().confirm(event)
            return
        early, rack = self._unanswered
        self._unanswered = None
        early.offers.withdraw()  # by this answer
        self._send_prack(early.dialog, rack, event.content)

    def _success(self, response: Response) -> None:
        tag = response.to.tag or ""
        if not self.over and not self._answered_once:
            early = self._early.pop(tag, None)
            self._choose(early, response)
            self.on_event(self, self._picked_up(early, response))
        elif self.dialog is None or tag != self.dialog.remote_tag or not self._answered_once:
            self._turn_away(tag, response)
        else:
            self._run(self.usage.receive_again(response.cseq.number))

    def _choose(self, early: EarlyDialog | None, response: Response) -> None:
        assert self._invite is not None
        if early is not None:
            dialog, self.offers = early.dialog, early.offers
        else:
            dialog, self.offers = Dialog.of_uac(self._invite, response), OfferAnswer()
            if self._offered:
                self.offers.send_offer()
        self._drop_early()
        self._invite_client = None
        self._unanswered = None
        dialog.confirm(response)
        self.dialog = dialog
        self._learn(response)
        self._wire.endpoint.add_dialog(dialog.id, self)

    def _picked_up(self, early: EarlyDialog | None, response: Response) -> Answered:
        fork = response.to.tag or ""
        if early is None or not early.settled:
            answered = self._answered(response)
            return Answered(answered.content, answered.baggage, fork)
        answered = self._answered(response, settled=True)
        content = answered.content
        if early.answer is None:
            content = None  # it was the offer, and has its answer
        elif content is None:
            # The answer came before. What was agreed since, by UPDATE, is what the call was told last.
            content = Content(early.answer.kind, self.said or early.answer.body)
        return Answered(content, answered.baggage, fork)

    def _turn_away(self, tag: str, response: Response) -> None:
        # §13.2.2.4: a 2xx that comes too late, or from another branch, is acknowledged and ended by a BYE.
        assert self._invite is not None
        known = self._strays.get(tag)
        if known is not None:
            self._wire.endpoint.send_ack(known, self.flow)
        elif len(self._strays) < MAX_FORKS:
            dialog = Dialog.of_uac(self._invite, response)
            ack = self._strays[tag] = dialog.make_request("ACK", invite_seq=self._invite_seq)
            self._wire.endpoint.send_ack(ack, self.flow)
            self._wire.endpoint.send_request(dialog.make_request("BYE"), self.flow, _nobody_cares)

    def _dial_again(self, fields: Baggage) -> None:
        """The same INVITE once more, with these headers in place of its own."""
        assert self._invite is not None
        headers = self._invite.headers.copy()
        headers.remove("Via")
        headers.set("CSeq", f"{self._invite_seq + 1} INVITE")
        for name, value in fields:
            headers.set(name, value)
        self._send_again(Request("INVITE", self._invite.uri, headers, self._invite.body))

    def _send_again(self, invite: Request) -> None:
        """A new INVITE in the same place: what was heard of the one before means nothing any more."""
        self._drop_early()
        self.dialog = None
        self._unanswered = None
        self._invite, self._invite_seq = invite, invite.cseq.number
        self._invite_client = self._wire.endpoint.send_request(self._invite, self.flow, self._invite_event)

    def _failed(self, event: HungUp) -> None:
        if not self.over and not self._answered_once:
            self._finish()
            self._invite_client = None
            self.on_event(self, event)

    # --- the end

    def hang_up(self, event: HungUp) -> None:
        if self.over or self._answered_once:
            super().hang_up(event)
            return
        self._finish()
        self._cancel(with_reason(event))

    def _cancel(self, headers: Baggage) -> None:
        client, self._invite_client = self._invite_client, None
        if client is not None:
            client.cancel(headers)

    def _receive_bye(self, transaction: ServerTransaction) -> None:
        unanswered = not self._answered_once and not self.over
        super()._receive_bye(transaction)
        if unanswered:
            # §15: no callee may end an early dialog by BYE. Some do; then the INVITE must not stay open.
            self._cancel(())

    def _finish(self) -> None:
        self._unanswered = None
        self._drop_early()
        super()._finish()

    def _drop_early(self) -> None:
        for early in self._early.values():
            self._wire.endpoint.remove_dialog(early.dialog.id)
        self._early.clear()


def _nobody_cares(_event: Response | Failed) -> None:
    """What becomes of a BYE to a phone that was never in the call."""
