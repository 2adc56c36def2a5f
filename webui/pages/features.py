"""The services: each with its codes, and the way to its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.places import CODES, title_of
from webui.routes import Access, Route

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
            "live": each["live"],
            "rows": visit.perform("features", "live", each["name"]) if each["live"] else [],
            "codes": [code for code in codes if code["feature"] == each["name"]],
        }
        for each in visit.perform("features", "list")
    ]
    return visit.page("features.html", services=services)


def live(visit: Visit, name: str) -> Answer:
    rows = visit.perform("features", "live", name)
    return visit.page("feature_live.part.html", name=name, rows=rows)


ROUTES = (
    Route("GET", "/features", show),
    Route("GET", "/features/<name>/live", live, Access.LIVE),
)
