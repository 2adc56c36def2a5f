"""Further exchanges on this box: which there are and what each shows of itself; add, change and, after asking, remove one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.pages import setting_add, setting_edit, setting_remove
from webui.places import Place
from webui.routes import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

AREA = "servers"
HOME = "/system/servers"


def _place(visit: Visit) -> Place:
    return Place(
        *(AREA, "item", "system"),
        home=HOME,
        home_title=visit.say("console.further.title"),
        about=visit.say("console.further.about"),
        title=visit.say("console.further.add"),
    )


def show(visit: Visit) -> Answer:
    return visit.page("servers.html", place=_place(visit), servers=visit.perform(AREA, "list"))


def _of_one(action: str, act: Callable[[Place, Visit, str], Answer], method: str) -> Route:
    return Route(method, f"{HOME}/<name>/{action}", lambda visit, name: act(_place(visit), visit, name))


ROUTES = (
    Route("GET", HOME, show),
    Route("GET", f"{HOME}/add", lambda visit: setting_add.show(_place(visit), visit)),
    Route("POST", f"{HOME}/add", lambda visit: setting_add.save(_place(visit), visit)),
    _of_one("edit", setting_edit.show, "GET"),
    _of_one("edit", setting_edit.save, "POST"),
    _of_one("remove", setting_remove.show, "GET"),
    _of_one("remove", setting_remove.save, "POST"),
)
