"""Remove a line, a trunk, a route or a service's item, after asking; or give what always is there its defaults again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui.pages.setting_routes import of_each

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


ROUTES = of_each("remove", show, save)
