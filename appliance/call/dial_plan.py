"""The dial plan: from a number, a caller and the time to where the call goes, and why.

What goes first:

1. An extension with this number. Only if it has the number of an emergency service that cannot be dialled otherwise
   (with or without the out prefix), and a line or trunk is there, does it stand back.
2. An emergency number, with or without the out prefix, dialled by an extension: by the routes that match it, whatever
   their hours, callers and level, then by every other line and trunk. Only routes that are meant for it (marked so, or
   its very number is their pattern) may change it; what wider ones make of it is tried last.
3. A number of a feature: a group, a code.
4. For an extension, what follows the out prefix, if any route to the outside matches that.
5. The number as it was dialled.

In 4 and 5 the route with the closest pattern decides; of equal ones that which names callers, then hours, then the first
by name. One that is closed or not for this caller is passed over, but its level goes on to hold for wider patterns: nobody
gets round it by waiting. A route that asks for more than the extension's right ends the search.

Callers on a line or trunk reach extensions, those features that are there for them, and those routes that name their line or trunk; nothing else.
"""

from __future__ import annotations

__all__ = ["decide"]

from typing import TYPE_CHECKING

from appliance.call.cause import Cause
from appliance.call.decision import (
    Decision,
    FromExtension,
    FromOutside,
    Passed,
    Refused,
    Step,
    ToExtension,
    ToFeature,
    ToOutside,
)
from appliance.config.hours import DAYS
from appliance.config.pattern import MAX_NUMBER, is_dialable
from appliance.config.route import FAIL_OVER_CAUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from appliance.call.decision import Caller, Destination, Outcome
    from appliance.call.routing_table import RoutingTable, TableRoute
    from appliance.config.route import Target

# Somebody's life may hang on it: whatever a way out answers, the next one is tried.
EMERGENCY_FAIL_OVER = frozenset(map(Cause, FAIL_OVER_CAUSES))


def _no_features(_number: str, _caller: Caller) -> None:
    """Whose numbers are a feature's where there are none."""


def decide(
    number: str,
    caller: Caller,
    at: datetime,
    table: RoutingTable,
    claims: Callable[[str, Caller], str | None] = _no_features,
) -> Decision:
    """One decision for any number and caller; `at` is local time. Raises nothing.

    `claims` names the feature that a number belongs to when this caller dials it.
    """
    inquiry = _Inquiry(number, caller, at, table, claims)
    outcome = inquiry.answer()
    return Decision(outcome, tuple(inquiry.steps))


