"""Anonymous call rejection: an extension that takes no calls from people who hide their number (RFC 5079)."""

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

__all__ = ["AnonymousRejection", "AnonymousRejectionSetting"]


class AnonymousRejectionSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Of one extension."""

    name: str
    enabled: bool = False


class AnonymousRejection(Feature):
    """Whoever hides their number hears that such calls are not taken."""

    name = "anonymous-rejection"
    areas = (SettingsArea("anonymous-rejection", AnonymousRejectionSetting, "extension"),)
    codes = (Code("reject_anonymous_on", "*77"), Code("reject_anonymous_off", "*87"))

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        if not isinstance(target, ToExtension) or dialled.from_number:
            return None
        setting: AnonymousRejectionSetting = self.house.settings.setting("anonymous-rejection", target.number)
        return Refuse(Cause.ANONYMOUS) if setting.enabled else None

    def coded(self, code: str, rest: str, dialled: Dialled) -> Verdict:
        async def change() -> None:
            def edit(now: AnonymousRejectionSetting) -> AnonymousRejectionSetting:
                return msgspec.structs.replace(now, enabled=code == "reject_anonymous_on")

            await self.house.change("anonymous-rejection", edit, dialled.from_number)

        return confirmed(self.house, f"code {code}", change)
