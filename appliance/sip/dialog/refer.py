"""REFER: one side asks the other to call somebody, and is told how that goes.

RFC 3515 §2.4 (and its subscription), RFC 4488 (without one), RFC 3892 (Referred-By), RFC 3420 (the body).

    REFER came                  ReferRequest.of_request; Referral(request), then `accept`, or a refusal
    the call it asks for goes   `progress` with each status
    REFER goes out              ReferSent(), then `usage.start` with it; its answer: `receive_final`
    a NOTIFY came               `notified`

All else is their `usage`, which is that of any subscription.
"""

from __future__ import annotations

__all__ = ["LASTS", "ReferRequest", "ReferSent", "Referral", "ReferredTo"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.errors import PeerError
from appliance.sip.dialog.notifier import Accept, NotifierState, NotifierUsage
from appliance.sip.dialog.subscriber import SubscriberUsage
from appliance.sip.dialog.subscription import Lifetime
from appliance.sip.message import SIPFRAG, Event, NameAddr, ReferTo, StatusFragment

if TYPE_CHECKING:
    from appliance.sip.dialog.notifier import NotifierEffect
    from appliance.sip.dialog.subscriber import SubscriberEffect
    from appliance.sip.message import Request, Response, SubscriptionState

LASTS = 300
"Seconds that a REFER's subscription lasts (§2.4.4: ours to choose): longer than a phone rings (timer C, 180 s)."
_LIFETIME = Lifetime(least=30, usual=LASTS, most=LASTS)


@dataclass(frozen=True, slots=True)
class ReferRequest:
    """What a REFER says."""

    refer_to: ReferTo
    referred_by: str | None
    "Who says that they sent it, as written; whoever is called may be told so (RFC 3892 §2.2)."
    event: Event
    "The name of its subscription."
    subscribes: bool
    "Whether the sender wants to be told how it goes (RFC 4488 §4)."

    @classmethod
    def of_request(cls, request: Request) -> ReferRequest:
        """Read a REFER. PeerError 400 when it cannot be read, or names none or several targets."""
        # §2.4.6: the CSeq number tells several REFERs of one dialog apart.
        return cls(
            ReferTo.of_request(request),
            _referred_by(request),
            Event.of("refer", str(request.cseq.number)),
            not _declines(request),
        )


def _referred_by(request: Request) -> str | None:
    values = request.headers.get_all("Referred-By")
    if len(values) > 1:
        raise PeerError(400, "Invalid Referred-By")
    if not values:
        return None
    NameAddr.parse(values[0], "Referred-By")
    return values[0]


def _declines(message: Request | Response) -> bool:
    """RFC 4488 §4: `Refer-Sub: false`, with parameters or without."""
    value = message.headers.get("Refer-Sub") or ""
    return value.partition(";")[0].strip(" \t").lower() == "false"


class Referral:
    """A REFER that we carry out, and the subscription of its sender. Each NOTIFY says the newest status."""

    content_type = f"{SIPFRAG};version=2.0"

    __slots__ = ("_told", "request", "usage")

    def __init__(self, request: ReferRequest) -> None:
        self.request = request
        self.usage = NotifierUsage(_LIFETIME)
        # §2.4.4: a NOTIFY follows at once, and before anything is known it says 100.
        self._told = StatusFragment.of(100)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the 202 to the REFER says. RFC 4488 §4: that nothing will be told, if that is so."""
        return () if self.request.subscribes else (("Refer-Sub", "false"),)

    @property
    def body(self) -> bytes:
        """What a NOTIFY says now."""
        return self._told.encode()

    def accept(self, now: float) -> list[NotifierEffect]:
        """Take it on. §2.4.2: `Accept` is a 202 with `headers`; how long it lasts stands in the NOTIFYs alone."""
        if self.request.subscribes:
            return self.usage.subscribe(None, now)
        return [Accept(0), *self.usage.end()]

    def progress(self, status: int, now: float, reason: str | None = None) -> list[NotifierEffect]:
        """The call that was asked for got this response, 100 to 699. After a final one nothing more is told."""
        if self.usage.state is NotifierState.TERMINATED:
            return []
        self._told = StatusFragment.of(status, reason)
        # §2.4.7: the final status ends the subscription.
        return self.usage.changed(now) if status < 200 else self.usage.terminate("noresource", now)


@dataclass(frozen=True, slots=True)
class ReferredTo:
    """The peer tells how our REFER goes."""

    status: int
    "100 to 699; from 200 on it is the last word."
    reason: str


class ReferSent:
    """A REFER of ours, and what we hear of it. Its `usage` starts when the REFER goes out."""

    __slots__ = ("_final", "usage")

    def __init__(self) -> None:
        self.usage = SubscriberUsage.implicit(LASTS)
        self._final = False

    def receive_final(self, response: Response | None, now: float) -> list[SubscriberEffect]:
        """The REFER's final response; None for none."""
        if response is None:
            return self.usage.receive_final(408, now, 0.0)
        if response.status < 300 and _declines(response):
            return self.usage.end()
        return self.usage.receive_final(response.status, now, 0.0)

    def notified(
        self, said: SubscriptionState, body: bytes, now: float
    ) -> list[ReferredTo | SubscriberEffect]:
        """A NOTIFY came. PeerError 481 when there is no subscription any more, 400 when it says nothing."""
        if said.state == "terminated" and not body:
            return [*self.usage.notified(said, now, 0.0)]  # against §2.4.5, but an end all the same
        fragment = StatusFragment.parse(body)
        effects = self.usage.notified(said, now, 0.0)
        # A final status counts once, and nothing that comes after it.
        news = [] if self._final else [ReferredTo(fragment.status, fragment.reason)]
        self._final = self._final or fragment.status >= 200
        return [*news, *effects]
