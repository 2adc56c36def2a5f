"""Change one extension. An empty password field leaves the password as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.pages.extension_add import FIELDS, draw
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit, number: str) -> Answer:
    extension = visit.perform("extensions", "show", number)
    typed = {
        "name": str(extension.get("name", "")),
        "ring_seconds": f"{extension.get('ring_seconds', 60):g}",
        "level": str(extension.get("level", 0)),
        "enabled": "on" if extension.get("enabled", True) else "",
    }
    return draw(visit, form.Reading(typed=typed), number)


def save(visit: Visit, number: str) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return draw(visit, reading, number, 400)
    try:
        visit.perform("extensions", "set", number, **reading.values)
    except ConfigError as error:
        if error.key == "error.not_found":
            raise
        return draw(visit, form.refused(reading, error), number, 400)
    return visit.back_to("/extensions", "console.extensions.saved", number=number)


ROUTES = (
    Route("GET", "/extensions/<number>/edit", show),
    Route("POST", "/extensions/<number>/edit", save),
)
