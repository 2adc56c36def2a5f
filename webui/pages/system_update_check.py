"""Where to look for updates, and whether they are taken by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.pages import setting_edit
from webui.places import Place
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit) -> Answer:
    return setting_edit.show(_place(visit), visit, None)


def save(visit: Visit) -> Answer:
    return setting_edit.save(_place(visit), visit, None)


def _place(visit: Visit) -> Place:
    return Place(
        "update-check",
        "box",
        "system",
        home="/system#update",
        home_title=visit.say("console.nav.system"),
        about=visit.say("console.updates.about"),
        title=visit.say("console.updates.title"),
    )


ROUTES = (
    Route("GET", "/system/update-check", show),
    Route("POST", "/system/update-check", save),
)
