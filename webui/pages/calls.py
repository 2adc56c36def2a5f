"""The calls of this moment, and a form to have one made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui import form
from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES", "draw"]


def show(visit: Visit) -> Answer:
    return draw(visit)


def draw(visit: Visit, refused: form.Reading | None = None) -> Answer:
    """The page; `refused` is what was typed and cannot be."""
    return visit.page(
        "calls.html",
        400 if refused else 200,
        calls=visit.perform("calls", "list"),
        extensions=visit.perform("extensions", "list"),
        dial=refused or form.Reading(),
    )


def live(visit: Visit) -> Answer:
    return visit.page("calls.part.html", calls=visit.perform("calls", "list"))


ROUTES = (
    Route("GET", "/calls", show),
    Route("GET", "/calls/live", live, Access.LIVE),
)
