"""Add a line, a trunk, a route or one of a service's items: one form for all, drawn from what control takes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from webui import form
from webui.layouts import laid_out
from webui.places import LEARNING, OUTSIDE, outside, service
from webui.routes import Route
from webui.settings import beginning, beyond_defaults, settings_of

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.places import Place
    from webui.settings import Setting
    from webui.visit import Visit

__all__ = ["ROUTES", "draw", "settings"]


def show(place: Place, visit: Visit) -> Answer:
    return draw(visit, place, form.Reading(typed=beginning(settings(visit, place), visit.language)))


def save(place: Place, visit: Visit) -> Answer:
    taken = settings(visit, place)
    reading = form.read([each.field for each in taken], visit.form)
    if not reading.good:
        return draw(visit, place, reading, status=400)
    try:
        made = visit.perform(place.area, "add", **beyond_defaults(taken, reading.values))
    except ConfigError as error:
        return draw(visit, place, form.refused(reading, error), status=400)
    return visit.back_to(place.home, "console.ways.added", name=made["name"])


def settings(visit: Visit, place: Place) -> tuple[Setting, ...]:
    """What one of them has."""
    return settings_of(visit.takes(place.area, "add" if place.kind == "item" else "set"))


def draw(
    visit: Visit, place: Place, reading: form.Reading, name: str | None = None, status: int = 200
) -> Answer:
    """The form, to add (`name` is None) or to change."""
    return visit.page(
        "setting_form.html",
        status,
        form=reading,
        place=place,
        name=name,
        heading=place.heading(visit, name),
        groups=laid_out(place.area, settings(visit, place), reading),
        ways=_ways(visit) if place.area == "routes" else [],
        **(_lessons(visit, place.area, name) if name and place.area in LEARNING else {"learned": None}),
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


def show_outside(area: str, visit: Visit) -> Answer:
    return show(outside(visit, area), visit)


def save_outside(area: str, visit: Visit) -> Answer:
    return save(outside(visit, area), visit)


def show_service(visit: Visit, area: str) -> Answer:
    return show(service(visit, area, "item"), visit)


def save_service(visit: Visit, area: str) -> Answer:
    return save(service(visit, area, "item"), visit)


ROUTES = (
    *(
        Route(method, f"/outside/{area}/add", partial(handler, area))
        for area in OUTSIDE
        for method, handler in (("GET", show_outside), ("POST", save_outside))
    ),
    Route("GET", "/features/<area>/add", show_service),
    Route("POST", "/features/<area>/add", save_service),
)
