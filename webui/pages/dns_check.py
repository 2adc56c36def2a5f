"""Check a name: does the network's name server tell the truth about it? And what the exchange found by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

FIELDS = (form.text("name", longest=500, required=True),)


def show(visit: Visit) -> Answer:
    return _draw(visit, form.Reading())


def check(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return _draw(visit, reading, 400)
    try:
        checked = visit.perform("dns-check", "show", reading.values["name"])
    except ConfigError as error:
        reading.errors["name"] = form.FieldError(error.key, **error.params)
        return _draw(visit, reading, 400)
    return _draw(visit, reading, checked=checked)


def _draw(
    visit: Visit, reading: form.Reading, status: int = 200, checked: dict[str, object] | None = None
) -> Answer:
    findings = visit.perform("dns-check", "list")
    return visit.page("dns_check.html", status, form=reading, checked=checked, findings=findings)


ROUTES = (
    Route("GET", "/system/dns-check", show),
    Route("POST", "/system/dns-check", check),
)
