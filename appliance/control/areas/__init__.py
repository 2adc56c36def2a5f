"""Everything that can be asked for, one area a file. A new area is a file here and a line in AREAS.

The settings of services are areas, too: those come from the services themselves.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from appliance.control.areas import (
    admin,
    backup,
    backup_schedule,
    box,
    calls,
    dial_plan,
    dns_check,
    export,
    extensions,
    import_,
    lines,
    music,
    prompts,
    provision,
    records,
    registrations,
    routes,
    servers,
    status,
    stick,
    system,
    trace,
    trunks,
    update,
    update_check,
)
from appliance.control.areas import features as services
from appliance.features import FEATURES

if TYPE_CHECKING:
    from appliance.control.area import Area
    from appliance.features.feature import Feature

__all__ = ["AREAS", "areas_with"]

OWN: tuple[Area, ...] = (
    status.AREA,
    system.AREA,
    extensions.AREA,
    lines.AREA,
    trunks.AREA,
    routes.AREA,
    dial_plan.AREA,
    music.AREA,
    prompts.AREA,
    registrations.AREA,
    calls.AREA,
    records.AREA,
    admin.AREA,
    trace.AREA,
    dns_check.AREA,
    backup.AREA,
    backup_schedule.AREA,
    box.AREA,
    servers.AREA,
    stick.AREA,
    update.AREA,
    update_check.AREA,
    export.AREA,
    import_.AREA,
    provision.AREA,
)


@cache
def areas_with(features: tuple[type[Feature], ...]) -> tuple[Area, ...]:
    """All areas of an exchange that has these services."""
    return (*OWN, *services.areas_of(features))


AREAS = areas_with(FEATURES)
"Those of this version."
