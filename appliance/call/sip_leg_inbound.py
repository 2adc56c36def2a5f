"""The caller's leg: the server side of the INVITE that starts a call.

RFC 3261 §9.2 (CANCEL), §12.1.1, §13.3 (UAS, and how long it may take); RFC 3262 §3 (reliable responses); RFC 6337 §3.
"""

from __future__ import annotations

__all__ = ["InboundLeg"]

from typing import TYPE_CHECKING, assert_never

import msgspec

from appliance.call.cause import Cause, Ending
from appliance.call.events import Confirmed, HungUp, Outcome
from appliance.call.leg_options import LegOptions, names
from appliance.call.passing import content_of, passing, with_content, with_reason
from appliance.call.sip_leg import SipLeg
from appliance.errors import PeerError
from appliance.sip.dialog import (
    Dialog,
    GiveUpWaiting,
    InviteState,
    InviteUsage,
    OfferAnswer,
    OfferState,
    RAck,
    ReliableServer,
    Send,
    SendAgain,
    StopWaiting,
    Wait,
)
from appliance.sip.inspection import wants_sips

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.call.events import Answered, Baggage, Content, Progress
    from appliance.call.wire import Wire
    from appliance.clock import Timer
    from appliance.sip.dialog import ReliableEffect
    from appliance.sip.endpoint import ServerTransaction
    from appliance.sip.message import Request, Response

MAX_RSEQ = 2**31 - 1
"RFC 3262 §3: the first RSeq is drawn from 1 to this."
FORWARDED = 181
"Said once for each step, and by nothing that comes later: so it is sent reliably wherever the caller can do that."
REPEAT_SECONDS = 60.0
"§13.3.1.1: so often the caller MUST hear that it is rung still, or a proxy between us may give the INVITE up (timer C)."


