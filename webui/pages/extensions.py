"""The list of extensions, with their state as it is now; searched by number or name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit) -> Answer:
    return visit.page("extensions.html", **_content(visit))


def live(visit: Visit) -> Answer:
    return visit.page("extensions.part.html", **_content(visit))


def _content(visit: Visit) -> dict[str, Any]:
    everything = visit.perform("extensions", "list")
    wanted = visit.query.get("q", "").strip()
    found = [
        each
        for each in everything
        if wanted.casefold() in f"{each['number']} {each.get('name', '')}".casefold()
    ]
    return {"extensions": found, "count": len(everything), "wanted": wanted}


ROUTES = (
    Route("GET", "/extensions", show),
    Route("GET", "/extensions/live", live, Access.LIVE),
)
