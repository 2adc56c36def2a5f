"""Add many extensions at once: a row of numbers, each with a password made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.routes import Route
from webui.session import Generated

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["MOST_AT_ONCE", "ROUTES"]

MOST_AT_ONCE = 500
"As many as control makes in one go."

FIELDS = (
    form.text("first", longest=20, required=True),
    form.whole("count", 1, MOST_AT_ONCE),
    form.text("name", longest=60),
)


def show(visit: Visit) -> Answer:
    return _draw(visit, form.Reading(typed={"count": "10"}))


def save(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return _draw(visit, reading, 400)
    try:
        made = visit.perform("extensions", "add-many", **reading.values)
    except ConfigError as error:
        return _draw(visit, form.refused(reading, error), 400)
    if visit.session:
        rows = ((each["number"], each.get("name", ""), each["password"]) for each in made)
        visit.session.generated = Generated(tuple(rows))
    return visit.back_to("/extensions/sheet")


def _draw(visit: Visit, reading: form.Reading, status: int = 200) -> Answer:
    return visit.page("extensions_many.html", status, form=reading, most=MOST_AT_ONCE)


ROUTES = (
    Route("GET", "/extensions/many", show),
    Route("POST", "/extensions/many", save),
)