class InboundLeg(SipLeg):
    """Tells the caller how the call gets on."""

    __slots__ = (
        "_again", "_answer", "_demanded", "_expiry", "_latest", "_past", "_provisional", "_reliable", "_told",
        "_wait",
    )  # fmt: skip

    def __init__(
        self,
        wire: Wire,
        transaction: ServerTransaction,
        number: str,
        dialled: str,
        options: LegOptions,
    ) -> None:
        """PeerError for an INVITE that makes no dialog, or when no port is left."""
        request, flow = transaction.request, transaction.flow
        # The tag is the transaction's, so that its 100 and its answer to a CANCEL carry the same.
        contact = wire.endpoint.contact(flow, dialled, secure=wants_sips(request))
        dialog = Dialog.of_uas(request, transaction.tag, contact)
        # Whatever cannot be read is refused before ports are taken.
        self._demanded = "100rel" in options.required or (
            options.reliable and names(request, "Require", "100rel")
        )
        reliable = self._demanded or (options.reliable and names(request, "Supported", "100rel"))
        super().__init__(wire, flow, number, wire.open_media(flow), InviteUsage.received(), options)
        self.dialog = dialog
        self._server = transaction
        self._receive_offer(content_of(request))
        self._learn(request)
        self._reliable: ReliableServer[Progress] | None = None
        if reliable:
            self._reliable = ReliableServer(request.cseq, wire.random.randint(1, MAX_RSEQ))
        self._provisional: Response | None = None  # that no PRACK has come for
        self._wait: Timer | None = None  # until it goes out again
        self._answer: Answered | None = None  # that waits for a PRACK
        self._told: tuple[str, Content, bool] | None = (
            None  # whose description the caller has, and if for certain
        )
        self._past: dict[str, Dialog] = {}  # with phones that will not be heard any more
        self._latest: Progress | None = None  # what the caller was told last
        self._again: Timer | None = None  # until it is told so again
        # §13.3.1: an INVITE may say for how long it holds.
        expires = request.expires
        self._expiry = None if expires is None else wire.timers.after(expires, self._expired)
        wire.endpoint.add_dialog(dialog.id, self)
        transaction.on_cancel = self._cancelled
        transaction.on_failed = self._failed

    @property
    def initiated(self) -> bool:
        return False

    @property
    def takes_reliable(self) -> bool:
        """Whether the caller acknowledges provisional responses, and may so get an offer in one."""
        return self._reliable is not None

    @property
    def owes_answer(self) -> bool:
        """Whether the caller's own offer is still open."""
        return self._open and not self._deciding and self.offers.state is OfferState.RECEIVED

    @property
    def _open(self) -> bool:
        """Whether the INVITE waits for its final response still."""
        return not self.over and self.dialog is not None and not self.dialog.confirmed

    # --- how the call gets on

    def progress(self, event: Progress) -> None:
        """Pass on a provisional response, reliably if it matters and the caller can do that."""
        if not self._open or self._server is None or self._answer is not None:
            return
        self._latest = event
        if self._again is None:
            self._again = self._wire.timers.after(REPEAT_SECONDS, self._repeat)
        reliable = self._reliable
        content = self._new_to_caller(event.content, event.fork)
        # RFC 3262 §5: without an offer in the INVITE, only what the callee said reliably can be one.
        binds = content is not None and content.is_session and (event.reliable or self.owes_answer)
        matters = binds or self._demanded or event.status == FORWARDED
        # What is said later is not heard before what waits for its turn.
        matters = matters or (reliable is not None and bool(reliable.waiting))
        if reliable is None or not matters:
            self._note_told(event.fork, content, certain=False)
            self._respond(event, content, ())
            return
        if not binds and content is not None and content.is_session:
            content = None
        self._note_told(event.fork, content, certain=True)
        if binds:
            self.offers.send_answer() if self.owes_answer else self.offers.send_offer()
        self._act(reliable.send(msgspec.structs.replace(event, content=content), session=binds))

    def _repeat(self) -> None:
        self._again, latest = None, self._latest
        if latest is None:
            return
        if self._told is not None and self._told[2]:
            # The caller has a description for certain, which an UPDATE may have made another by now.
            latest = msgspec.structs.replace(latest, content=None)
        if latest.status == FORWARDED:
            # That was said once for its step; what goes on since then is that it goes on.
            latest = msgspec.structs.replace(latest, status=183, text="Session Progress", baggage=())
        self.progress(latest)

    def _new_to_caller(self, content: Content | None, fork: str) -> Content | None:
        """`content` unless the caller has it for certain; in a dialog of its own if it cannot follow the last.

        RFC 3261 §13.2.1: one dialog has one answer. That of another phone makes another dialog, as if the
        exchange were a proxy that forks; so does that of a phone which has changed its mind.
        """
        if self._told is None or content is None or not content.is_session:
            return content
        if self._knows(content):
            return None
        told_by, _, certain = self._told
        if certain or told_by != fork:
            self._branch_off()
        return content

    def _knows(self, content: Content | None) -> bool:
        return self._told is not None and self._told[2] and content == self._told[1]

    def _note_told(self, fork: str, content: Content | None, *, certain: bool) -> None:
        if content is not None and content.is_session:
            self._told = fork, content, certain

    def _told_anew(self, content: Content | None) -> None:
        if self._told is not None:
            self._note_told(self._told[0], content, certain=True)

    def _branch_off(self) -> None:
        server, dialog = self._server, self.dialog
        assert server is not None
        assert dialog is not None
        self._past[dialog.local_tag] = dialog
        server.tag = self._wire.endpoint.new_tag()
        self.dialog = Dialog.of_uas(server.request, server.tag, dialog.contact)
        self._wire.endpoint.add_dialog(self.dialog.id, self)
        self.offers = OfferAnswer()
        self._receive_offer(content_of(server.request))

    def _respond(self, event: Progress, content: Content | None, fields: Baggage) -> Response | None:
        server = self._server
        if server is None:
            return None
        # §12.1.1: Allow in what makes a dialog tells the caller what it may send there.
        fields = ("Contact", self.contact), self.options.fields[0], *fields, *event.baggage
        body = content.body if content else b""
        return server.reply(event.status, event.text, headers=with_content(fields, content), body=body)

    def answer(self, event: Answered) -> None:
        """The callee has picked up."""
        if not self._open or self.dialog is None:
            return
        if self._reliable is not None:
            self._tell_what_waits(self._reliable)
            self._act(self._reliable.finish())
        self._stop_waiting_for_callee()
        if self._knows(event.content):
            event = msgspec.structs.replace(event, content=None)
        self._answer = event
        self._decided()

    def _tell_what_waits(self, reliable: ReliableServer[Progress]) -> None:
        # Nobody's answer is kept back for news of who sent the call on, nor are these lost to it where RFC 3262 §3 lets
        # them go out of turn: to a caller who takes them unreliably, too.
        for event in () if self._demanded else reliable.waiting:
            if event.status == FORWARDED:
                self._respond(event, None, ())

    def _decided(self) -> None:
        event = self._answer
        if event is None or not self._open or self._deciding:
            return
        if self._reliable is not None and self._reliable.holds_success:
            return  # RFC 3262 §3: no 2xx before the PRACK of a session description
        self._answer = None
        content = self._new_to_caller(event.content, event.fork)
        self._drop_past()
        assert self.dialog is not None
        self.dialog.confirm()
        self._accept(content, event.baggage)

    # --- reliable responses

    def _act(self, effects: Iterable[ReliableEffect[Progress]]) -> None:
        for effect in effects:
            match effect:
                case Send(rseq, event):
                    self._provisional = self._respond(
                        event, event.content, (("Require", "100rel"), ("RSeq", str(rseq)))
                    )
                case SendAgain():
                    if self._server is not None and self._provisional is not None:
                        self._server.respond(self._provisional)
                case Wait(delay):
                    self._stop_waiting()
                    self._wait = self._wire.timers.after(delay, self._waited)
                case StopWaiting():
                    self._stop_waiting()
                    self._provisional = None
                case GiveUpWaiting():
                    self._lose_caller(Outcome(504, "Server Time-out"))
                case _:
                    assert_never(effect)

    def _waited(self) -> None:
        self._wait = None
        if self._reliable is not None:
            self._act(self._reliable.fired())

    def _stop_waiting(self) -> None:
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None

    def receive(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        past = self._past.get(request.to.tag or "") if self._past else None
        if past is None:
            super().receive(transaction)
            return
        past.receive_request(request)
        if request.method == "PRACK" and self._reliable is not None:
            effects = self._reliable.receive_prack(RAck.of(request))
            transaction.reply(200)
            self._act(effects)
            self._decided()
        elif request.method == "BYE":
            transaction.reply(200)  # §15: the caller drops this branch alone
        else:
            raise PeerError(481, "Call/Transaction Does Not Exist")

    def _receive_prack(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if self._reliable is None:
            super()._receive_prack(transaction)
            return
        effects = self._reliable.receive_prack(RAck.of(request))
        content = content_of(request)
        session = content is not None and content.is_session
        try:
            if not session or self.offers.receive_answer():
                transaction.reply(200)
                if session or self.offers.state is OfferState.SENT:
                    self.offers.withdraw()
                    self.on_event(self, Confirmed(content if session else None))
            elif content is not None:
                # RFC 3262 §5: a new offer, now that the first has its answer.
                self._receive_offer(content)
                self._pass_offer(transaction, content)
        finally:
            if not self.over:
                self._act(effects)
                self._decided()

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

    def _expired(self) -> None:
        # §13.3.1: it has expired without a final response, and SHOULD get 487.
        self._expiry = None
        if self._open and self.usage.state is InviteState.RECEIVED:
            self._refuse(Outcome(487, "Request Terminated"))
            self._finish()
            self.on_event(self, HungUp(Ending.of(Cause.CANCELLED)))

    def _failed(self) -> None:
        # No answer can reach the caller any more. After a refusal, or a 2xx, this says nothing new.
        # RFC 6026 §8.8: the transaction stays until it has a final response, heard or not.
        self._lose_caller(Outcome(500, "Server Internal Error"))

    def _lose_caller(self, outcome: Outcome) -> None:
        if self._open and self.usage.state is InviteState.RECEIVED:
            self._refuse(outcome)
            self._finish()
            self.on_event(self, HungUp(Ending.of(Cause.LOST)))

    def _stop_waiting_for_callee(self) -> None:
        for timer in (self._again, self._expiry):
            if timer is not None:
                timer.cancel()
        self._again = self._expiry = self._latest = None

    def _close(self) -> None:
        self._stop_waiting_for_callee()
        self._stop_waiting()
        self._provisional = self._answer = None
        self._drop_past()
        super()._close()

    def _drop_past(self) -> None:
        for dialog in self._past.values():
            self._wire.endpoint.remove_dialog(dialog.id)
        self._past.clear()
