"""Backups by themselves: when, where to, how many; and one at once."""

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


def run(visit: Visit) -> Answer:
    made = visit.perform_on_the_box("backup", "run")
    return visit.back_to("/system#backup", "console.backups.made", file=made["file"])


def _place(visit: Visit) -> Place:
    return Place(
        "backup-schedule",
        "box",
        "system",
        home="/system#backup",
        home_title=visit.say("console.nav.system"),
        about=visit.say("console.backups.about"),
        title=visit.say("console.backups.title"),
    )


ROUTES = (
    Route("GET", "/system/backup-schedule", show),
    Route("POST", "/system/backup-schedule", save),
    Route("POST", "/system/backup-schedule/run", run),
)
