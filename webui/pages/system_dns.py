"""Save with whose name servers the DNS check compares."""

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

FIELDS = (form.text("dns_references", longest=300),)


def save(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return draw(visit, "dns", reading)
    try:
        references = str(reading.values["dns_references"]).replace(",", " ").split()
        visit.perform("system", "set", dns_references=references)
    except ConfigError as error:
        return draw(visit, "dns", form.refused(reading, error))
    return visit.back_to("/system", "console.system.saved")


ROUTES = (Route("POST", "/system/dns", save),)
