"""Several phones of one extension: all ring, or one after the other; and whether a call may wait for one that is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from appliance.call.cause import Cause
from appliance.call.decision import ToExtension
from appliance.call.verdict import InOrder, Refuse
from appliance.config.settings_area import SettingsArea
from appliance.errors import ConfigError
from appliance.features.feature import Feature

if TYPE_CHECKING:
    from appliance.call.events import Dialled
    from appliance.call.verdict import Target, Verdict
    from appliance.config.snapshot import Snapshot

__all__ = ["Phones", "PhonesSetting"]

SECONDS_RANGE = (5, 120)


class PhonesSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Of one extension."""

    name: str
    order: Literal["all", "in_order"] = "all"
    "Which of its phones ring: all at once, or the one it likes best (RFC 3261's q), then the next."
    seconds: int = 15
    "How long each rings when they ring in order: 5 to 120."
    call_waiting: bool = True
    "Whether it is rung while it is in a call."


def _verify(item: PhonesSetting, _snapshot: Snapshot) -> None:
    low, high = SECONDS_RANGE
    path = f"phones.{item.name}.seconds"
    if not low <= item.seconds <= high:
        raise ConfigError(path, "error.out_of_range", low=low, high=high)


class Phones(Feature):
    """Whoever answers first has the call; the others are told that it was answered elsewhere."""

    name = "phones"
    areas = (SettingsArea("phones", PhonesSetting, "extension", _verify),)

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        if not isinstance(target, ToExtension) or dialled.phone:
            return None
        setting: PhonesSetting = self.house.settings.setting("phones", target.number)
        if not setting.call_waiting and self.house.exchange.busy_state(target.number) != "idle":
            return Refuse(Cause.BUSY)
        return InOrder(float(setting.seconds)) if setting.order == "in_order" else None
