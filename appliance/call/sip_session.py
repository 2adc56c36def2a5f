"""The session of one leg: a dialog, its INVITE usage and its media ports, from the answer to the BYE.

RFC 3261 §13.2.2.4, §13.3.1.4, §15. `sip_leg` adds what the peer and the call may want in between.
"""

from __future__ import annotations

__all__ = ["SipSession", "ignore"]

from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from appliance.call.cause import Cause, Ending
from appliance.call.events import Answered, Confirmed, HungUp, Outcome
from appliance.call.passing import content_of, passing, with_content, with_reason
from appliance.sip.dialog import (
    Acknowledged,
    EndDialog,
    GiveUp,
    InviteState,
    OfferAnswer,
    OfferState,
    RetryInvite,
    SendAccepted,
    SendAck,
    StartTimer,
    StopTimer,
)
from appliance.sip.message import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance.call.events import Baggage, Content, Event
    from appliance.call.leg_options import LegOptions
    from appliance.call.wire import Wire
    from appliance.clock import Timer
    from appliance.lines.credentials import Attempt
    from appliance.media.leg import LegMedia
    from appliance.sip.dialog import Dialog, InviteUsage, UsageEffect, UsageTimer
    from appliance.sip.endpoint import ClientTransaction, Failed, ServerTransaction
    from appliance.sip.transport.flow import Flow


