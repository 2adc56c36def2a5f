"""Change a line, a trunk, a route or what a service has. An empty password field leaves the password as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.pages.setting_add import draw, settings
from webui.pages.setting_routes import of_each
from webui.settings import shown

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.places import Place
    from webui.visit import Visit

__all__ = ["ROUTES", "save", "show"]


def show(place: Place, visit: Visit, name: str | None) -> Answer:
    """`name` is None for what there is one of."""
    now = visit.perform(place.area, "show", name)
    return draw(visit, place, form.Reading(typed=shown(settings(visit, place), now)), name)


def save(place: Place, visit: Visit, name: str | None) -> Answer:
    taken = [each.field for each in settings(visit, place) if name is None or each.name != "name"]
    reading = form.read(taken, visit.form)
    if not reading.good:
        return draw(visit, place, reading, name, 400)
    try:
        visit.perform(place.area, "set", name, **reading.values)
    except ConfigError as error:
        if error.key == "error.not_found" and error.path == f"{place.area}.{name}":
            raise
        return draw(visit, place, form.refused(reading, error), name, 400)
    return visit.back_to(place.home, "console.ways.saved", name=name or place.title)


ROUTES = of_each("edit", show, save)
