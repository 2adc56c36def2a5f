"""Ringing: all phones of an extension at once, until one answers or none is left.

RFC 3261 §16.6, §16.7 (the best response); RFC 3326 ("Call completed elsewhere").
"""

from __future__ import annotations

__all__ = ["Ringing", "best_of"]

from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending, ending_of
from appliance.call.events import HungUp
from appliance.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance.call.destination import Destination
    from appliance.call.router import Plan
    from appliance.call.sip_leg_outbound import OutboundLeg
    from appliance.clock import Timer, Timers


SIGN_OF_LIFE = 6.0
"""Seconds until the next destination is asked when the one before has said nothing, not even 100: four tries over UDP, where
timer B (RFC 3261 §17.1.1.2) would have the caller wait for 32 s."""


class Ringing:
    """The callee's legs until the answer. What it gives back is for the call to act on."""

    __slots__ = ("_failures", "_number", "_timers", "legs")

    def __init__(self) -> None:
        self._failures: list[HungUp] = []
        self._number = ""  # whose plan it is: an extension's or a group's
        self._timers: list[Timer] = []
        self.legs: list[OutboundLeg] = []
        "Those that still ring."

    def start(self, plan: Plan, dial: Callable[[Destination], OutboundLeg]) -> HungUp | None:
        """Ring all targets of the plan; gives the best failure when none can be rung.

        `dial` may raise PeerError, which counts as that phone's answer.
        """
        self._number = plan.number
        for target in plan.targets:
            try:
                self.legs.append(dial(target))
            except PeerError as failure:
                self._failures.append(HungUp(ending_of(failure.status, failure.reason)))
        return None if self.legs else best_of(self._failures)

    def limit(self, timers: Timers, plan: Plan, time_out: Callable[[HungUp], None]) -> None:
        """Ring for as long as the plan says at most; then `time_out` gets to hear that nobody answers."""

        def stop() -> None:
            no_answer = HungUp(Ending.of(Cause.NO_ANSWER))
            self._stop_ringing(no_answer)
            time_out(no_answer)

        self._timers = [timers.after(plan.ring_seconds, stop)]
        if plan.otherwise is not None and Cause.UNREACHABLE in plan.fail_over_on:
            self._timers.append(timers.after(SIGN_OF_LIFE, self._give_up_silent))

    def _give_up_silent(self) -> None:
        for leg in [leg for leg in self.legs if leg.silent]:
            leg.abandon(Cause.UNREACHABLE)

    def answered(self, leg: OutboundLeg) -> None:
        """One has picked up: the others ring no more."""
        self.legs.remove(leg)
        self._stop_ringing(HungUp(Ending.of(Cause.ELSEWHERE)))

    def failed(self, leg: OutboundLeg, event: HungUp) -> HungUp | None:
        """One has failed; gives the best failure when it was the last."""
        self.legs.remove(leg)
        self._failures.append(event)
        # §16.7 step 5: a 6xx speaks for all phones of its number: they are cancelled. The rest of a group rings on. So
        # does one that sends its extension's call to another number: whoever presses "divert" wants it to be there now.
        moves = event.moved_to != "" and leg.number == self._number
        if event.ending.status >= 600 or moves:
            self._cancel(event, [each for each in self.legs if each.number == leg.number])
        return None if self.legs else best_of(self._failures)

    def _cancel(self, event: HungUp, legs: list[OutboundLeg]) -> None:
        self.legs = [each for each in self.legs if each not in legs]
        for leg in legs:
            leg.hang_up(HungUp(event.ending))

    def stop(self) -> list[OutboundLeg]:
        """Wait no more. Gives the legs that still ring, for the caller of this to hang up."""
        for timer in self._timers:
            timer.cancel()
        self._timers = []
        legs, self.legs = self.legs, []
        return legs

    def _stop_ringing(self, event: HungUp) -> None:
        for leg in self.stop():
            leg.hang_up(event)


# Which of the 4xx tells the caller most, best first: somebody is there, then somebody might be.
_TELLING = (486, 480, 488, 404)


def best_of(failures: Iterable[HungUp]) -> HungUp:
    """§16.7 step 6: a 6xx if there is one, else one of the lowest class, which is that of a phone that sends it on."""
    return min(failures, key=_rank)


def _rank(failure: HungUp) -> tuple[int, int]:
    status = failure.ending.status
    if status >= 600:
        return 0, status
    if failure.moved_to:
        return 3, status
    # A phone that gave no sign of life is outdone by any answer.
    if failure.ending.cause is Cause.UNREACHABLE:
        return 9, status
    order = _TELLING.index(status) if status in _TELLING else len(_TELLING)
    return status // 100, order
