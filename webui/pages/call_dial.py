"""Click to dial: an extension's phones ring, and whoever answers is put through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.pages.calls import draw
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

FIELDS = (form.text("number", longest=15, required=True), form.text("to", longest=64, required=True))


def save(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return draw(visit, reading)
    number, to = str(reading.values["number"]), str(reading.values["to"])
    try:
        visit.perform("calls", "dial", number, to=to)
    except ConfigError as error:
        field = "to" if error.path.endswith(".to") else "number"
        reading.errors[field] = form.FieldError(error.key, **error.params)
        return draw(visit, reading)
    return visit.back_to("/calls", "console.calls.dialling", number=number, to=to)


ROUTES = (Route("POST", "/calls/dial", save),)
