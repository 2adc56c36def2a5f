"""What a call tries, one plan after the other, and what it occupies meanwhile: an extension, a line or a trunk."""

from __future__ import annotations

__all__ = ["Occupied", "Trying"]

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from appliance.call.cause import Cause

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.events import HungUp
    from appliance.call.router import Plan
    from appliance.lines.refusal import Refusal


class Occupied(Protocol):
    """Whoever counts the calls of extensions, lines and trunks: the exchange."""

    def has_room(self, plan: Plan) -> bool:
        """Whether a plan's line or trunk takes one call more."""

    def engage(self, call: Call, name: str) -> None:
        """A call occupies an extension, or a line or trunk, named as in routes."""

    def release(self, call: Call, name: str) -> None:
        """It does so no more."""


class Trying:
    """Of one call."""

    __slots__ = ("_occupied", "_occupies", "_plan", "_tried_less", "way_out")

    def __init__(self, occupied: Occupied) -> None:
        self._occupied = occupied
        self._occupies = ""
        self._plan: Plan | None = None  # what is being tried
        self._tried_less = False  # whether one way out was tried once more without a feature
        self.way_out = ""
        "The line or trunk that the call leaves by, or tried last; empty: it does not leave."

    def begin(self, call: Call, plan: Plan) -> None:
        """This is tried now."""
        self._plan, self.way_out = plan, plan.way_out
        self._occupy(call, plan.way_out or plan.number)

    def end(self, call: Call) -> None:
        """Nothing is tried any more, nor is anybody talked to."""
        self._plan = None
        self._occupy(call, "")

    def after(self, call: Call, event: HungUp, *, unheard: bool) -> Plan | None:
        """What to try after a failure: the same in a simpler way if that was `unheard`, or what comes next and has room."""
        plan, cause = self._plan, event.ending.cause
        self.end(call)
        if plan is not None and event.refusal is not None:
            lesser = self._without_what_hurt(plan, event.refusal, unheard=unheard)
            if lesser is not None:
                return lesser
        while plan is not None and plan.otherwise is not None and cause in plan.fail_over_on:
            plan = plan.otherwise
            if self._occupied.has_room(plan):
                return plan
            cause = Cause.LINE_FULL  # by now: when the plan was made it had room
        return None

    def _without_what_hurt(self, plan: Plan, refusal: Refusal, *, unheard: bool) -> Plan | None:
        """The same once more without an optional feature that explains the failure: once a call."""
        if len(plan.targets) != 1:
            return None
        target = plan.targets[0]
        may_retry = unheard and not self._tried_less
        way = None if target.way_out is None else target.way_out.after(refusal, unheard=may_retry)
        if way is None:
            return None
        self._tried_less = True
        return replace(plan, targets=[replace(target, uri=way.uri(target.number), way_out=way)])

    def _occupy(self, call: Call, name: str) -> None:
        before, self._occupies = self._occupies, name
        if before:
            self._occupied.release(call, before)
        if name:
            self._occupied.engage(call, name)
