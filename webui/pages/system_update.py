"""Ask for an update by its address. It is fetched, checked and tried without this page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.pages.system import draw
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

FIELDS = (form.text("source", longest=500),)


def install(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return draw(visit, "updating", reading)
    try:
        visit.perform("update", "install", source=reading.values["source"])
    except ConfigError as error:
        return draw(visit, "updating", form.refused(reading, error))
    return visit.back_to("/system", "console.update.asked")


ROUTES = (Route("POST", "/system/update", install),)
