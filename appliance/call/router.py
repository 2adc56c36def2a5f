"""From a number to a plan: whom to ring, by which way, for how long, and what to try next."""

from __future__ import annotations

__all__ = ["Phones", "Plan", "Router", "Surroundings"]

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, assert_never

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
from appliance.call.inbound import RefusedError
from appliance.call.outside import way_name
from appliance.call.routing_table import compile_table
from appliance.config.dial_plan import DialPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from appliance.call.decision import Caller
    from appliance.call.events import Dialled
    from appliance.call.outside import Outside
    from appliance.call.routing_table import RoutingTable
    from appliance.config.extension import Extension
    from appliance.directory.bindings import Binding
    from appliance.sip.message import Uri
    from appliance.sip.transport.flow import Flow

RING_OUTSIDE = 180.0
"Seconds that a number outside may ring: carriers give up by themselves, most after one minute, and some play to the caller."

NEXT_PEER = frozenset({Cause.UNREACHABLE, Cause.OVERLOAD, Cause.FAILED, Cause.LINE_DOWN, Cause.LINE_FULL})
"""After which a trunk's next peer is tried: what one server could not do, not what the number said. A trunk that is full is
so at every peer, but behind the last one comes the route's next destination."""

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
        # An exchange without routes has no out prefix and no emergency numbers to care for.
        plain = DialPlan(out_prefix="", emergency=())
        self.around = Surroundings(compile_table((), plain, find, ()), local_now)

    def decide(self, number: str, caller: Caller, at: datetime) -> Decision:
        """Where a call would go, and why."""
        return decide(number, caller, at, self.around.table)

    def route(self, dialled: Dialled) -> Plan:
        """The plan for this call; RefusedError when there can be none."""
        decision = self.decide(dialled.to_number, self._caller(dialled), self.around.local_now())
        outcome = decision.outcome
        if isinstance(outcome, Refused):
            raise RefusedError(outcome.cause)
        plan: Plan | None = None
        failure = RefusedError(Cause.NOT_FOUND)
        # From the last to the first, so that each plan knows what comes after it.
        for target in reversed(outcome.destinations):
            try:
                plans = self._plans(target, dialled, emergency=outcome.emergency)
            except RefusedError as refused:
                if refused.ending.cause not in GONE | outcome.fail_over_on:
                    plan = None
                if plan is None:
                    failure = refused
            else:
                plan = _chained(plans, plan, outcome.fail_over_on)
        if plan is None:
            raise failure
        return plan

    def _caller(self, dialled: Dialled) -> Caller:
        if dialled.way_in:
            return FromOutside(dialled.way_in)
        extension = self._find(dialled.from_number)
        return FromExtension(dialled.from_number, extension.level if extension is not None else 0)

    def _plans(
        self, target: ToExtension | ToFeature | ToOutside, dialled: Dialled, *, emergency: bool
    ) -> list[Plan]:
        match target:
            case ToExtension(number):
                return [self._extension(number, dialled)]
            case ToOutside():
                return self._outside(target, dialled, emergency=emergency)
            case ToFeature():
                raise RefusedError(Cause.NOT_FOUND)
            case _:
                assert_never(target)

    def _extension(self, number: str, dialled: Dialled) -> Plan:
        extension = self._find(number)
        if extension is None or not extension.enabled:
            raise RefusedError(Cause.NOT_FOUND)
        # One's own phones are busy: with this call. Another one of them may be meant all the same.
        if number == dialled.from_number and not dialled.way_in and not dialled.phone:
            raise RefusedError(Cause.BUSY)
        targets = self._whereabouts.targets(number)
        if dialled.phone:
            targets = [target for target in targets if target.phone == dialled.phone]
        if not targets:
            raise RefusedError(Cause.NOT_REGISTERED)
        return Plan(number, [Destination.of(each) for each in targets], extension.ring_seconds)

    def _outside(self, target: ToOutside, dialled: Dialled, *, emergency: bool) -> list[Plan]:
        outside = self.around.outside
        if outside is None:
            raise RefusedError(Cause.LINE_DOWN)
        most = 0 if emergency else outside.max_calls(target.kind, target.name)
        if most and self.around.calls_by(way_name(target.kind, target.name)) >= most:
            raise RefusedError(Cause.LINE_FULL)
        extension = None if emergency else "" if dialled.way_in else dialled.from_number
        found = outside.destinations(target.kind, target.name, target.number, extension)
        return [
            Plan(target.number, [each], RING_OUTSIDE, max_calls=most, emergency=emergency) for each in found
        ]


def _chained(plans: list[Plan], then: Plan | None, fail_over_on: frozenset[Cause]) -> Plan:
    """The plans of one destination, each tried after the one before, and then those of the next."""
    *before, last = plans
    chain = last if then is None else replace(last, otherwise=then, fail_over_on=fail_over_on | GONE)
    for plan in reversed(before):
        chain = replace(plan, otherwise=chain, fail_over_on=NEXT_PEER)
    return chain
