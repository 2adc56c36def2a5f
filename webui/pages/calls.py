"""The calls of this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit) -> Answer:
    return visit.page("calls.html", calls=visit.perform("calls", "list"))


def live(visit: Visit) -> Answer:
    return visit.page("calls.part.html", calls=visit.perform("calls", "list"))


ROUTES = (
    Route("GET", "/calls", show),
    Route("GET", "/calls/live", live, Access.LIVE),
)
