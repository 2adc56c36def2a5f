"""The services: each with its codes, and the way to its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.places import CODES, title_of
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit) -> Answer:
    codes = visit.perform(CODES, "list")
    services = [
        {
            "name": each["name"],
            "word": "feature." + each["name"].replace("-", "_"),
            "title": title_of(visit, each["name"]),
            "areas": [(area, title_of(visit, area)) for area in each["areas"]],
            "codes": [code for code in codes if code["feature"] == each["name"]],
        }
        for each in visit.perform("features", "list")
    ]
    return visit.page("features.html", services=services)


ROUTES = (Route("GET", "/features", show),)
