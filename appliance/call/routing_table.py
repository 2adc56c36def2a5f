"""Routes made ready to be asked: read once, found by how a number begins."""

from __future__ import annotations

__all__ = ["RoutingTable", "TableRoute", "compile_table"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.call.cause import Cause
from appliance.call.decision import FromExtension, FromOutside
from appliance.config.hours import Hours
from appliance.config.pattern import Pattern, is_dialable
from appliance.config.route import FAIL_OVER_CAUSES, Route, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from appliance.call.decision import Caller
    from appliance.config.dial_plan import DialPlan
    from appliance.config.extension import Extension


@dataclass(frozen=True, slots=True)
class TableRoute:
    """A route with its texts read."""

    route: Route
    pattern: Pattern
    extensions: tuple[Pattern, ...]
    "Of the callers, those in the house."
    ways: frozenset[str]
    "Of the callers, the lines and trunks."
    hours: tuple[Hours, ...]
    targets: tuple[Target, ...]
    fail_over_on: frozenset[Cause]

    @classmethod
    def of(cls, route: Route) -> TableRoute:
        """ValueError when a text in it cannot be read."""
        return cls(
            route=route,
            pattern=Pattern.parse(route.pattern),
            extensions=tuple(Pattern.parse(each) for each in route.callers if ":" not in each),
            ways=frozenset(each for each in route.callers if ":" in each),
            hours=tuple(Hours.parse(each) for each in route.times),
            targets=tuple(Target.parse(each) for each in route.to),
            fail_over_on=frozenset(Cause(each) for each in route.fail_over_on if each in FAIL_OVER_CAUSES),
        )

    @property
    def precedence(self) -> tuple[object, ...]:
        """Of several routes for a number the smallest decides: the closest pattern, then what names callers and hours."""
        return self.pattern.rank, not self.route.callers, not self.route.times, self.route.name

    @property
    def leads_outside(self) -> bool:
        """Whether a destination of it is a line or trunk."""
        return any(each.is_outside for each in self.targets)

    @property
    def takes_extensions(self) -> bool:
        """Whether it is for anybody in the house at all."""
        return not self.route.callers or bool(self.extensions)

    def takes(self, caller: Caller) -> bool:
        """Whether the caller may ask it; of its level nothing is said."""
        match caller:
            case FromExtension(number):
                return not self.route.callers or any(each.matches(number) for each in self.extensions)
            case FromOutside(way):
                return way in self.ways

    def means(self, emergency: str) -> bool:
        """Whether it was made for this emergency number, which it matches."""
        return self.route.emergency or self.pattern.literal == emergency

    def is_open(self, at: datetime) -> bool:
        """Whether it counts at this local time."""
        return not self.hours or any(each.cover(at) for each in self.hours)

    def change(self, number: str) -> str:
        """What to dial for this number."""
        route = self.route
        return route.replace or route.prepend + number[max(0, route.strip) :]


@dataclass(frozen=True, kw_only=True)
class RoutingTable:
    """The dial plan as one value. Nobody writes into it: a change of the settings makes another one."""

    settings: DialPlan
    find: Callable[[str], Extension | None]
    "The extension with this number, switched on or not."
    ways: tuple[Target, ...] = ()
    "All lines and trunks that lead outside: those of routes first."
    unreadable: tuple[str, ...] = ()
    "Routes that are left out, because this version does not understand them."
    emergency_routes: tuple[TableRoute, ...] = ()
    by_prefix: dict[str, tuple[TableRoute, ...]] = field(default_factory=dict)
    "By the literal beginning of their pattern, each in order of precedence."
    longest_prefix: int = 0

    def matching(self, number: str) -> Iterator[TableRoute]:
        """The routes whose pattern matches, whoever calls and whenever, the one that decides first."""
        # A longer literal beginning is always the closer pattern, so the groups come in order.
        for length in range(min(len(number), self.longest_prefix), -1, -1):
            for each in self.by_prefix.get(number[:length], ()):
                if each.pattern.matches(number):
                    yield each

    def rings(self, number: str) -> bool:
        """Whether this is an extension that is switched on."""
        extension = self.find(number)
        return extension is not None and extension.enabled

    def behind_prefix(self, number: str) -> str:
        """What is left of the number without the out prefix; empty when it does not begin with it."""
        prefix = self.settings.out_prefix
        return number[len(prefix) :] if prefix and number.startswith(prefix) else ""

    def emergency_in(self, number: str) -> str | None:
        """The emergency number that this is, with or without the out prefix."""
        return next((each for each in (number, self.behind_prefix(number)) if self._is_emergency(each)), None)

    def _is_emergency(self, number: str) -> bool:
        return is_dialable(number) and (
            number in self.settings.emergency
            or any(each.pattern.matches(number) for each in self.emergency_routes)
        )

    def other_ways_to_dial(self, emergency: str, number: str) -> list[str]:
        """What can be dialled in place of `number` to reach this emergency number, and is no extension."""
        ways = dict.fromkeys((emergency, self.settings.out_prefix + emergency))
        return [each for each in ways if each != number and not self.rings(each)]


def compile_table(
    routes: Iterable[Route],
    settings: DialPlan,
    find: Callable[[str], Extension | None],
    outside: Sequence[str] = (),
) -> RoutingTable:
    """`outside`: the lines and trunks that are switched on (`line:NAME`), the last resort of emergency calls.

    Routes that are switched off do not exist here.
    """
    ready, unreadable = _read([each for each in routes if each.enabled])
    ready.sort(key=lambda each: each.precedence)
    by_prefix: dict[str, list[TableRoute]] = {}
    for each in ready:
        by_prefix.setdefault(each.pattern.literal, []).append(each)
    named = [target for each in ready for target in each.targets if target.is_outside]
    return RoutingTable(
        settings=settings,
        find=find,
        ways=tuple(dict.fromkeys([*named, *map(Target.parse, outside)])),
        unreadable=tuple(unreadable),
        emergency_routes=tuple(each for each in ready if each.route.emergency),
        by_prefix={prefix: tuple(group) for prefix, group in by_prefix.items()},
        longest_prefix=max(map(len, by_prefix), default=0),
    )


def _read(routes: list[Route]) -> tuple[list[TableRoute], list[str]]:
    ready, unreadable = [], []
    for route in routes:
        try:
            ready.append(TableRoute.of(route))
        except ValueError:
            # Left out whole: without the hours or callers that cannot be read it would let too much through.
            unreadable.append(route.name)
    return ready, unreadable
