"""Time conditions: a number that leads elsewhere by day and by night, and on holidays; and the night mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.call.cause import Cause
from appliance.call.decision import FromExtension, ToFeature
from appliance.call.verdict import Forward, Refuse
from appliance.config.codes import codes_of
from appliance.config.extension import LEVEL_RANGE
from appliance.config.hours import Hours
from appliance.config.settings_area import SettingsArea
from appliance.config.time_condition import (
    NIGHT_MODE,
    TIME_CONDITIONS,
    Holiday,
    NightMode,
    TimeCondition,
    is_open,
)
from appliance.directory.lamps import Lamp, LampState, Party
from appliance.errors import ConfigError
from appliance.features.confirmation import confirmed
from appliance.features.feature import Code, Feature
from appliance.features.numbers import check_free, check_target

if TYPE_CHECKING:
    from appliance.call.decision import Caller
    from appliance.call.events import Dialled
    from appliance.call.verdict import Target, Verdict
    from appliance.config.snapshot import Snapshot

__all__ = ["TimeConditions"]


def _verify(item: TimeCondition, settings: Snapshot) -> None:
    path = f"{TIME_CONDITIONS}.{item.name}"
    check_free(TIME_CONDITIONS, item.name, settings)
    if not item.open_to:
        raise ConfigError(path + ".open_to", "error.bad_target_number")
    check_target(path + ".open_to", item.open_to, item.name)
    check_target(path + ".closed_to", item.closed_to, item.name)
    low, high = LEVEL_RANGE
    if not low <= item.level <= high:
        raise ConfigError(path + ".level", "error.out_of_range", low=low, high=high)
    for text in item.hours:
        try:
            Hours.parse(text)
        except ValueError as error:
            raise ConfigError(path + ".hours", "error.bad_hours", value=text) from error
    for text in item.holidays:
        try:
            Holiday.parse(text)
        except ValueError as error:
            raise ConfigError(path + ".holidays", "error.bad_holiday", value=text) from error


class TimeConditions(Feature):
    """The way through one is silent: nobody is told that it was taken."""

    name = "time-conditions"
    areas = (
        SettingsArea(TIME_CONDITIONS, TimeCondition, "item", _verify, most=100),
        SettingsArea(NIGHT_MODE, NightMode, "box"),
    )
    codes = (Code("night_on", "*28"), Code("night_off", "*29"))

    def follow(self) -> None:
        def changed(_: NightMode) -> None:
            self.house.lamps_changed(codes_of(self.house.settings)["night_on"])

        self.house.config.on_change(lambda settings: settings.setting(NIGHT_MODE), changed)

    def lamps(self, number: str) -> tuple[Lamp, ...] | None:
        """A key on a phone that dials the code shows whether it is night."""
        if number != codes_of(self.house.settings)["night_on"]:
            return None
        if not self.house.settings.setting(NIGHT_MODE).enabled:
            return ()
        return (Lamp("night", LampState.CONFIRMED, False, Party(number), Party(number)),)

    def claims(self, number: str, caller: Caller) -> bool:
        return number in self.house.settings.items(TIME_CONDITIONS)

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        if not isinstance(target, ToFeature):
            return None
        settings = self.house.settings
        condition: TimeCondition | None = settings.items(TIME_CONDITIONS).get(target.number)
        if condition is None:
            return None
        to = (
            condition.open_to if is_open(condition, settings, self.house.local_now()) else condition.closed_to
        )
        if not to:
            return Refuse(Cause.UNAVAILABLE)
        return Forward(
            to, FromExtension(condition.name, condition.level), condition.title, "time-of-day", silent=True
        )

    def coded(self, code: str, rest: str, dialled: Dialled) -> Verdict:
        async def change() -> None:
            await self.house.change(
                NIGHT_MODE, lambda now: msgspec.structs.replace(now, enabled=code == "night_on")
            )

        return confirmed(self.house, f"code {code}", change)
