"""Ringing: all phones of an extension at once, until one answers or none is left.

RFC 3261 §16.6, §16.7 (the best response); RFC 3326 ("Call completed elsewhere").
"""

from __future__ import annotations

__all__ = ["Ringing", "best_of"]

from typing import TYPE_CHECKING, Protocol

from appliance.call.cause import Cause, Ending, ending_of
from appliance.call.events import Answered, Asked, HungUp, Progress, Updated
from appliance.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance.call.events import Event
    from appliance.call.router import Plan
    from appliance.call.sip_leg_outbound import OutboundLeg
    from appliance.clock import Timer, Timers
    from appliance.directory.bindings import Binding


class Listener(Protocol):
    """Who waits for somebody to answer: the call."""

    def rang(self, leg: OutboundLeg, event: Progress) -> None: ...
    def picked_up(self, leg: OutboundLeg, event: Answered) -> None: ...
    def nobody(self, event: HungUp) -> None: ...
    def asked_early(self, leg: OutboundLeg, event: Updated | Asked) -> None: ...


class Ringing:
    """The callee's legs until the answer."""

    __slots__ = ("_failures", "_listener", "_timer", "legs")

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._failures: list[HungUp] = []
        self._timer: Timer | None = None
        self.legs: list[OutboundLeg] = []
        "Those that still ring."

    def start(self, plan: Plan, dial: Callable[[Binding], OutboundLeg], timers: Timers) -> None:
        """Ring all targets of the plan. `dial` may raise PeerError, which
        counts as that phone's answer."""
        for target in plan.targets:
            try:
                leg = dial(target)
            except PeerError as failure:
                self._failures.append(HungUp(ending_of(failure.status, failure.reason)))
            else:
                self.legs.append(leg)
        if self.legs:
            self._timer = timers.after(plan.ring_seconds, self._time_out)
        else:
            self._listener.nobody(best_of(self._failures))

    def receive(self, leg: OutboundLeg, event: Event) -> None:
        """What one of the phones says."""
        match event:
            case Progress():
                self._listener.rang(leg, event)
            case Answered():
                self.legs.remove(leg)
                self._stop_ringing(HungUp(Ending.of(Cause.ELSEWHERE)))
                self._listener.picked_up(leg, event)
            case HungUp():
                self._failed(leg, event)
            case Updated() | Asked():
                self._listener.asked_early(leg, event)
            case _:
                pass  # a leg that is not answered has nothing else to say

    def stop(self) -> list[OutboundLeg]:
        """Wait no more. Gives the legs that still ring, for the caller of this to hang up."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        legs, self.legs = self.legs, []
        return legs

    def _stop_ringing(self, event: HungUp) -> None:
        for leg in self.stop():
            leg.hang_up(event)

    def _failed(self, leg: OutboundLeg, event: HungUp) -> None:
        self.legs.remove(leg)
        self._failures.append(event)
        # §16.7 step 5: a 6xx speaks for all phones: the others are cancelled.
        if event.ending.status >= 600:
            self._stop_ringing(HungUp(event.ending))
        if not self.legs:
            best = best_of(self._failures)
            self.stop()
            self._listener.nobody(best)

    def _time_out(self) -> None:
        self._timer = None
        no_answer = HungUp(Ending.of(Cause.NO_ANSWER))
        self._stop_ringing(no_answer)
        self._listener.nobody(no_answer)


# Which of the 4xx tells the caller most, best first: somebody is there, then somebody might be.
_TELLING = (486, 480, 488, 404)


def best_of(failures: Iterable[HungUp]) -> HungUp:
    """§16.7 step 6: a 6xx if there is one, else one of the lowest class."""
    return min(failures, key=_rank)


def _rank(failure: HungUp) -> tuple[int, int]:
    status = failure.ending.status
    if status >= 600:
        return 0, status
    # A phone that gave no sign of life is outdone by any answer.
    if failure.ending.cause is Cause.UNREACHABLE:
        return 9, status
    order = _TELLING.index(status) if status in _TELLING else len(_TELLING)
    return status // 100, order