class _Inquiry:
    """One question to the table; it writes down its steps as it goes."""

    def __init__(
        self,
        number: str,
        caller: Caller,
        at: datetime,
        table: RoutingTable,
        claims: Callable[[str, Caller], str | None],
    ) -> None:
        self.claims = claims
        self.number = number
        self.caller = caller
        self.at = at
        self.table = table
        self.steps: list[Step] = []

    def answer(self) -> Outcome:
        self._ask()
        emergency = self._emergency_number()
        extension = self.table.find(self.number)
        if extension is not None and extension.enabled and self._stands(emergency):
            return self._pass([ToExtension(self.number)])
        if emergency is not None and (passed := self._emergency(emergency)):
            return passed
        if extension is not None:
            return self._refuse(Cause.NOT_FOUND, "route.extension_off", number=self.number)
        if (feature := self.claims(self.number, self.caller)) is not None:
            return self._pass([ToFeature(feature, self.number)])
        if not is_dialable(self.number):
            return self._refuse(Cause.NOT_FOUND, "route.not_dialable")
        return self._by_routes()

    def _note(self, key: str, **params: str | int) -> None:
        self.steps.append(Step(key, params))

    def _ask(self) -> None:
        at = f"{DAYS[self.at.weekday()]} {self.at:%Y-%m-%d %H:%M}"
        dialled = self.number[:MAX_NUMBER]
        match self.caller:
            case FromExtension(number, right):
                self._note("route.asked_by_extension", extension=number, right=right, dialled=dialled, at=at)
            case FromOutside(way):
                self._note("route.asked_by_outside", way=way, dialled=dialled, at=at)

    # Emergencies.

    def _emergency_number(self) -> str | None:
        match self.caller:
            case FromExtension():
                return self.table.emergency_in(self.number)
            case FromOutside():
                return None

    def _stands(self, emergency: str | None) -> bool:
        """Whether the extension with this number is rung, though it may be an emergency number as well."""
        if emergency is None or not self.table.ways:
            return True
        others = self.table.other_ways_to_dial(emergency, self.number)
        if others:
            self._note("route.emergency_hidden", number=self.number, other=others[0])
        else:
            self._note("route.extension_hidden", number=self.number)
        return bool(others)

    def _emergency(self, number: str) -> Passed | None:
        """None when there is no way at all."""
        self._note("route.emergency", number=number)
        routes = self._emergency_routes(number)
        found = self._emergency_destinations(routes, number)
        if not found:
            self._note("route.no_way_out", number=number)
            return None
        name = routes[0].route.name if routes else ""
        return self._pass(found, EMERGENCY_FAIL_OVER, name, emergency=True)

    def _emergency_routes(self, number: str) -> list[TableRoute]:
        """All that match: those meant for it first, and of these the ones that would be open to this call anyway."""
        routes = [each for each in self.table.matching(number) if each.route.emergency or each.leads_outside]
        routes.sort(
            key=lambda each: (not each.route.emergency, not each.means(number), not self._is_open(each))
        )
        for each in routes:
            self._note("route.matches", route=each.route.name, pattern=each.route.pattern, number=number)
        return routes

    def _emergency_destinations(self, routes: list[TableRoute], number: str) -> list[Destination]:
        found: list[Destination] = []
        wide = [each for each in routes if not each.means(number)]
        for route in routes:
            if route.means(number):
                found += self._destinations(route, self._change(route, number))
        # What a wide route does to numbers was not thought of for this one: it goes as it is first.
        outside = [target for route in wide for target in route.targets if target.is_outside]
        found += [self._outside(each, number) for each in (*outside, *self.table.ways)]
        for route in wide:
            changed = self._destinations(route, self._change(route, number))
            found += [each for each in changed if isinstance(each, ToOutside)]
        return list(dict.fromkeys(found))

    # Routes.

    def _by_routes(self) -> Outcome:
        rest = self.table.behind_prefix(self.number) if isinstance(self.caller, FromExtension) else ""
        if rest:
            self._note("route.out_prefix", prefix=self.table.settings.out_prefix, number=rest)
            if outside := [each for each in self.table.matching(rest) if each.leads_outside]:
                return self._choose(outside, rest)
            self._note("route.none_behind_prefix", number=rest, dialled=self.number)
        if routes := list(self.table.matching(self.number)):
            return self._choose(routes, self.number)
        return self._refuse(Cause.NOT_FOUND, "route.none", number=self.number)

    def _choose(self, routes: Iterable[TableRoute], number: str) -> Outcome:
        passed_over: list[TableRoute] = []
        for each in routes:
            if self._is_open(each):
                self._note("route.matches", route=each.route.name, pattern=each.route.pattern, number=number)
                return self._take(each, passed_over, number)
            self._note_passed_over(each)
            passed_over.append(each)
        return self._refuse(Cause.FORBIDDEN, "route.none_open", number=number)

    def _is_open(self, route: TableRoute) -> bool:
        return route.takes(self.caller) and route.is_open(self.at)

    def _note_passed_over(self, each: TableRoute) -> None:
        route = each.route
        if each.takes(self.caller):
            self._note("route.closed", route=route.name, times=", ".join(route.times))
        elif isinstance(self.caller, FromOutside):
            self._note("route.outside_not_named", route=route.name, way=self.caller.way)
        else:
            self._note("route.other_callers", route=route.name, callers=", ".join(route.callers))

    def _take(self, each: TableRoute, passed_over: list[TableRoute], number: str) -> Outcome:
        if not self._has_right(each, passed_over):
            return Refused(Cause.FORBIDDEN)
        destinations = self._destinations(each, self._change(each, number))
        if not destinations:
            return self._refuse(Cause.NOT_FOUND, "route.no_destination", route=each.route.name)
        return self._pass(destinations, each.fail_over_on, each.route.name, emergency=each.route.emergency)

    def _has_right(self, chosen: TableRoute, passed_over: list[TableRoute]) -> bool:
        """Whether the caller has the level of the route, and of the closer ones for people in the house."""
        if isinstance(self.caller, FromOutside):
            return True
        closer = [
            each for each in passed_over if each.takes_extensions and each.pattern.rank < chosen.pattern.rank
        ]
        strictest = max([chosen, *closer], key=lambda each: each.route.level).route
        enough = self.caller.right >= strictest.level
        if strictest.level or not enough:
            self._note(
                "route.right" if enough else "route.right_missing",
                route=strictest.name,
                level=strictest.level,
                extension=self.caller.number,
                right=self.caller.right,
            )
        return enough

    # Destinations.

    def _change(self, route: TableRoute, number: str) -> str:
        dialled = route.change(number)
        if dialled != number:
            self._note("route.changed", route=route.route.name, number=number, dialled=dialled[:MAX_NUMBER])
        return dialled

    def _destinations(self, route: TableRoute, dialled: str) -> list[Destination]:
        found = [self._destination(each, dialled) for each in route.targets]
        return [each for each in found if each is not None]

    def _destination(self, target: Target, dialled: str) -> Destination | None:
        match target.kind:
            case "extension":
                return self._extension(target.name or dialled)
            case "feature":
                return ToFeature(target.name, dialled)
            case "line" | "trunk":
                if is_dialable(dialled):
                    return self._outside(target, dialled)
                self._note("route.not_dialable")
                return None

    def _extension(self, number: str) -> ToExtension | ToFeature | None:
        if self.table.rings(number):
            return ToExtension(number)
        if (feature := self.claims(number, self.caller)) is not None:
            return ToFeature(feature, number)
        self._note("route.no_extension", number=number[:MAX_NUMBER])
        return None

    def _outside(self, target: Target, number: str) -> ToOutside:
        return ToOutside("line" if target.kind == "line" else "trunk", target.name, number)

    # Outcomes.

    def _pass(
        self,
        destinations: Sequence[Destination],
        fail_over_on: frozenset[Cause] = frozenset(),
        route: str = "",
        *,
        emergency: bool = False,
    ) -> Passed:
        for place, each in enumerate(destinations, 1):
            self._note_destination(place, each)
        if len(destinations) > 1:
            self._note_fail_over(fail_over_on, emergency)
        return Passed(
            destinations=tuple(destinations),
            fail_over_on=fail_over_on,
            route=route,
            emergency=emergency,
        )

    def _note_destination(self, place: int, destination: Destination) -> None:
        match destination:
            case ToExtension(number):
                self._note("route.to_extension", place=place, number=number)
            case ToFeature(name, number):
                self._note("route.to_feature", place=place, name=name, number=number)
            case ToOutside("line", name, number):
                self._note("route.to_line", place=place, name=name, number=number)
            case ToOutside("trunk", name, number):
                self._note("route.to_trunk", place=place, name=name, number=number)

    def _note_fail_over(self, causes: frozenset[Cause], emergency: bool) -> None:
        if emergency:
            self._note("route.fail_over_always")
        elif causes:
            self._note("route.fail_over", causes=", ".join(sorted(each.value for each in causes)))
        else:
            self._note("route.no_fail_over")

    def _refuse(self, cause: Cause, key: str, **params: str) -> Refused:
        self._note(key, **{name: text[:MAX_NUMBER] for name, text in params.items()})
        return Refused(cause)
