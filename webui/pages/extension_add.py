"""Add one extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.places import of_each_extension
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["FIELDS", "LONGEST_RING_S", "ROUTES", "SHORTEST_RING_S", "draw"]

SHORTEST_RING_S, LONGEST_RING_S = 5, 300
HIGHEST_LEVEL = 9

NUMBER = form.text("number", longest=20, required=True)
FIELDS = (
    form.text("name", longest=64),
    form.secret("password", shortest=4, omit_empty=True),
    form.whole("ring_seconds", SHORTEST_RING_S, LONGEST_RING_S, omit_empty=True),
    form.whole("level", 0, HIGHEST_LEVEL, omit_empty=True),
    form.flag("enabled"),
)
"What can be changed later too; the number cannot."


def show(visit: Visit) -> Answer:
    return draw(visit, form.Reading(typed={"enabled": "on", "ring_seconds": "60", "level": "0"}), None)


def save(visit: Visit) -> Answer:
    reading = form.read((NUMBER, *FIELDS), visit.form)
    if reading.good and "password" not in reading.values:
        reading.errors["password"] = form.FieldError("console.form.required")
    if not reading.good:
        return draw(visit, reading, None, 400)
    try:
        made = visit.perform("extensions", "add", **reading.values)
    except ConfigError as error:
        return draw(visit, form.refused(reading, error), None, 400)
    return visit.back_to("/extensions", "console.extensions.added", number=made["number"])


def draw(visit: Visit, reading: form.Reading, number: str | None, status: int = 200) -> Answer:
    """The form, to add (`number` is None) or to change."""
    return visit.page(
        "extension_form.html",
        status,
        form=reading,
        number=number,
        shortest_ring=SHORTEST_RING_S,
        longest_ring=LONGEST_RING_S,
        highest_level=HIGHEST_LEVEL,
        services=of_each_extension(visit) if number else [],
    )


ROUTES = (
    Route("GET", "/extensions/add", show),
    Route("POST", "/extensions/add", save),
)
