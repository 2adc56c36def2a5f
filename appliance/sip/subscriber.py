"""The subscriber: what the exchange itself wants to be told by others.

RFC 6665 §4.1, §4.4.1.
"""

from __future__ import annotations

__all__ = ["Listener", "Subscriber", "Wish"]

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, assert_never

from appliance.errors import PeerError
from appliance.sip.dialog import Dialog
from appliance.sip.dialog.dialog import MAX_FORWARDS
from appliance.sip.dialog.subscriber import Over, Resting, SendSubscribe, SubscriberEffect, SubscriberUsage
from appliance.sip.dialog.subscription import StartTimer, StopTimer, SubscriptionTimer, dialog_of_notify
from appliance.sip.live_notifier import retry_after
from appliance.sip.message import Event, Headers, Request, Response, SubscriptionState
from appliance.sip.transport.flow import TransportError
from appliance.sip.usage_timers import UsageTimers

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from appliance.sip.endpoint import ClientEvent, Endpoint, ServerTransaction
    from appliance.sip.transport.flow import Flow

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to subscribe to."""

    uri: str
    "Whose state: the Request-URI and the To."
    local: str
    "Who asks: the From without its tag, such as `<sip:101@192.0.2.1>`."
    user: str
    "The user part of our Contact."
    event: Event
    accept: tuple[str, ...]
    "The media types that we can read, at least one."
    expires: int = 3600
    "Seconds, 1 or more."


class Listener(Protocol):
    """Whoever wants to know."""

    def notified(self, state: SubscriptionState, content_type: str | None, body: bytes) -> None:
        """A NOTIFY came; also one that says only how the subscription stands."""

    def lost(self, reason: str) -> None:
        """Nothing will be told for a while; the subscriber tries again by itself."""

    def over(self, reason: str) -> None:
        """Nothing will be told any more."""


class Subscriber:
    """One subscription of ours, for as long as it is wanted. `start` once, `stop` when it is not wanted any more."""

    def __init__(
        self,
        endpoint: Endpoint,
        random: random.Random,
        wish: Wish,
        way: Callable[[], Flow],
        listener: Listener,
    ) -> None:
        self.authorize: Callable[[Request, Response], Request | None] | None = None
        "Makes of a SUBSCRIBE and its 401 or 407 the one to send instead, without a Via; None: it cannot."
        self._endpoint = endpoint
        self._random = random
        self._wish = wish
        self._way = way  # asked for each SUBSCRIBE; raises TransportError when there is none
        self._listener = listener
        self._usage = SubscriberUsage(wish.expires)
        self._timers = UsageTimers(endpoint.timers, self._fired)
        self._subscribe: Request | None = None  # the newest
        self._dialog: Dialog | None = None
        self._awaited: tuple[str, str] | None = None
        self._seen = False  # the first NOTIFY has come, and with it the dialog
        endpoint.allowed.add("NOTIFY")

    def start(self) -> None:
        """Subscribe. LocalError the second time."""
        self._run(self._usage.start(self._now()))

    def stop(self) -> None:
        """Unsubscribe; `over` tells when that is done."""
        self._run(self._usage.unsubscribe())

    # The user of its dialog.

    def receive(self, transaction: ServerTransaction) -> None:
        """A request in the dialog, or the one that founds it."""
        request = transaction.request
        if request.method != "NOTIFY":
            raise PeerError(405, "Method Not Allowed", (("Allow", "NOTIFY"),))
        if Event.parse(request.headers.get("Event") or "").key != self._wish.event.key:
            raise PeerError(481, "Subscription Does Not Exist")
        said = SubscriptionState.parse(request.headers.get("Subscription-State") or "")
        self._settle(request)
        effects = self._usage.notified(said, self._now(), self._random.random())
        transaction.reply(200)
        try:
            self._listener.notified(said, request.content_type, request.body)
        finally:
            self._run(effects)

    def receive_ack(self, ack: Request) -> None:
        """There is no INVITE in this dialog."""

    def _settle(self, notify: Request) -> None:
        """§4.4.1: the first NOTIFY makes the dialog, whatever the 2xx said. A fork's other ones get 481."""
        if self._seen and self._dialog is not None:
            self._dialog.receive_request(notify)
            self._dialog.refresh_target(notify)
            return
        assert self._subscribe is not None
        dialog = dialog_of_notify(self._subscribe, notify)
        self._forget_dialog()
        self._dialog, self._seen = dialog, True
        self._endpoint.add_dialog(dialog.id, self)

    def _forget_dialog(self) -> None:
        if self._awaited is not None:
            self._endpoint.await_no_dialog(*self._awaited)
        if self._dialog is not None:
            self._endpoint.remove_dialog(self._dialog.id)
        self._awaited = self._dialog = None
        self._seen = False

    # What the machine wants.

    def _run(self, effects: list[SubscriberEffect]) -> None:
        for effect in effects:
            match effect:
                case SendSubscribe(expires, fresh):
                    self._send(self._make_fresh(expires) if fresh else self._make_next(expires))
                case StartTimer(timer, delay):
                    self._timers.start(timer, delay)
                case StopTimer(timer):
                    self._timers.stop(timer)
                case Resting(reason):
                    self._forget_dialog()
                    self._listener.lost(reason)
                case Over(reason):
                    self._forget_dialog()
                    self._listener.over(reason)
                case _:
                    assert_never(effect)

    def _make_fresh(self, expires: int) -> Request:
        self._forget_dialog()
        call_id, tag = self._endpoint.new_tag(), self._endpoint.new_tag()
        self._awaited = (call_id, tag)
        self._endpoint.await_dialog(call_id, tag, self)
        fields = [
            ("Max-Forwards", MAX_FORWARDS),
            ("From", f"{self._wish.local};tag={tag}"),
            ("To", f"<{self._wish.uri}>"),
            ("Call-ID", call_id),
            ("CSeq", "1 SUBSCRIBE"),
        ]
        return Request("SUBSCRIBE", self._wish.uri, Headers([*fields, *self._fields(expires)]))

    def _make_next(self, expires: int) -> Request:
        assert self._dialog is not None  # the machine sends it after a 2xx or a NOTIFY only
        return self._dialog.make_request("SUBSCRIBE", headers=self._fields(expires))

    def _fields(self, expires: int) -> list[tuple[str, str]]:
        wish = self._wish
        return [("Event", str(wish.event)), ("Accept", ", ".join(wish.accept)), ("Expires", str(expires))]

    def _send(self, request: Request, *, proven: bool = False) -> None:
        self._subscribe = request
        try:
            flow = self._way()
        except TransportError as failure:
            logger.info("SUBSCRIBE to %s: %s", self._wish.uri, failure)
            # Told a moment later, so that the machine is at rest by then.
            self._endpoint.timers.after(0, partial(self._failed, request))
            return
        request.headers.set("Contact", self._endpoint.contact(flow, self._wish.user))
        self._endpoint.send_request(request, flow, partial(self._answered, request, proven))

    def _failed(self, request: Request) -> None:
        if request is self._subscribe:
            self._final(503)

    def _answered(self, request: Request, proven: bool, event: ClientEvent) -> None:
        if request is not self._subscribe:
            return  # of a subscription that is over
        if not isinstance(event, Response):
            self._final(408)
            return
        if event.status < 200 or (event.status in {401, 407} and not proven and self._prove(request, event)):
            return
        self._learn(request, event)
        self._final(event.status, event)

    def _prove(self, request: Request, challenge: Response) -> bool:
        again = None if self.authorize is None else self.authorize(request, challenge)
        if again is None:
            return False
        if self._dialog is not None:
            self._dialog.local_seq = again.cseq.number
        self._send(again, proven=True)
        return True

    def _learn(self, request: Request, response: Response) -> None:
        if response.status >= 300:
            return
        if self._dialog is not None:
            self._dialog.refresh_target(response)
        elif self._awaited is not None:
            # Until the NOTIFY comes this is the dialog: one may unsubscribe in it.
            self._dialog = Dialog.of_uac(request, response)

    def _final(self, status: int, response: Response | None = None) -> None:
        expires = wait = None
        if response is not None:
            wait = retry_after(response)
            expires = response.expires if status != 423 else _min_expires(response)
        now, chance = self._now(), self._random.random()
        self._run(self._usage.receive_final(status, now, chance, expires=expires, wait=wait))

    def _fired(self, timer: SubscriptionTimer) -> None:
        self._run(self._usage.fired(timer, self._now(), self._random.random()))

    def _now(self) -> float:
        return self._endpoint.timers.now()


def _min_expires(response: Response) -> int | None:
    value = response.headers.get("Min-Expires") or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else None
