"""The REFERs of one dialog, in both directions, on the wire.

RFC 3515, RFC 4488, RFC 3892. The dialog belongs to somebody else, mostly a call, who gives its SUBSCRIBEs and
NOTIFYs to `receive` and each REFER that it lets in to `take`. It may end before they do (RFC 5057 §4.1): by
`outlive` they go on in what it was.
"""

from __future__ import annotations

__all__ = ["LiveReferral", "Referrals", "SentReferral"]

from functools import partial
from typing import TYPE_CHECKING, assert_never

from appliance.errors import PeerError
from appliance.sip.dialog.notifier import NotifierState
from appliance.sip.dialog.refer import Referral, ReferredTo, ReferRequest, ReferSent
from appliance.sip.dialog.subscriber import Over, Resting, SendSubscribe, SubscriberEffect
from appliance.sip.dialog.subscription import StartTimer, StopTimer, SubscriptionTimer, Usages
from appliance.sip.live_notifier import Content, LiveNotifier
from appliance.sip.message import Event, Response, SubscriptionState
from appliance.sip.usage_timers import UsageTimers

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.dialog import Dialog
    from appliance.sip.endpoint import ClientEvent, Endpoint, ServerTransaction
    from appliance.sip.message import ReferTo, Request
    from appliance.sip.transport.flow import Flow


class LiveReferral:
    """A REFER that was taken on. Whoever carries it out tells how it goes."""

    def __init__(self, referral: Referral, live: LiveNotifier) -> None:
        self._referral = referral
        self._live = live

    @property
    def request(self) -> ReferRequest:
        """What the REFER says."""
        return self._referral.request

    @property
    def heard(self) -> bool:
        """Whether anybody is still told of it."""
        return self._referral.usage.state is not NotifierState.TERMINATED

    def progress(self, status: int, reason: str | None = None) -> None:
        """The call that was asked for got this response, 100 to 699; a final one is the last word."""
        self._live.run(self._referral.progress(status, self._live.now(), reason))


class SentReferral:
    """A REFER of ours."""

    def __init__(
        self, referrals: Referrals, on_progress: Callable[[int, str], None], on_over: Callable[[str], None]
    ) -> None:
        self._referrals = referrals
        self._sent = ReferSent()
        self._timers = UsageTimers(referrals.endpoint.timers, self._fired)
        self._on_progress = on_progress
        self._on_over = on_over
        self.event = Event.of("refer")

    def unsubscribe(self) -> None:
        """We want to hear no more of it."""
        self._run(self._sent.usage.unsubscribe())

    def end(self) -> None:
        """The dialog is gone."""
        self._run(self._sent.usage.end())

    def start(self, headers: list[tuple[str, str]]) -> None:
        """Send the REFER."""
        referrals = self._referrals
        request = referrals.dialog.make_request("REFER", headers=headers)
        self.event = Event.of("refer", str(request.cseq.number))
        referrals.sent.add(self.event, self)
        self._run(self._sent.usage.start(self._now()))
        referrals.endpoint.send_request(request, referrals.flow, self._referred)

    def receive(self, transaction: ServerTransaction, said: SubscriptionState) -> None:
        """A NOTIFY for it, whose CSeq was checked."""
        effects = self._sent.notified(said, transaction.request.body, self._now())
        transaction.reply(200)
        self._run(effects)

    def _referred(self, event: ClientEvent) -> None:
        if not isinstance(event, Response) or event.status >= 200:
            response = event if isinstance(event, Response) else None
            self._run(self._sent.receive_final(response, self._now()))

    def _unsubscribed(self, event: ClientEvent) -> None:
        status = event.status if isinstance(event, Response) else 408
        if status >= 200:
            self._run(self._sent.usage.receive_final(status, self._now(), 0.0))

    def _run(self, effects: list[ReferredTo | SubscriberEffect] | list[SubscriberEffect]) -> None:
        for effect in effects:
            match effect:
                case ReferredTo(status, reason):
                    self._on_progress(status, reason)
                case StartTimer(timer, delay):
                    self._timers.start(timer, delay)
                case StopTimer(timer):
                    self._timers.stop(timer)
                case SendSubscribe(expires, _):
                    self._subscribe(expires)
                case Over(reason):
                    self._referrals.ended(self._referrals.sent, self.event)
                    self._on_over(reason)
                case Resting():
                    pass  # an implicit subscription is never begun anew
                case _:
                    assert_never(effect)

    def _subscribe(self, expires: int) -> None:
        referrals = self._referrals
        headers = [
            ("Contact", referrals.dialog.contact),
            ("Event", str(self.event)),
            ("Expires", str(expires)),
        ]
        request = referrals.dialog.make_request("SUBSCRIBE", headers=headers)
        referrals.endpoint.send_request(request, referrals.flow, self._unsubscribed)

    def _fired(self, timer: SubscriptionTimer) -> None:
        self._run(self._sent.usage.fired(timer, self._now(), 0.0))

    def _now(self) -> float:
        return self._referrals.endpoint.timers.now()


