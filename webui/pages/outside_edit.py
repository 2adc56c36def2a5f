"""Change a line, a trunk or a route. An empty password field leaves the password as it is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.pages.outside_add import AREAS, draw, settings
from webui.routes import Route
from webui.settings import shown

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(area: str, visit: Visit, name: str) -> Answer:
    now = visit.perform(area, "show", name)
    return draw(visit, area, form.Reading(typed=shown(settings(visit, area), now)), name)


def save(area: str, visit: Visit, name: str) -> Answer:
    taken = [each.field for each in settings(visit, area) if each.name != "name"]
    reading = form.read(taken, visit.form)
    if not reading.good:
        return draw(visit, area, reading, name, 400)
    try:
        visit.perform(area, "set", name, **reading.values)
    except ConfigError as error:
        if error.key == "error.not_found":
            raise
        return draw(visit, area, form.refused(reading, error), name, 400)
    return visit.back_to("/outside", "console.ways.saved", name=name)


ROUTES = tuple(
    Route(method, f"/outside/{area}/<name>/edit", partial(handler, area))
    for area in AREAS
    for method, handler in (("GET", show), ("POST", save))
)
