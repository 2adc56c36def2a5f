"""The subscriber's end of one subscription: SUBSCRIBE, refresh, and what to do when it ends.

RFC 6665 §4.1.

    begin                       SubscriberUsage(wanted), then `start` -> SendSubscribe
    the SUBSCRIBE was answered  `receive_final`, with 408 for no answer
    a NOTIFY came               `notified`; then answer it with 200
    we end it                   `unsubscribe`

A REFER's subscription has no SUBSCRIBE of its own: `SubscriberUsage.implicit`; it is not refreshed, and what
ends it ends it for good.
"""

from __future__ import annotations

__all__ = ["Over", "Resting", "SendSubscribe", "SubscriberEffect", "SubscriberState", "SubscriberUsage"]

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog.subscription import StartTimer, StopTimer, SubscriptionTimer
from appliance.sip.transaction.timers import LIFETIME

if TYPE_CHECKING:
    from appliance.sip.message import SubscriptionState


class SubscriberState(Enum):
    """The states of §4.1.2, and RESTING between two tries."""

    NEW = "new"
    WAITING = "waiting"
    "A SUBSCRIBE is out; no NOTIFY has come yet (notify_wait)."
    PENDING = "pending"
    ACTIVE = "active"
    RESTING = "resting"
    "It is over; another one begins after a while."
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class SendSubscribe:
    """Send a SUBSCRIBE with this Expires."""

    expires: int
    fresh: bool
    "Whether it begins a new dialog: with a Call-ID and a From tag of its own."


@dataclass(frozen=True, slots=True)
class Resting:
    """This subscription is over, and its dialog with it; another one will be tried."""

    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """It is over for good. Its timers are stopped."""

    reason: str
    "A reason of §4.1.3 as the notifier said it, the status of a refused SUBSCRIBE, or `silence`; empty: our own wish."


SubscriberEffect = SendSubscribe | StartTimer | StopTimer | Resting | Over

_S, _T = SubscriberState, SubscriptionTimer
_ALIVE = frozenset({_S.WAITING, _S.PENDING, _S.ACTIVE})
# §4.1.3: SHOULD NOT, or MUST NOT, subscribe again.
_FOR_GOOD = frozenset({"rejected", "noresource", "invariant"})
# §4.1.3: again at once; everything else, known or not, after a while.
_AT_ONCE = frozenset({"deactivated", "timeout"})
# §4.1.2.2: what ends the subscription when a refresh gets it; any other refusal leaves it until it expires.
_FATAL = frozenset({404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})
# Refusals of a first SUBSCRIBE that say something of the moment and not of the wish.
_PASSING = frozenset({408, 480, 481, 500, 502, 503, 504})


