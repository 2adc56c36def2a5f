"""Area `dial-plan`: what holds for every route."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from appliance.config.dial_plan import DialPlan
from appliance.control.area import Area, Nothing, Request, Verb
from appliance.control.areas.keyed import given

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot
    from appliance.control.parts import Parts

__all__ = ["AREA", "DialPlanChange"]


class DialPlanChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays as it is."""

    out_prefix: str | UnsetType = UNSET
    "Dialled before a number outside; may be empty."
    emergency: tuple[str, ...] | UnsetType = UNSET


async def show(parts: Parts, _: Request[Nothing]) -> DialPlan:
    return parts.config.current.dial_plan


async def set_(parts: Parts, request: Request[DialPlanChange]) -> DialPlan:
    def edit(now: Snapshot) -> Snapshot:
        changed = msgspec.structs.replace(now.dial_plan, **given(request.values))
        return msgspec.structs.replace(now, dial_plan=changed)

    return (await parts.config.change(edit)).dial_plan


AREA = Area(
    "dial-plan",
    "What holds for every route",
    (
        Verb("show", show, Nothing, DialPlan, "The out prefix and the emergency numbers"),
        Verb("set", set_, DialPlanChange, DialPlan, "Change them", changes=True),
    ),
)
