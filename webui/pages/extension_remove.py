"""Remove one extension, after asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit, number: str) -> Answer:
    return visit.page("extension_remove.html", extension=visit.perform("extensions", "show", number))


def save(visit: Visit, number: str) -> Answer:
    visit.perform("extensions", "remove", number)
    return visit.back_to("/extensions", "console.extensions.removed", number=number)


ROUTES = (
    Route("GET", "/extensions/<number>/remove", show),
    Route("POST", "/extensions/<number>/remove", save),
)
