"""Everything that can be asked for, one area a file. A new area is a file here and a line in AREAS."""

from __future__ import annotations

from appliance.control.areas import (
    admin,
    backup,
    box,
    calls,
    dial_plan,
    dns_check,
    export,
    extensions,
    import_,
    lines,
    records,
    registrations,
    routes,
    status,
    system,
    trace,
    trunks,
    update,
)

__all__ = ["AREAS"]

AREAS = (
    status.AREA,
    system.AREA,
    extensions.AREA,
    lines.AREA,
    trunks.AREA,
    routes.AREA,
    dial_plan.AREA,
    registrations.AREA,
    calls.AREA,
    records.AREA,
    admin.AREA,
    trace.AREA,
    dns_check.AREA,
    backup.AREA,
    box.AREA,
    update.AREA,
    export.AREA,
    import_.AREA,
)
