"""Supplementary services, one a file. What is not in `FEATURES` does not run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from appliance.config.codes import codes_area
from appliance.features.anonymous_rejection import AnonymousRejection
from appliance.features.attendants import Attendants
from appliance.features.do_not_disturb import DoNotDisturb
from appliance.features.forwarding import Forwarding
from appliance.features.groups import Groups
from appliance.features.park import Park
from appliance.features.phones import Phones
from appliance.features.pick_up import PickUp
from appliance.features.time_conditions import TimeConditions
from appliance.features.transfer import Transfer
from appliance.features.transfer_by_keys import TransferByKeys

if TYPE_CHECKING:
    from appliance.config.settings_area import SettingsArea
    from appliance.features.feature import Feature

__all__ = ["FEATURES", "settings_areas"]

FEATURES: tuple[type[Feature], ...] = (
    AnonymousRejection, Forwarding, DoNotDisturb, Phones, Groups, TimeConditions, Attendants, Transfer, TransferByKeys, Park, PickUp,
)  # fmt: skip
"""Every service of the exchange, in the order in which they are asked. Forwarding comes before whatever wants peace: what is
sent on disturbs nobody."""


@cache
def settings_areas(features: tuple[type[Feature], ...] = FEATURES) -> tuple[SettingsArea, ...]:
    """What `Config.open` must know of them: their settings, and their codes as one area."""
    codes = codes_area(code for feature in features for code in feature.codes)
    return (*(area for feature in features for area in feature.areas), codes)