class SipSession:
    """A dialog with one phone. `hang_up` and the peer's BYE work in any state.

    A session that is `over` tells nothing more; it may still send its BYE and answer what comes late.
    """

    __slots__ = (
        "_accepted", "_bye", "_invite_seq", "_server", "_timer", "_wire",
        "dialog", "flow", "media", "number", "occupies", "offers", "on_event", "options", "over", "prover", "said",
        "usage",
    )  # fmt: skip

    def __init__(
        self, wire: Wire, flow: Flow, number: str, media: LegMedia, usage: InviteUsage, options: LegOptions
    ) -> None:
        self._wire = wire
        self.options = options
        self.flow = flow
        self.number = number
        "The extension at the other end."
        self.occupies = number
        "What is busy with it: the line or trunk, named as in routes, or the extension."
        self.media = media
        self.usage = usage
        self.offers = OfferAnswer()
        self.said = b""
        "The peer's session description that is in force."
        self.dialog: Dialog | None = None
        self.over = False
        self.on_event: Callable[[Any, Event], None] = ignore
        self.prover: Callable[[str], Attempt | None] | None = None
        "Answers the peer's challenges to a request of that method (§22): on a line, the carrier's."
        self._server: ServerTransaction | None = None  # the peer's INVITE, until our 2xx is acknowledged
        self._accepted: Response | None = None
        self._invite_seq = 0
        self._timer: Timer | None = None
        self._bye: HungUp | None = None  # a BYE that must wait for an ACK

    def receive_ack(self, ack: Request) -> None:
        """The ACK of our 2xx."""
        effects = self.usage.receive_ack(ack.cseq.number)
        if not effects:
            return
        self._run(effects)
        self._release_server()
        if self._bye is not None:
            self._send_bye(self._bye)
            return
        answered = self.offers.receive_answer()
        self.on_event(self, Confirmed(content_of(ack) if answered else None))

    def _release_server(self) -> None:
        """What becomes of the INVITE's transaction concerns the leg no more, nor shall it keep the leg for its 32 s."""
        if self._server is not None:
            self._server.on_failed = None
        self._server = self._accepted = None

    # --- our final responses to the peer's INVITE

    def _accept(self, content: Content | None, baggage: Baggage) -> None:
        server = self._server
        assert server is not None
        fields = ("Contact", self.contact), *self.options.fields_within, *self._grant(server.request)
        headers = with_content((*fields, *baggage), content)
        if self.offers.state is OfferState.RECEIVED:
            self.offers.send_answer()
        elif content is not None and content.is_session:
            self.offers.send_offer()
        effects = self.usage.accept(server.request.cseq.number)
        self._accepted = server.reply(200, headers=headers, body=content.body if content else b"")
        self._run(effects)

    def _grant(self, request: Request) -> Baggage:
        """What our 2xx to an INVITE or UPDATE says of how long the session lives."""
        raise NotImplementedError

    def _granted(self, response: Response) -> None:
        """What the peer's 2xx says of it."""
        raise NotImplementedError

    def _refuse(self, outcome: Outcome) -> None:
        server = self._server
        if server is None:
            return  # it failed: nobody is left to tell
        headers = with_content(outcome.baggage, outcome.content)
        self.usage.reject()
        self.offers.withdraw()
        self._release_server()
        server.reply(
            outcome.status,
            outcome.text,
            headers=headers,
            body=outcome.content.body if outcome.content else b"",
        )

    @property
    def awaits_answer(self) -> bool:
        """Whether the peer's 2xx made an offer, so that our ACK must carry the answer."""
        return self.usage.state is InviteState.ANSWERED

    def confirm(self, event: Confirmed) -> None:
        """The other side has confirmed the answer: our ACK goes out now if it waited for that."""
        if self.awaits_answer:
            self._acknowledge(event.content)

    def hang_up(self, event: HungUp) -> None:
        """End the leg, whatever state it is in; nothing happens when it is over."""
        if self.over:
            return
        match self.usage.state:
            case InviteState.ACCEPTED:
                # §15: the callee MUST NOT send a BYE before it has the ACK, or has given up waiting for it.
                self._close()
                self._bye = event
            case InviteState.ANSWERED:
                self._acknowledge(None)
                self._send_bye(event)
            case InviteState.RECEIVED:
                # §15.1.2 as for a BYE received: what is still pending gets 487.
                self._refuse(Outcome(487, "Request Terminated"))
                self._send_bye(event)
            case _:
                self._send_bye(event)

    def _send_bye(self, event: HungUp) -> None:
        dialog = self.dialog
        assert dialog is not None
        self._close()
        self._bye = None
        self._release_server()
        self._run(self.usage.end())
        bye = self._make(dialog, "BYE", with_reason(event), None)
        self._send(dialog, bye, self._bye_event)

    def _send(
        self, dialog: Dialog, request: Request, on_event: Callable[[Response | Failed], None]
    ) -> ClientTransaction:
        """Send a request within the dialog, and once more with proof where the peer asks for that."""
        attempt = None if self.prover is None else self.prover(request.method)
        if attempt is None:
            return self._wire.endpoint.send_request(request, self.flow, on_event)
        attempt.put(request)

        def take(sent: Request, event: Response | Failed) -> None:
            challenged = isinstance(event, Response) and event.status in (401, 407)
            again = challenged and self._may_send_again(sent)
            proven = attempt.answer(sent, event) if again and isinstance(event, Response) else None
            if isinstance(proven, Request):
                dialog.renumber(proven)
                client = self._wire.endpoint.send_request(proven, self.flow, partial(take, proven))
                self._sent_again(proven, client)
            else:
                on_event(event)

        return self._wire.endpoint.send_request(request, self.flow, partial(take, request))

    def _may_send_again(self, _request: Request) -> bool:
        """Whether a request that was refused for want of a proof is still wanted."""
        return True

    def _sent_again(self, request: Request, client: ClientTransaction) -> None:
        """It is on its way with its proof."""

    def _bye_event(self, event: Response | Failed) -> None:
        # §15.1.1: any final response, or none, ends the session.
        if not isinstance(event, Response) or event.status >= 200:
            self._finish()

    def _answered(self, response: Response, *, settled: bool = False) -> Answered:
        """The first 2xx of an INVITE of ours. Its ACK goes out at once unless it must carry an answer.

        `settled`: offer and answer have passed already, in a reliable response and its PRACK.
        """
        assert self.dialog is not None
        self.dialog.refresh_target(response)
        self._run(self.usage.receive_final(response.status, 0.0))
        self._granted(response)
        content = content_of(response)
        if self.offers.state is OfferState.SENT:
            self.offers.withdraw()  # by its answer, or by the lack of one
        elif not settled:
            self._receive_offer(content)
        if self.offers.state is not OfferState.RECEIVED:
            self._acknowledge(None)
        return Answered(content, passing(response))

    def _receive_offer(self, content: Content | None) -> None:
        if content is not None and content.is_session:
            self.offers.receive_offer(self._wire.random.random())

    def _acknowledge(self, content: Content | None) -> None:
        assert self.dialog is not None
        self.offers.withdraw()
        headers = with_content((), content)
        body = content.body if content else b""
        ack = self.dialog.make_request("ACK", headers=headers, body=body, invite_seq=self._invite_seq)
        self._run(self.usage.acknowledge(ack))

    def _acknowledge_late(self, response: Response) -> None:
        # §13.2.2.4: every 2xx gets its ACK, also when we have hung up before it came.
        assert self.dialog is not None
        ack = self.dialog.make_request("ACK", invite_seq=response.cseq.number)
        self._wire.endpoint.send_ack(ack, self.flow)

    # --- effects and the end

    def _run(self, effects: Iterable[UsageEffect]) -> None:
        for effect in effects:
            match effect:
                case StartTimer(timer, delay):
                    self._timer = self._wire.timers.after(delay, partial(self._fired, timer))
                case StopTimer():
                    self._stop_timer()
                case SendAck(ack):
                    self._wire.endpoint.send_ack(ack, self.flow)
                case SendAccepted():
                    if self._server is not None and self._accepted is not None:
                        self._server.respond(self._accepted)
                case GiveUp() | EndDialog():
                    self._lose()
                case Acknowledged() | RetryInvite():
                    pass  # `receive_ack` goes on by itself; no INVITE of a leg is its own wish
                case _:
                    assert_never(effect)

    def _fired(self, timer: UsageTimer) -> None:
        self._timer = None
        self._run(self.usage.fired(timer))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose(self) -> None:
        """The peer is gone: it is hung up on, in case it hears that, and the call is told."""
        if not self.over:
            lost = HungUp(Ending.of(Cause.LOST))
            self.hang_up(lost)
            self.on_event(self, lost)
        elif self._bye is not None and self.usage.state is not InviteState.ACCEPTED:
            self._send_bye(self._bye)

    def _finish(self) -> None:
        """The dialog is over and forgotten."""
        if self.usage.state is InviteState.RECEIVED:
            self._refuse(Outcome(487, "Request Terminated"))
        elif self.awaits_answer:
            self._acknowledge(None)
        self._close()
        self._run(self.usage.end())
        self._release_server()
        if self.dialog is not None:
            self._wire.endpoint.remove_dialog(self.dialog.id)

    def _close(self) -> None:
        """From now on nothing is told, and the ports are free."""
        self.over = True
        self.media.close()

    @property
    def contact(self) -> str:
        """Where the peer reaches this leg."""
        return self.dialog.contact if self.dialog is not None else ""

    def _make(
        self, dialog: Dialog, method: str, headers: Iterable[tuple[str, str]], content: Content | None
    ) -> Request:
        body = content.body if content else b""
        return dialog.make_request(method, headers=with_content(headers, content), body=body)


def ignore(_leg: object, _event: Event) -> None:
    """What happens to the events of a leg that belongs to no call."""
