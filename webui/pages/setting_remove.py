"""Remove a line, a trunk, a route or a service's item, after asking; or give what always is there its defaults again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui.places import KEYED, OUTSIDE, outside, service
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.places import Place
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(place: Place, visit: Visit, name: str) -> Answer:
    visit.perform(place.area, "show", name)
    return _draw(visit, place, name)


def save(place: Place, visit: Visit, name: str) -> Answer:
    try:
        visit.perform(place.area, "remove", name)
    except ConfigError as error:
        if error.key == "error.not_found":
            raise
        return _draw(visit, place, name, error)
    done = "console.ways.removed" if place.kind == "item" else "console.features.reset_done"
    return visit.back_to(place.home, done, name=name)


def _draw(visit: Visit, place: Place, name: str, refusal: ConfigError | None = None) -> Answer:
    # A route names it still: `routes.ROUTE.to`.
    by_route = refusal is not None and refusal.key == "error.no_such_destination"
    return visit.page(
        "setting_remove.html",
        200 if refusal is None else 400,
        place=place,
        name=name,
        heading=place.heading(visit, name),
        used_by=refusal.path.split(".")[1] if refusal and by_route else None,
        refusal=visit.say(refusal.key, **refusal.params) if refusal else None,
    )


def show_outside(area: str, visit: Visit, name: str) -> Answer:
    return show(outside(visit, area), visit, name)


def save_outside(area: str, visit: Visit, name: str) -> Answer:
    return save(outside(visit, area), visit, name)


def show_service(visit: Visit, area: str, name: str) -> Answer:
    return show(service(visit, area, *KEYED), visit, name)


def save_service(visit: Visit, area: str, name: str) -> Answer:
    return save(service(visit, area, *KEYED), visit, name)


ROUTES = (
    *(
        Route(method, f"/outside/{area}/<name>/remove", partial(handler, area))
        for area in OUTSIDE
        for method, handler in (("GET", show_outside), ("POST", save_outside))
    ),
    Route("GET", "/features/<area>/<name>/remove", show_service),
    Route("POST", "/features/<area>/<name>/remove", save_service),
)
