"""From a number to a plan: whom to ring, by which way, for how long, and what to try next."""

from __future__ import annotations

__all__ = ["Phones", "Plan", "Router", "Surroundings"]

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, assert_never

import msgspec

from appliance.call.cause import Cause
from appliance.call.decision import (
    Decision,
    FromExtension,
    FromOutside,
    Refused,
    ToExtension,
    ToFeature,
    ToOutside,
)
from appliance.call.destination import Destination
from appliance.call.dial_plan import decide
from appliance.call.diversion import sent_on
from appliance.call.events import Diverted
from appliance.call.inbound import RefusedError
from appliance.call.outside import way_name
from appliance.call.routing_table import compile_table
from appliance.call.verdict import Failure, Forward, InOrder, NoServices, Refuse, Ring, Serve
from appliance.config.dial_plan import DialPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from appliance.call.decision import Caller
    from appliance.call.events import Dialled
    from appliance.call.outside import Outside
    from appliance.call.routing_table import RoutingTable
    from appliance.call.verdict import Round, Services, Target, Verdict
    from appliance.config.extension import Extension
    from appliance.directory.bindings import Binding
    from appliance.sip.message import Uri
    from appliance.sip.transport.flow import Flow

RING_OUTSIDE = 180.0
"Seconds that a number outside may ring: carriers give up by themselves, most after one minute, and some play to the caller."

NEXT_PEER = frozenset({Cause.UNREACHABLE, Cause.OVERLOAD, Cause.FAILED, Cause.LINE_DOWN, Cause.LINE_FULL})
"""After which a trunk's next peer is tried: what one server could not do, not what the number said. A trunk that is full is
so at every peer, but behind the last one comes the route's next destination."""

ANY = frozenset(Cause)
"Whatever one round of a group came to, the next one rings."

GONE = frozenset({Cause.LINE_DOWN, Cause.LINE_FULL})
"After which a route's next destination is always tried: nobody was asked yet."


class Whereabouts(Protocol):
    """Where an extension's phones are; `directory/bindings`."""

    def targets(self, number: str) -> list[Binding]: ...
    def is_at(self, number: str, flow: Flow) -> bool: ...
    def is_near(self, number: str, host: str) -> bool: ...


class Phones(Protocol):
    """Which URIs mean one phone of an extension; `directory/gruu`."""

    def meant_by(self, uri: Uri) -> tuple[str, str] | None:
        """The number and the phone's name; None for a URI that means no single one. PeerError 404."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about a call."""

    number: str
    "Who is rung."
    targets: Sequence[Destination]
    "All ring at once."
    ring_seconds: float
    "When nobody has answered by then, the caller is told so."
    dialled: Dialled
    "The call as those who are rung get to see it, with the steps that led to them."
    serve: Serve | None = None
    "The exchange itself takes the call; then nobody is rung."
    asked: Target | None = None
    "Whom the plan is for: the features are asked what comes next when it fails. None: nobody is to be asked."
    otherwise: Plan | None = None
    "What is tried next when this fails for one of the causes below."
    fail_over_on: frozenset[Cause] = frozenset()
    max_calls: int = 0
    "How many calls may go by its line or trunk at a time, this one counted; 0: as many as come."
    emergency: bool = False
    "No limit on calls holds it up."

    @property
    def way_out(self) -> str:
        """The line or trunk that it leaves by, named as in routes; empty for phones of ours."""
        ways = (target.way_out for target in self.targets)
        return next((way.name for way in ways if way is not None), "")

    @property
    def occupies(self) -> frozenset[str]:
        """The extensions, lines and trunks that are busy with it."""
        return frozenset(each.occupies for each in self.targets)

    def followed_by(self, then: Plan, causes: frozenset[Cause]) -> Plan:
        """The same with `then` after its last, when that fails for one of these causes."""
        if self.otherwise is None:
            return replace(self, otherwise=then, fail_over_on=causes)
        return replace(self, otherwise=self.otherwise.followed_by(then, causes))


@dataclass(slots=True)
class Surroundings:
    """What routing depends on beside the extensions. Whoever builds the exchange replaces what is not to be so."""

    table: RoutingTable
    local_now: Callable[[], datetime]
    outside: Outside | None = None
    calls_by: Callable[[str], int] = field(default=lambda _: 0)
    "How many calls there are by a line or trunk, named as in routes."


