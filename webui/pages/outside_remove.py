"""Remove a line, a trunk or a route, after asking."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui.pages.outside_add import AREAS
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(area: str, visit: Visit, name: str) -> Answer:
    visit.perform(area, "show", name)
    return visit.page("outside_remove.html", area=area, name=name, used_by=None)


def save(area: str, visit: Visit, name: str) -> Answer:
    try:
        visit.perform(area, "remove", name)
    except ConfigError as error:
        if error.key != "error.no_such_destination":
            raise
        # A route names it still: `routes.ROUTE.to`.
        route = error.path.split(".")[1]
        return visit.page("outside_remove.html", 400, area=area, name=name, used_by=route)
    return visit.back_to("/outside", "console.ways.removed", name=name)


ROUTES = tuple(
    Route(method, f"/outside/{area}/<name>/remove", partial(handler, area))
    for area in AREAS
    for method, handler in (("GET", show), ("POST", save))
)
