"""What a call tries, one plan after the other, and what it occupies meanwhile: extensions, a line or a trunk."""

from __future__ import annotations

__all__ = ["Occupied", "Trying"]

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from appliance.call.cause import Cause, Ending
from appliance.call.decision import ToExtension
from appliance.call.events import HungUp
from appliance.call.inbound import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.call.call import Call
    from appliance.call.events import Diverted
    from appliance.call.router import Plan
    from appliance.call.sip_leg import SipLeg
    from appliance.lines.refusal import Refusal


class Occupied(Protocol):
    """Whoever counts the calls of extensions, lines and trunks: the exchange."""

    def has_room(self, plan: Plan) -> bool:
        """Whether a plan's line or trunk takes one call more."""

    def engage(self, call: Call, name: str) -> None:
        """A call occupies an extension, or a line or trunk, named as in routes."""

    def release(self, call: Call, name: str) -> None:
        """It does so no more."""

    def onward(self, plan: Plan, event: HungUp) -> Plan | None:
        """What a feature makes of a plan that failed; None: nothing. RefusedError when that cannot be."""


class Trying:
    """Of one call."""

    __slots__ = (
        *("_occupied", "_occupies", "_path", "_plan", "_rang_out", "_tried_less"),
        *("emergency", "steps", "way_out"),
    )

    def __init__(self, occupied: Occupied) -> None:
        self._occupied = occupied
        self._occupies: frozenset[str] = frozenset()
        self._plan: Plan | None = None  # what is being tried
        self._path: tuple[Diverted, ...] = ()  # that led to it
        self._rang_out = False  # whether somebody of a group has been rung in vain
        self._tried_less = False  # whether one way out was tried once more without a feature
        self.way_out = ""
        "The line or trunk that the call leaves by, or tried last; empty: it does not leave."
        self.emergency = False
        "Whether an emergency number was dialled."
        self.steps: tuple[Diverted, ...] = ()
        "How it was sent on so far."

    def begin(self, call: Call, plan: Plan) -> tuple[Diverted, ...]:
        """This is tried now. Gives the steps that led to it since the last one."""
        self._plan, self.way_out = plan, plan.way_out
        self.emergency = self.emergency or plan.emergency
        taken = self.take(plan.dialled.steps)
        self._occupy(call, plan.occupies)
        return taken

    def take(self, path: tuple[Diverted, ...]) -> tuple[Diverted, ...]:
        """The call has gone this way. Gives what is new of it: a second destination may begin where the first one did."""
        new = path[_common(path, self._path) :]
        self._path = path
        self.steps += new
        return new

    def settle(self, call: Call, leg: SipLeg) -> None:
        """One has answered: nobody else is busy with it any more."""
        self.way_out = leg.way
        self._occupy(call, frozenset((leg.occupies,)))

    def keep(self, call: Call, legs: Iterable[SipLeg]) -> None:
        """Of those who were rung only these are rung still."""
        self._occupy(call, self._occupies & frozenset(leg.occupies for leg in legs))

    def end(self, call: Call) -> None:
        """Nothing is tried any more, nor is anybody talked to."""
        self._plan = None
        self._occupy(call, frozenset())

    def after(self, call: Call, event: HungUp, *, unheard: bool) -> Plan | None:
        """What to try after a failure: the same in a simpler way if that was `unheard`, or what a feature says, or what
        comes next and has room. RefusedError when a feature sends it where it cannot go."""
        plan = self._plan
        self.end(call)
        if plan is None:
            return None
        if event.ending.status >= 600 and (last := _last_phone(plan)) is not None:
            # RFC 3261 §16.7 step 5: it speaks for those that would ring after it, and for those that rang in vain.
            plan, self._rang_out = last, False
        if event.refusal is not None:
            lesser = self._without_what_hurt(plan, event.refusal, unheard=unheard)
            if lesser is not None:
                return lesser
        while (onward := self._onward(plan, event)) is None:
            if plan.otherwise is None or event.ending.cause not in plan.fail_over_on:
                return None
            plan = plan.otherwise
            if self._occupied.has_room(plan):
                return plan
            event = HungUp(Ending.of(Cause.LINE_FULL))  # by now: when the plan was made it had room
        return onward

    def _onward(self, plan: Plan, event: HungUp) -> Plan | None:
        """What a feature says, and behind that what would come next anyway."""
        if event.moved_to and plan.asked is None and (last := _last_phone(plan)) is not None:
            return self._occupied.onward(last, event)
        comes_next = plan.otherwise is not None and event.ending.cause in plan.fail_over_on
        if plan.asked is None:
            self._rang_out = self._rang_out or event.ending.cause is Cause.NO_ANSWER
            return None
        if self._rang_out:
            # Of several rounds, one that rang says more than a last one that was busy.
            event, self._rang_out = HungUp(Ending.of(Cause.NO_ANSWER)), False
        try:
            onward = self._occupied.onward(plan, event)
        except RefusedError:
            if comes_next:
                return None
            raise
        if onward is None or plan.otherwise is None:
            return onward
        return onward.followed_by(plan.otherwise, plan.fail_over_on)

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

    def _occupy(self, call: Call, names: frozenset[str]) -> None:
        before, self._occupies = self._occupies, names
        for name in before - names:
            self._occupied.release(call, name)
        for name in names - before:
            self._occupied.engage(call, name)


def _common(path: tuple[Diverted, ...], other: tuple[Diverted, ...]) -> int:
    """How many of the first steps are the same."""
    same = 0
    for each, its in zip(path, other, strict=False):
        if each != its:
            break
        same += 1
    return same


def _last_phone(plan: Plan) -> Plan | None:
    """Of an extension's phones that ring in order the last one, whose failure is the extension's; None: it is no such plan."""
    last = plan
    while last.otherwise is not None and last.asked is None:
        last = last.otherwise
    of_extension = isinstance(last.asked, ToExtension) and last.asked.number == plan.number
    return last if of_extension else None