class Referrals:
    """All REFERs of one dialog."""

    def __init__(self, endpoint: Endpoint, dialog: Dialog, flow: Flow) -> None:
        self.endpoint = endpoint
        self.dialog = dialog
        self.flow = flow
        self.sent: Usages[SentReferral] = Usages()
        self._taken: Usages[LiveNotifier] = Usages()
        self._alone = False  # the dialog's user is gone, and it is ours

    def __len__(self) -> int:
        return len(self.sent) + len(self._taken)

    def take(self, transaction: ServerTransaction, request: ReferRequest) -> LiveReferral:
        """Answer this REFER, whose CSeq was checked, with 202, and tell its sender from now on. PeerError when too many."""
        referral = Referral(request)
        content = Content(referral.content_type, lambda _: referral.body)
        live = LiveNotifier(
            self.endpoint, self.dialog, transaction.flow, referral.usage, request.event, content
        )
        self._taken.add(request.event, live)
        live.on_ended = partial(self.ended, self._taken, request.event)
        usual = live.on_accept
        headers = (("Contact", self.dialog.contact), *referral.headers)
        live.on_accept = lambda transaction, _: transaction.reply(202, headers=headers)
        live.run(referral.accept(live.now()), transaction)
        live.on_accept = usual  # what comes now are SUBSCRIBEs
        return LiveReferral(referral, live)

    def send(
        self,
        refer_to: ReferTo,
        on_progress: Callable[[int, str], None],
        on_over: Callable[[str], None],
        *,
        referred_by: str | None = None,
    ) -> SentReferral:
        """Ask the peer to call somebody. `on_progress` hears each status; `on_over` the end, once, with a reason."""
        headers = [("Contact", self.dialog.contact), ("Refer-To", str(refer_to))]
        if referred_by is not None:
            headers.append(("Referred-By", referred_by))
        sent = SentReferral(self, on_progress, on_over)
        sent.start(headers)
        return sent

    def receive(self, transaction: ServerTransaction) -> None:
        """A SUBSCRIBE or NOTIFY in the dialog, whose CSeq was checked. PeerError 481 for none of ours."""
        request = transaction.request
        if request.method not in {"SUBSCRIBE", "NOTIFY"}:
            raise self._refuse_method()
        if self._alone:
            self.dialog.receive_request(request)
        event = Event.parse(request.headers.get("Event") or "")
        if request.method == "SUBSCRIBE":
            self._taken.find(event).subscribe(transaction)
            return
        said = SubscriptionState.parse(request.headers.get("Subscription-State") or "")
        self.sent.find(event).receive(transaction, said)

    def _refuse_method(self) -> PeerError:
        if self._alone:
            return PeerError(481, "Call/Transaction Does Not Exist")
        return PeerError(405, "Method Not Allowed", (("Allow", "NOTIFY, SUBSCRIBE"),))

    def receive_ack(self, ack: Request) -> None:
        """Once the dialog is ours, no INVITE is open in it."""

    def outlive(self) -> None:
        """The dialog's user is gone: what is left of the dialog is ours until the last REFER in it has ended."""
        if len(self):
            self._alone = True
            self.endpoint.add_dialog(self.dialog.id, self)

    def ended(self, usages: Usages[LiveNotifier] | Usages[SentReferral], event: Event) -> None:
        """One of them is over."""
        usages.remove(event)
        if self._alone and not len(self):
            self.endpoint.remove_dialog(self.dialog.id)

    def end(self) -> None:
        """The peer is gone: nobody tells anything any more, or is told."""
        for live in self._taken.all():
            live.end()
        for sent in self.sent.all():
            sent.end()
