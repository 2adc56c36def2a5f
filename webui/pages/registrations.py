"""Which phone is registered for which extension, from where, and for how long still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit) -> Answer:
    return visit.page("registrations.html", registrations=visit.perform("registrations", "list"))


def live(visit: Visit) -> Answer:
    return visit.page("registrations.part.html", registrations=visit.perform("registrations", "list"))


ROUTES = (
    Route("GET", "/registrations", show),
    Route("GET", "/registrations/live", live, Access.LIVE),
)
