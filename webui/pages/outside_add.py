"""Add a line, a trunk or a route: one form for all, drawn from what control takes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from webui import form
from webui.layouts import laid_out
from webui.routes import Route
from webui.settings import beginning, beyond_defaults, settings_of

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.settings import Setting
    from webui.visit import Visit

__all__ = ["AREAS", "LEARNING", "ROUTES", "draw", "settings"]

AREAS = ("lines", "trunks", "routes")
LEARNING = ("lines", "trunks")
"Those that have somebody at their other end, about whom there is something to learn."


def show(area: str, visit: Visit) -> Answer:
    return draw(visit, area, form.Reading(typed=beginning(settings(visit, area))))


def save(area: str, visit: Visit) -> Answer:
    taken = settings(visit, area)
    reading = form.read([each.field for each in taken], visit.form)
    if not reading.good:
        return draw(visit, area, reading, status=400)
    try:
        made = visit.perform(area, "add", **beyond_defaults(taken, reading.values))
    except ConfigError as error:
        return draw(visit, area, form.refused(reading, error), status=400)
    return visit.back_to("/outside", "console.ways.added", name=made["name"])


def settings(visit: Visit, area: str) -> tuple[Setting, ...]:
    """What one of them has."""
    return settings_of(visit.takes(area, "add"))


def draw(
    visit: Visit, area: str, reading: form.Reading, name: str | None = None, status: int = 200
) -> Answer:
    """The form, to add (`name` is None) or to change."""
    return visit.page(
        "outside_form.html",
        status,
        form=reading,
        area=area,
        name=name,
        groups=laid_out(area, settings(visit, area), reading),
        ways=_ways(visit) if area == "routes" else [],
        **(_lessons(visit, area, name) if name and area in LEARNING else {"learned": None}),
    )


def _lessons(visit: Visit, area: str, name: str) -> dict[str, Any]:
    """What was learned about the other side, and what there is to learn at all."""
    feature = visit.takes(area, "pin")["properties"]["feature"]
    return {"learned": visit.perform(area, "show", name)["learned"], "features": feature["enum"]}


def _ways(visit: Visit) -> list[str]:
    """What a route may lead to, as it is written there."""
    return [
        f"{area[:-1]}:{each['name']}" for area in ("lines", "trunks") for each in visit.perform(area, "list")
    ]


ROUTES = tuple(
    Route(method, f"/outside/{area}/add", partial(handler, area))
    for area in AREAS
    for method, handler in (("GET", show), ("POST", save))
)