class SubscriberUsage:
    """The machine."""

    # Seconds. The second try comes after FIRST_PAUSE at the most, and each next one after twice as long. A
    # subscription that stood for STEADY is no failure: RFC 6665 has no figures, so these are RFC 5626's (§4.5).
    FIRST_PAUSE, LONGEST_PAUSE, STEADY = 30.0, 1800.0, 120.0
    # Refresh so long before the end that a SUBSCRIBE may be lost until its transaction gives up, twice.
    MARGIN = 2 * LIFETIME

    __slots__ = (
        "_expiring", "_implicit", "_leaving", "_left", "_open", "_raised", "_since", "_tries", "_wanted",
        "state",
    )  # fmt: skip

    def __init__(self, wanted: int, *, implicit: bool = False) -> None:
        self.state = SubscriberState.NEW
        self._wanted = wanted
        self._implicit = implicit
        self._leaving = False
        self._left = False  # the SUBSCRIBE that ends it is out
        self._open = False  # a SUBSCRIBE waits for its final response
        self._raised = False  # a 423 was obeyed once
        self._expiring = False  # we know when it expires
        self._tries = 0
        self._since = 0.0

    @classmethod
    def implicit(cls, wanted: int) -> SubscriberUsage:
        """The subscription that our REFER makes; `wanted`: seconds it lasts if the notifier says nothing."""
        return cls(wanted, implicit=True)

    def start(self, now: float) -> list[SubscriberEffect]:
        """Begin. For an implicit one: the REFER goes out. LocalError when it has begun already."""
        if self.state is not SubscriberState.NEW:
            message = f"start in state {self.state.value}"
            raise LocalError(message)
        return self._begin(now)

    def _begin(self, now: float) -> list[SubscriberEffect]:
        self.state = SubscriberState.WAITING
        self._since = now
        self._open = True
        self._expiring = self._raised = False
        # §4.1.2.4: Timer N runs from the SUBSCRIBE on, for a NOTIFY may come by itself or not at all.
        wait = StartTimer(_T.N, LIFETIME)
        return [wait] if self._implicit else [SendSubscribe(self._wanted, fresh=True), wait]

    # --- what the notifier answers

    def receive_final(
        self,
        status: int,
        now: float,
        random: float,
        *,
        expires: int | None = None,
        wait: int | None = None,
    ) -> list[SubscriberEffect]:
        """The final response to our SUBSCRIBE or REFER; 408 for none.

        `expires` is the Expires of a 2xx or the Min-Expires of a 423, `wait` the Retry-After.
        """
        if not self._open or self.state not in _ALIVE:
            return []  # too late: what it was about is over
        self._open = False
        if status < 300:
            return self._accepted(expires)
        if self._leaving or self._implicit:
            return self._finish("" if self._leaving else str(status))
        if status == 423 and not self._raised and expires is not None and expires > self._wanted:
            return self._ask_for_longer(expires)
        refused = self._refused if self.state is SubscriberState.WAITING else self._refresh_refused
        return refused(status, now, random, wait)

    def _accepted(self, expires: int | None) -> list[SubscriberEffect]:
        if self._leaving and not self._left:
            return self._leave()
        if self._implicit or self._leaving:
            return []  # Timer N waits for the NOTIFY
        # §4.1.2.1: the notifier may shorten the interval, never lengthen it.
        return self._last(self._wanted if expires is None else min(expires, self._wanted))

    def _ask_for_longer(self, least: int) -> list[SubscriberEffect]:
        self._raised = self._open = True
        self._wanted = least
        fresh = self.state is SubscriberState.WAITING
        return [SendSubscribe(least, fresh), StartTimer(_T.N, LIFETIME)]

    def _refused(self, status: int, now: float, random: float, wait: int | None) -> list[SubscriberEffect]:
        if wait is None and status not in _PASSING:
            return self._finish(str(status))
        return self._lose(str(status), now, wait, random)

    def _refresh_refused(
        self, status: int, now: float, random: float, wait: int | None
    ) -> list[SubscriberEffect]:
        if status in _FATAL:
            return self._lose(str(status), now, 0.0 if wait is None else wait, random)
        # §4.1.2.2: it stands until it expires; there may be time for another try.
        return [StopTimer(_T.N), StartTimer(_T.REFRESH, self._pause(random) if wait is None else wait)]

    def _last(self, seconds: int) -> list[SubscriberEffect]:
        """It expires after so many seconds."""
        self._expiring = True
        effects: list[SubscriberEffect] = [StartTimer(_T.EXPIRY, seconds)]
        if not self._implicit and seconds > 0:
            effects.append(StartTimer(_T.REFRESH, max(seconds / 2, seconds - self.MARGIN)))
        return effects

    # --- what it notifies

    def notified(self, said: SubscriptionState, now: float, random: float) -> list[SubscriberEffect]:
        """A NOTIFY came. PeerError 481 when there is no subscription any more."""
        if self.state not in _ALIVE:
            raise PeerError(481, "Subscription Does Not Exist")
        if said.state == "terminated":
            return self._terminated(said, now, random)
        # §4.1.3: a state that we do not know counts as pending.
        self.state = SubscriberState.ACTIVE if said.state == "active" else SubscriberState.PENDING
        if self._leaving:
            return []  # only the last NOTIFY counts
        effects: list[SubscriberEffect] = [StopTimer(_T.N)]
        # §4.1.3: the NOTIFY's own figure is the true one.
        if said.expires is not None:
            effects += self._last(min(said.expires, self._wanted))
        elif not self._expiring:
            effects += self._last(self._wanted)
        return effects

    def _terminated(self, said: SubscriptionState, now: float, random: float) -> list[SubscriberEffect]:
        reason = said.reason or ""
        if self._leaving or self._implicit or reason in _FOR_GOOD:
            return self._finish(reason)
        # §4.1.3: retry-after means nothing beside these two.
        return self._lose(reason, now, 0.0 if reason in _AT_ONCE else said.retry_after, random)

    # --- what we want, and the end

    def unsubscribe(self) -> list[SubscriberEffect]:
        """We want it no more. It is over when `Over` says so; at once when nothing stands."""
        if self._leaving or self.state is SubscriberState.TERMINATED:
            return []
        self._leaving = True
        if self.state not in _ALIVE:
            return self._finish("")
        # One SUBSCRIBE at a time: its answer lets the next one go.
        return [StopTimer(_T.REFRESH)] if self._open else self._leave()

    def _leave(self) -> list[SubscriberEffect]:
        # §4.1.2.3: unsubscribing is a SUBSCRIBE with Expires 0, and a last NOTIFY follows it.
        self._open = self._left = True
        return [StopTimer(_T.REFRESH), SendSubscribe(0, fresh=False), StartTimer(_T.N, LIFETIME)]

    def fired(self, timer: SubscriptionTimer, now: float, random: float) -> list[SubscriberEffect]:
        """A timer has run out. One that is not expected any more does nothing."""
        if self.state is SubscriberState.RESTING:
            return self._begin(now) if timer is _T.AGAIN else []
        if self.state not in _ALIVE:
            return []
        match timer:
            case SubscriptionTimer.REFRESH if not self._open and not self._leaving:
                self._open = True
                self._raised = False
                return [SendSubscribe(self._wanted, fresh=False), StartTimer(_T.N, LIFETIME)]
            case SubscriptionTimer.EXPIRY | SubscriptionTimer.N:
                # §4.1.2.4: without a NOTIFY there is no subscription, whatever the SUBSCRIBE got.
                if self._leaving or self._implicit:
                    return self._finish("" if self._leaving else "silence")
                at_once = self.state is not SubscriberState.WAITING
                return self._lose("silence", now, 0.0 if at_once else None, random)
            case _:
                return []

    def _lose(self, reason: str, now: float, wait: float | None, random: float) -> list[SubscriberEffect]:
        """It is over, but not for good: begin anew after `wait` seconds, or as long as seems wise."""
        if now - self._since >= self.STEADY:
            self._tries = 0
        # A notifier that ends it again and again, and each time wants us back at once, is not obeyed.
        delay = self._pause(random) if wait is None or (wait == 0.0 and self._tries) else wait
        self._tries += 1
        self._open = False
        self.state = SubscriberState.RESTING
        return [*self._stops(), Resting(reason), StartTimer(_T.AGAIN, delay)]

    def _pause(self, random: float) -> float:
        # RFC 5626 §4.5: between half of it and the whole, so that phones do not come back all at once.
        ceiling = min(self.FIRST_PAUSE * 2.0 ** min(self._tries, 10), self.LONGEST_PAUSE)
        return ceiling * (1 + random) / 2

    def _finish(self, reason: str) -> list[SubscriberEffect]:
        self.state = SubscriberState.TERMINATED
        return [*self._stops(), Over(reason)]

    def end(self) -> list[SubscriberEffect]:
        """It is over without a word: the dialog is gone."""
        return [] if self.state is SubscriberState.TERMINATED else self._finish("")

    def _stops(self) -> list[SubscriberEffect]:
        return [StopTimer(timer) for timer in (_T.N, _T.REFRESH, _T.EXPIRY, _T.AGAIN)]
