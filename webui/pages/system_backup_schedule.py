"""Backups by themselves: when, where to, how many; and one at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.pages.system_part import routes_of
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def run(visit: Visit) -> Answer:
    made = visit.perform_on_the_box("backup", "run")
    return visit.back_to("/system#backup", "console.backups.made", file=made["file"])


ROUTES = (
    *routes_of("backup-schedule", "/system#backup", "console.backups.title", "console.backups.about"),
    Route("POST", "/system/backup-schedule/run", run),
)
