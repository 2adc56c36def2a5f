"""Do not disturb: an extension that wants no calls."""

from __future__ import annotations

import msgspec

from appliance.config.settings_area import SettingsArea
from appliance.features.feature import Code, Feature

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
