"""The first page: how the box is, who is reachable, who talks, what went on last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

LAST_CALLS = 6
MOST_SHOWN = 60
"Extensions drawn as tiles here; a bigger office looks at its list."


def show(visit: Visit) -> Answer:
    return visit.page("overview.html", **_content(visit))


def live(visit: Visit) -> Answer:
    return visit.page("overview.part.html", **_content(visit))


def _content(visit: Visit) -> dict[str, Any]:
    extensions = visit.perform("extensions", "list")
    return {
        "status": visit.perform("status", "show"),
        "extensions": extensions[:MOST_SHOWN],
        "count": len(extensions),
        "online": sum(each.get("state", "offline") != "offline" for each in extensions),
        "calls": visit.perform("calls", "list"),
        "records": visit.perform("records", "list", limit=LAST_CALLS),
    }


ROUTES = (
    Route("GET", "/", show),
    Route("GET", "/overview/live", live, Access.LIVE),
)
