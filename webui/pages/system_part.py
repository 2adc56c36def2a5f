"""A part of the system's settings on a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.pages import setting_edit
from webui.places import Place
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["routes_of"]


def routes_of(area: str, home: str, title: str, about: str) -> tuple[Route, Route]:
    """To see and to save an area of which there is one. `home` is where it is led to from; the others are locale keys."""

    def place(visit: Visit) -> Place:
        return Place(
            *(area, "box", "system"),
            home=home,
            home_title=visit.say("console.nav.system"),
            about=visit.say(about),
            title=visit.say(title),
        )

    def show(visit: Visit) -> Answer:
        return setting_edit.show(place(visit), visit, None)

    def save(visit: Visit) -> Answer:
        return setting_edit.save(place(visit), visit, None)

    return Route("GET", f"/system/{area}", show), Route("POST", f"/system/{area}", save)