class Router:
    """Knows the numbering plan."""

    def __init__(
        self,
        find: Callable[[str], Extension | None],
        whereabouts: Whereabouts,
        local_now: Callable[[], datetime],
    ) -> None:
        """Knows extensions alone, until `around` is told of more."""
        self._find = find
        self._whereabouts = whereabouts
        self.services: Services = NoServices()
        "The features, for the owner to fill in."
        # An exchange without routes has no out prefix and no emergency numbers to care for.
        plain = DialPlan(out_prefix="", emergency=())
        self.around = Surroundings(compile_table((), plain, find, ()), local_now)

    def decide(self, number: str, caller: Caller, at: datetime) -> Decision:
        """Where a call would go, and why."""
        return decide(number, caller, at, self.around.table, self.services.claims)

    def is_emergency(self, dialled: Dialled) -> bool:
        """Whether somebody in the house has dialled an emergency number, which is no extension's."""
        number, table = dialled.to_number, self.around.table
        return not dialled.way_in and table.emergency_in(number) is not None and not table.rings(number)

    def route(self, dialled: Dialled) -> Plan:
        """The plan for this call; RefusedError when there can be none."""
        decision = self.decide(dialled.to_number, self._caller(dialled), self.around.local_now())
        outcome = decision.outcome
        if isinstance(outcome, Refused):
            raise RefusedError(outcome.cause, steps=dialled.steps)
        plan: Plan | None = None
        failure = RefusedError(Cause.NOT_FOUND, steps=dialled.steps)
        # From the last to the first, so that each plan knows what comes after it.
        for target in reversed(outcome.destinations):
            try:
                first = self._plan(target, dialled, emergency=outcome.emergency)
            except RefusedError as refused:
                if refused.ending.cause not in GONE | outcome.fail_over_on:
                    plan = None
                if plan is None:
                    failure = refused
            else:
                plan = first if plan is None else first.followed_by(plan, outcome.fail_over_on | GONE)
        if plan is None:
            raise failure
        return plan

    def phones_of(self, number: str, dialled: Dialled) -> Plan:
        """The plan to ring an extension's own phones, whatever the features would make of it. RefusedError."""
        return self._extension(number, dialled, emergency=False)

    def onward(self, plan: Plan, failure: Failure) -> Plan | None:
        """What a feature makes of a plan that failed; None: nothing. RefusedError when that cannot be."""
        if plan.asked is None:
            return None
        verdict = self.services.failed(plan.asked, failure, plan.dialled)
        return None if verdict is None else self._obey(verdict, plan.asked, plan.dialled)

    def _caller(self, dialled: Dialled) -> Caller:
        if dialled.payer is not None:
            return dialled.payer
        if dialled.way_in:
            return FromOutside(dialled.way_in)
        extension = self._find(dialled.from_number)
        return FromExtension(dialled.from_number, extension.level if extension is not None else 0)

    def _plan(self, target: Target, dialled: Dialled, *, emergency: bool) -> Plan:
        if emergency:
            return self._direct(target, dialled, emergency=True)
        verdict = self.services.reached(target, dialled)
        if verdict is not None and not isinstance(verdict, InOrder):
            return self._obey(verdict, target, dialled)
        try:
            plan = self._direct(target, dialled, emergency=False)
        except RefusedError as refused:
            onward = self.services.failed(target, Failure(refused.ending.cause), dialled)
            if onward is None:
                raise
            return self._obey(onward, target, dialled)
        return plan if verdict is None else _in_order(plan, verdict.seconds)

    def _obey(self, verdict: Verdict, target: Target, dialled: Dialled) -> Plan:
        """The plan by which a verdict is carried out; RefusedError when there can be none."""
        match verdict:
            case Forward():
                step = Diverted(
                    verdict.payer.number, verdict.name, verdict.to, verdict.reason, verdict.silent
                )
                return self.route(sent_on(dialled, step, verdict.payer))
            case Refuse(cause):
                onward = self.services.failed(target, Failure(cause), dialled)
                if onward is None or isinstance(onward, Refuse):
                    raise RefusedError(cause, steps=dialled.steps)
                return self._obey(onward, target, dialled)
            case Ring():
                return self._rounds(verdict, target, dialled)
            case InOrder(seconds):
                return _in_order(self._direct(target, dialled, emergency=False), seconds)
            case Serve():
                return Plan(dialled.to_number, (), 0.0, dialled, serve=verdict)
            case _:
                assert_never(verdict)

    def _rounds(self, ring: Ring, target: Target, dialled: Dialled) -> Plan:
        """One plan a round, each after the one before; RefusedError when nobody can be rung in any."""
        plan: Plan | None = None
        failure = RefusedError(Cause.NOT_REGISTERED, steps=dialled.steps)
        for each in reversed(ring.rounds):
            members = self._members(each, ring, dialled)
            if members:
                this = Plan(
                    *(dialled.to_number, [way for member in members for way in member.targets]),
                    *(each.seconds, dialled),
                    asked=target if plan is None else None,
                    max_calls=members[0].max_calls if len(members) == 1 else 0,
                )
                plan = this if plan is None else replace(this, otherwise=plan, fail_over_on=ANY)
        if plan is not None:
            return plan
        verdict = self.services.failed(target, Failure(failure.ending.cause), dialled)
        if verdict is None:
            raise failure
        return self._obey(verdict, target, dialled)

    def _members(self, this: Round, ring: Ring, dialled: Dialled) -> list[Plan]:
        """A plan for each member that can be rung."""
        found: list[Plan] = []
        for number in this.members:
            asking = msgspec.structs.replace(dialled, to_number=number, payer=ring.payer, phone="")
            plan = self._member(asking, ring.payer)
            # Those of one round leave all at once, by a line that may have room for one.
            if plan is not None and self._has_room_beside(plan, found):
                found.append(plan)
        return found

    def _member(self, asking: Dialled, payer: FromExtension) -> Plan | None:
        outcome = self.decide(asking.to_number, payer, self.around.local_now()).outcome
        for target in () if isinstance(outcome, Refused) else outcome.destinations:
            if self._rings(target, asking):
                with suppress(RefusedError):
                    return self._direct(target, asking, emergency=False)
        return None

    def _has_room_beside(self, plan: Plan, others: Sequence[Plan]) -> bool:
        beside = sum(each.way_out == plan.way_out for each in others)
        return not plan.max_calls or self.around.calls_by(plan.way_out) + beside < plan.max_calls

    def _rings(self, target: Target, asking: Dialled) -> bool:
        """Whether a member is rung as one: whoever sends calls on, or wants none, is not."""
        if isinstance(target, ToFeature):
            return False
        verdict = self.services.reached(target, asking)
        return verdict is None or isinstance(verdict, InOrder)

    def _direct(self, target: Target, dialled: Dialled, *, emergency: bool) -> Plan:
        match target:
            case ToExtension(number):
                return self._extension(number, dialled, emergency=emergency)
            case ToOutside():
                return self._outside(target, dialled, emergency=emergency)
            case ToFeature():
                raise RefusedError(Cause.NOT_FOUND, steps=dialled.steps)
            case _:
                assert_never(target)

    def _extension(self, number: str, dialled: Dialled, *, emergency: bool) -> Plan:
        extension = self._find(number)
        if extension is None or not extension.enabled:
            raise RefusedError(Cause.NOT_FOUND, steps=dialled.steps)
        # One's own phones are busy: with this call. Another one of them may be meant all the same.
        if number == dialled.from_number and not dialled.way_in and not dialled.phone:
            raise RefusedError(Cause.BUSY, steps=dialled.steps)
        targets = self._whereabouts.targets(number)
        if dialled.phone:
            targets = [target for target in targets if target.phone == dialled.phone]
        if not targets:
            raise RefusedError(Cause.NOT_REGISTERED, steps=dialled.steps)
        rung = [Destination.of(each) for each in targets]
        asked = None if emergency else ToExtension(number)
        return Plan(number, rung, extension.ring_seconds, dialled, asked=asked, emergency=emergency)

    def _outside(self, target: ToOutside, dialled: Dialled, *, emergency: bool) -> Plan:
        outside = self.around.outside
        if outside is None:
            raise RefusedError(Cause.LINE_DOWN, steps=dialled.steps)
        most = 0 if emergency else outside.max_calls(target.kind, target.name)
        if most and self.around.calls_by(way_name(target.kind, target.name)) >= most:
            raise RefusedError(Cause.LINE_FULL, steps=dialled.steps)
        extension = None if emergency else _paying(dialled)
        try:
            peers = outside.destinations(target.kind, target.name, target.number, extension)
        except RefusedError as refused:
            raise RefusedError(refused.ending.cause, steps=dialled.steps) from refused
        *before, plan = [
            Plan(
                *(target.number, [peer], RING_OUTSIDE, dialled),
                asked=None if emergency else target,
                max_calls=most,
                emergency=emergency,
            )
            for peer in peers
        ]
        for each in reversed(before):
            plan = replace(each, otherwise=plan, fail_over_on=NEXT_PEER)
        return plan


def _paying(dialled: Dialled) -> str:
    """The extension whose line it must be; empty for somebody outside."""
    if dialled.payer is not None:
        return dialled.payer.number
    return "" if dialled.way_in else dialled.from_number


def _in_order(plan: Plan, seconds: float) -> Plan:
    """The same with its targets one after the other."""
    *before, last = [
        replace(plan, targets=[each], ring_seconds=seconds, asked=None)
        for each in sorted(plan.targets, key=lambda each: -each.preference)
    ]
    chain = replace(last, asked=plan.asked)
    for each in reversed(before):
        chain = replace(each, otherwise=chain, fail_over_on=ANY)
    return chain
