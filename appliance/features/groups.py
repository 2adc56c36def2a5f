"""Groups: one number that rings several people, together or one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from appliance.call.cause import Cause
from appliance.call.decision import FromExtension, ToFeature
from appliance.call.verdict import Forward, Refuse, Ring, Round
from appliance.config.extension import LEVEL_RANGE, check_name
from appliance.config.pattern import is_dialable
from appliance.config.settings_area import SettingsArea
from appliance.config.time_condition import TIME_CONDITIONS, is_open
from appliance.errors import ConfigError
from appliance.features.feature import Feature
from appliance.features.numbers import NUMBERED, check_free, check_target

if TYPE_CHECKING:
    from appliance.call.decision import Caller
    from appliance.call.events import Dialled, DivertReason
    from appliance.call.verdict import Failure, Target, Verdict
    from appliance.config.snapshot import Snapshot

__all__ = ["Group", "Groups"]

Strategy = Literal["all", "linear", "circular", "longest_idle"]
RING_SECONDS_RANGE = (5, 300)
MAX_MEMBERS = 50
"More than would ring in one office, and each costs an INVITE."

_ENGAGED = frozenset({Cause.BUSY, Cause.UNAVAILABLE, Cause.REFUSED, Cause.NOT_REGISTERED, Cause.UNREACHABLE})
"Nobody was there to take it, in contrast to nobody taking it."


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Who is rung, in which order, and what comes then."""

    name: str
    "The number that is dialled: 2 to 15 digits."
    title: str = ""
    members: tuple[str, ...] = ()
    "Extensions, and numbers outside as an extension would dial them."
    strategy: Strategy = "all"
    ring_seconds: int = 20
    "How long they ring; each of them where one is rung after the other. 5 to 300."
    skip_busy: bool = True
    "Whether members who are in a call are left in peace."
    level: int = 0
    "The group's right, 0 to 9: for members and destinations outside."
    busy_to: str = ""
    "Where calls go when nobody is free; empty: they hear that it is busy."
    no_answer_to: str = ""
    "Where they go when nobody answers."
    open: str = ""
    "The number of the time condition that says when it is open; empty: always."
    closed_to: str = ""
    "Where calls go when it is not."


def _verify(item: Group, settings: Snapshot) -> None:
    path = f"groups.{item.name}"
    check_free("groups", item.name, settings)
    check_name(path + ".title", item.title)
    if len(item.members) > MAX_MEMBERS:
        raise ConfigError(path + ".members", "error.too_many", limit=MAX_MEMBERS)
    for each in item.members:
        service = any(each in settings.items(area) for area in NUMBERED)
        if service or not is_dialable(each) or each == item.name:
            raise ConfigError(path + ".members", "error.bad_member", number=each[:64])
    for where, (low, high) in (("ring_seconds", RING_SECONDS_RANGE), ("level", LEVEL_RANGE)):
        if not low <= getattr(item, where) <= high:
            raise ConfigError(path + "." + where, "error.out_of_range", low=low, high=high)
    for where in ("busy_to", "no_answer_to", "closed_to"):
        check_target(f"{path}.{where}", getattr(item, where), item.name)
    if item.open and item.open not in settings.items(TIME_CONDITIONS):
        raise ConfigError(path + ".open", "error.no_time_condition", number=item.open)


class Groups(Feature):
    """Members ring as members: their own forwarding does not apply, and whoever wants no calls is not rung."""

    name = "groups"
    areas = (
        SettingsArea(
            "groups",
            Group,
            "item",
            _verify,
            most=200,
            columns=("title", "strategy", "members", "ring_seconds"),
        ),
    )

    def follow(self) -> None:
        self._next: dict[
            str, int
        ] = {}  # of circular groups, by number: with which member the next call begins

    def claims(self, number: str, caller: Caller) -> bool:
        return number in self.house.settings.items("groups")

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        group = self._group(target)
        if group is None:
            return None
        if not self._is_open(group):
            return _onward(group, group.closed_to, "time-of-day") or Refuse(Cause.UNAVAILABLE)
        members = self._in_order(
            group, [each for each in dict.fromkeys(group.members) if self._is_free(group, each, dialled)]
        )
        if not members:
            return Refuse(Cause.BUSY)
        seconds = float(group.ring_seconds)
        if group.strategy == "all":
            return Ring((Round(tuple(members), seconds),), _rights(group))
        return Ring(tuple(Round((each,), seconds) for each in members), _rights(group))

    def failed(self, target: Target, failure: Failure, dialled: Dialled) -> Verdict | None:
        group = self._group(target)
        if group is None:
            return None
        if failure.cause in _ENGAGED:
            return _onward(group, group.busy_to, "user-busy")
        return _onward(group, group.no_answer_to, "no-answer")

    def _group(self, target: Target) -> Group | None:
        if not isinstance(target, ToFeature):
            return None
        found: Group | None = self.house.settings.items("groups").get(target.number)
        return found

    def _is_open(self, group: Group) -> bool:
        condition = self.house.settings.items(TIME_CONDITIONS).get(group.open)
        return condition is None or is_open(condition, self.house.settings, self.house.local_now())

    def _is_free(self, group: Group, member: str, dialled: Dialled) -> bool:
        if member == dialled.from_number and not dialled.way_in:
            return False
        return not group.skip_busy or self.house.exchange.busy_state(member) != "busy"

    def _in_order(self, group: Group, members: list[str]) -> list[str]:
        exchange = self.house.exchange
        match group.strategy:
            case "all":
                return members
            case "circular" if members:
                first = self._next.get(group.name, 0) % len(members)
                self._next[group.name] = first + 1
                members = members[first:] + members[:first]
            case "longest_idle":
                members = sorted(members, key=exchange.idle_since)
            case _:
                pass
        # Whose phone rings already for somebody else comes last.
        return sorted(members, key=lambda each: exchange.busy_state(each) == "ringing")


def _rights(group: Group) -> FromExtension:
    return FromExtension(group.name, group.level)


def _onward(group: Group, to: str, reason: DivertReason) -> Forward | None:
    return Forward(to, _rights(group), group.title, reason) if to else None
