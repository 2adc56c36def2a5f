"""Do not disturb: an extension that wants no calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.call.cause import Cause
from appliance.call.decision import ToExtension
from appliance.call.verdict import Refuse
from appliance.config.settings_area import SettingsArea
from appliance.features.confirmation import confirmed
from appliance.features.feature import Code, Feature

if TYPE_CHECKING:
    from appliance.call.events import Dialled
    from appliance.call.verdict import Target, Verdict
    from appliance.config.snapshot import Snapshot

__all__ = ["DoNotDisturb", "DoNotDisturbSetting"]


class DoNotDisturbSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Of one extension."""

    name: str
    enabled: bool = False


class DoNotDisturb(Feature):
    """Whoever calls the extension hears that it is busy."""

    name = "do-not-disturb"
    areas = (SettingsArea("do-not-disturb", DoNotDisturbSetting, "extension"),)
    codes = (Code("do_not_disturb_on", "*78"), Code("do_not_disturb_off", "*79"))

    def follow(self) -> None:
        before: frozenset[str] = frozenset()

        def changed(now: frozenset[str]) -> None:
            nonlocal before
            changes, before = before ^ now, now
            for number in changes:
                self.house.lamps_changed(number)

        self.house.config.on_change(_peaceful, changed)

    def wants_no_calls(self, number: str) -> bool:
        setting: DoNotDisturbSetting = self.house.settings.setting("do-not-disturb", number)
        return setting.enabled

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        if isinstance(target, ToExtension) and self.wants_no_calls(target.number):
            return Refuse(Cause.UNAVAILABLE)
        return None

    def coded(self, code: str, rest: str, dialled: Dialled) -> Verdict:
        async def change() -> None:
            def edit(now: DoNotDisturbSetting) -> DoNotDisturbSetting:
                return msgspec.structs.replace(now, enabled=code == "do_not_disturb_on")

            await self.house.change("do-not-disturb", edit, dialled.from_number)

        return confirmed(self.house, f"code {code}", change)


def _peaceful(settings: Snapshot) -> frozenset[str]:
    """Who wants no calls."""
    return frozenset(name for name, each in settings.items("do-not-disturb").items() if each.enabled)
