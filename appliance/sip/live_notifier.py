"""A notifier's machine with its dialog, its timers and its wire: effects run here.

RFC 6665 §4.2. `subscriptions` has one for each SUBSCRIBE, `referrals` one for each REFER.
"""

from __future__ import annotations

__all__ = ["Content", "LiveNotifier", "retry_after"]

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from appliance.errors import LocalError
from appliance.sip.dialog.notifier import Accept, NotifierEffect, NotifierUsage, SendNotify
from appliance.sip.dialog.subscription import Ended, StartTimer, StopTimer, SubscriptionTimer
from appliance.sip.message import Response
from appliance.sip.usage_timers import UsageTimers

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.dialog import Dialog
    from appliance.sip.endpoint import ClientEvent, Endpoint, ServerTransaction
    from appliance.sip.message import Event, SubscriptionState
    from appliance.sip.transport.flow import Flow

logger = logging.getLogger(__name__)

# RFC 3261 §20.33: seconds, and a comment or parameters that we have no use for.
_RETRY_AFTER = re.compile(r"[ \t]*([0-9]{1,9})(?=[ \t;(]|\Z)")


def retry_after(response: Response) -> int | None:
    """The seconds that a response's Retry-After asks to wait; None when it asks nothing that can be read."""
    found = _RETRY_AFTER.match(response.headers.get("Retry-After") or "")
    return None if found is None else int(found[1])


@dataclass(frozen=True, slots=True)
class Content:
    """What NOTIFYs say."""

    type: str
    "The media type."
    body: Callable[[bool], bytes]
    "Called once for each NOTIFY that goes out; True: say everything, False: what changed since the last is enough."


class LiveNotifier:
    """One subscription of a peer."""

    def __init__(
        self,
        endpoint: Endpoint,
        dialog: Dialog,
        flow: Flow,
        usage: NotifierUsage,
        event: Event,
        content: Content,
    ) -> None:
        self.dialog = dialog
        self.flow = flow
        self.usage = usage
        self.event = event
        self.on_accept: Callable[[ServerTransaction, int], object] = self._accept
        "Answers the request that made the subscription, or goes on with it for so many seconds."
        self.on_ended: Callable[[], None] = lambda: None
        self.find_flow: Callable[[float], Flow | None] = lambda _: None
        """Where the subscriber can be reached since it was heard of last, at that many seconds, if that is another way now."""
        self._content = content
        self._endpoint = endpoint
        self._timers = UsageTimers(endpoint.timers, self._fired)
        self._heard_at = self.now()
        self._over = False

    def subscribe(self, transaction: ServerTransaction) -> None:
        """A SUBSCRIBE in the dialog, whose CSeq was checked. PeerError 423 or 481."""
        effects = self.usage.subscribe(transaction.request.expires, self.now())
        self.dialog.refresh_target(transaction.request)
        self.flow, self._heard_at = transaction.flow, self.now()
        self.run(effects, transaction)

    def changed(self) -> None:
        """What is subscribed to has changed."""
        self.run(self.usage.changed(self.now()))

    def terminate(self, reason: str, wait: int | None = None) -> None:
        """End it, with a reason of §4.1.3 and the seconds until the subscriber may come again."""
        self.run(self.usage.terminate(reason, self.now(), wait))

    def end(self) -> None:
        """End it without a word."""
        if not self._over:
            self.run(self.usage.end())

    def run(self, effects: list[NotifierEffect], transaction: ServerTransaction | None = None) -> None:
        """Do what the machine says; `transaction` is what `Accept` answers."""
        for effect in effects:
            match effect:
                case Accept(expires):
                    if transaction is None:
                        raise LocalError("nothing to accept")
                    self.on_accept(transaction, expires)
                case SendNotify(state, full):
                    self._notify(state, full=full)
                case StartTimer(timer, delay):
                    self._timers.start(timer, delay)
                case StopTimer(timer):
                    self._timers.stop(timer)
                case Ended():
                    self._over = True
                    self.on_ended()
                case _:
                    assert_never(effect)

    def _accept(self, transaction: ServerTransaction, expires: int) -> None:
        headers = (("Expires", str(expires)), ("Contact", self.dialog.contact))
        transaction.reply(200, headers=(*headers, *self._endpoint.allow_events))

    def _notify(self, state: SubscriptionState, *, full: bool) -> None:
        try:
            body = self._content.body(full)
        except Exception:
            # A package's defect costs its own subscriptions; the subscriber comes again when it misses the refresh.
            logger.exception("nothing to say about %s", self.event)
            self.end()
            return
        headers = [
            ("Contact", self.dialog.contact),
            ("Event", str(self.event)),
            ("Subscription-State", str(state)),
        ]
        if body:
            headers.append(("Content-Type", self._content.type))
        if not self.dialog.routes:
            self.flow = self.find_flow(self._heard_at) or self.flow
        request = self.dialog.make_request("NOTIFY", headers=headers, body=body)
        self._endpoint.send_request(request, self.flow, self._answered)

    def _answered(self, event: ClientEvent) -> None:
        if self._over:
            return
        if not isinstance(event, Response):
            self.run(self.usage.answered(408, self.now()))
        elif event.status >= 200:
            if event.status < 300:
                self.dialog.refresh_target(event)
            self.run(self.usage.answered(event.status, self.now(), retry_after(event)))

    def _fired(self, timer: SubscriptionTimer) -> None:
        self.run(self.usage.fired(timer, self.now()))

    def now(self) -> float:
        """Seconds, as the machine counts them."""
        return self._endpoint.timers.now()
