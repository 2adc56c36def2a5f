"""The notifier's end of one subscription: when a NOTIFY goes out, and what it says of the subscription.

RFC 6665 §4.2.

    SUBSCRIBE came, allowed     NotifierUsage(lifetime), then `subscribe` -> Accept, ..., SendNotify
    it came again in its dialog `subscribe`; Expires: 0 ends the subscription
    the state has changed       `changed`
    the NOTIFY was answered     `answered`, with 408 for no answer
    we end it                   `terminate`

One NOTIFY is under way at a time: what changes meanwhile goes into the next one, whatever its number. So does what changes
sooner after a NOTIFY than the package's pace allows.
"""

from __future__ import annotations

__all__ = ["Accept", "NotifierEffect", "NotifierState", "NotifierUsage", "SendNotify"]

from dataclasses import dataclass
from enum import Enum

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog.subscription import Ended, Lifetime, StartTimer, StopTimer, SubscriptionTimer
from appliance.sip.message import SubscriptionState


class NotifierState(Enum):
    """The states of §4.2."""

    PENDING = "pending"
    "Somebody has yet to allow it; NOTIFYs show nothing of the state."
    ACTIVE = "active"
    TERMINATED = "terminated"
    "The last NOTIFY goes out, or has gone."


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer the SUBSCRIBE with a 2xx that has this Expires. §4.2.1.2: before any NOTIFY."""

    expires: int


@dataclass(frozen=True, slots=True)
class SendNotify:
    """Send a NOTIFY in the dialog, with what the state is now."""

    state: SubscriptionState
    full: bool
    "Whether it must say everything: the subscriber may have nothing that a change could be told against."


NotifierEffect = Accept | SendNotify | StartTimer | StopTimer | Ended


class _Sending(Enum):
    IDLE = "idle"
    OPEN = "open"
    "A NOTIFY waits for its answer."
    PAUSED = "paused"
    "The subscriber asked for a pause."


# §4.2.2, RFC 5057 §5: these end the subscription, or the dialog with it, whatever else they say.
_FATAL = frozenset({404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})
# A subscriber that wants a longer pause has no use for lamps; it may subscribe again.
MAX_PAUSE = 120


class NotifierUsage:
    """The machine."""

    __slots__ = (
        "_dirty",
        "_end",
        "_expires_at",
        "_full",
        "_lifetime",
        "_pace",
        "_paced",
        "_sending",
        "_sent_at",
        "state",
    )

    def __init__(self, lifetime: Lifetime, *, pending: bool = False, pace: float = 0.0) -> None:
        """`pace`: the seconds from a NOTIFY to the next that only tells of a change, at least."""
        self._pace = pace
        self._paced = False  # a change waits for its time
        self._sent_at = -pace
        self.state = NotifierState.PENDING if pending else NotifierState.ACTIVE
        self._lifetime = lifetime
        self._expires_at = 0.0
        self._end = SubscriptionState.terminated("noresource")  # what the last NOTIFY says
        self._sending = _Sending.IDLE
        self._dirty = False  # something is to be told that the open NOTIFY does not say
        self._full = True

    def subscribe(self, wanted: int | None, now: float) -> list[NotifierEffect]:
        """The first SUBSCRIBE, or one in its dialog. PeerError 423, or 481 when it is over."""
        if self.state is NotifierState.TERMINATED:
            raise PeerError(481, "Subscription Does Not Exist")
        granted = self._lifetime.grant(wanted)
        self._expires_at = now + granted
        self._full = True
        # §4.2.1.2: a NOTIFY follows every SUBSCRIBE that was accepted, at once, but never overtakes its 2xx.
        if granted == 0:
            return [Accept(0), *self.terminate("timeout", now)]
        return [Accept(granted), StartTimer(SubscriptionTimer.EXPIRY, granted), *self._notify(now)]

    def activate(self, now: float) -> list[NotifierEffect]:
        """It was allowed. LocalError unless it was pending."""
        if self.state is not NotifierState.PENDING:
            message = f"activate in state {self.state.value}"
            raise LocalError(message)
        self.state = NotifierState.ACTIVE
        self._full = True
        return self._notify(now)

    def changed(self, now: float) -> list[NotifierEffect]:
        """What is subscribed to has changed."""
        # §4.2.1.3: while it is pending nothing may be told, nor once it is over.
        return self._tell(now) if self.state is NotifierState.ACTIVE else []

    def _tell(self, now: float) -> list[NotifierEffect]:
        """Send a NOTIFY for a change, as soon as the pace allows."""
        wait = self._sent_at + self._pace - now
        if self._sending is not _Sending.IDLE or wait <= 0:
            return self._notify(now)
        if self._paced:
            return []
        self._paced = True
        return [StartTimer(SubscriptionTimer.PACE, wait)]

    def terminate(self, reason: str, now: float, retry_after: int | None = None) -> list[NotifierEffect]:
        """End it, with a reason of §4.1.3: deactivated probation rejected timeout giveup noresource invariant."""
        if self.state is NotifierState.TERMINATED:
            return []
        self.state = NotifierState.TERMINATED
        self._end = SubscriptionState.terminated(reason, retry_after)
        stops: list[NotifierEffect] = [StopTimer(SubscriptionTimer.EXPIRY)]
        if self._sending is _Sending.PAUSED:
            self._sending = _Sending.IDLE  # the pause was for a subscription that goes on
            stops.append(StopTimer(SubscriptionTimer.RETRY))
        return [*stops, *self._notify(now)]

    def _notify(self, now: float) -> list[NotifierEffect]:
        if self._sending is not _Sending.IDLE:
            self._dirty = True
            return []
        full, self._full, self._dirty = self._full, False, False
        self._sending = _Sending.OPEN
        self._sent_at = now
        return [*self._stop_pacing(), SendNotify(self._say(now), full)]

    def _stop_pacing(self) -> list[NotifierEffect]:
        paced, self._paced = self._paced, False
        return [StopTimer(SubscriptionTimer.PACE)] if paced else []

    def _say(self, now: float) -> SubscriptionState:
        if self.state is NotifierState.TERMINATED:
            return self._end
        return SubscriptionState.lasting(self.state.value, max(0, round(self._expires_at - now)))

    def answered(self, status: int, now: float, retry_after: int | None = None) -> list[NotifierEffect]:
        """The final response to the NOTIFY; 408 for none, or for one that could not be sent."""
        if self._sending is not _Sending.OPEN:
            message = f"answered in state {self.state.value}, {self._sending.value}"
            raise LocalError(message)
        self._sending = _Sending.IDLE
        if status >= 300:
            return self._refused(status, retry_after)
        if self._dirty:
            # §4.2.1.2: what answers a SUBSCRIBE, or is the last word, does not wait for the pace.
            hurried = self._full or self.state is NotifierState.TERMINATED
            return self._notify(now) if hurried else self._tell(now)
        return [Ended()] if self.state is NotifierState.TERMINATED else []

    def _refused(self, status: int, retry_after: int | None) -> list[NotifierEffect]:
        # §4.2.2: a NOTIFY that fails ends the subscription, unless the answer says when to try again.
        lives = self.state is not NotifierState.TERMINATED and status not in _FATAL
        if not lives or retry_after is None or retry_after > MAX_PAUSE:
            return self.end()
        self._sending = _Sending.PAUSED
        self._dirty = self._full = True
        return [StartTimer(SubscriptionTimer.RETRY, retry_after)]

    def fired(self, timer: SubscriptionTimer, now: float) -> list[NotifierEffect]:
        """A timer has run out. One that is not expected any more does nothing."""
        if timer is SubscriptionTimer.EXPIRY:
            # §4.2.1.4: without a refresh it ends, and the subscriber is told.
            return self.terminate("timeout", now)
        if timer is SubscriptionTimer.RETRY and self._sending is _Sending.PAUSED:
            self._sending = _Sending.IDLE
            return self._notify(now)
        if timer is SubscriptionTimer.PACE and self._paced:
            self._paced = False
            return self._notify(now)
        return []

    def end(self) -> list[NotifierEffect]:
        """It is over without a word: the dialog is gone, or the subscriber."""
        self.state = NotifierState.TERMINATED
        self._sending = _Sending.IDLE
        stops = [StopTimer(SubscriptionTimer.EXPIRY), StopTimer(SubscriptionTimer.RETRY)]
        return [*stops, *self._stop_pacing(), Ended()]
