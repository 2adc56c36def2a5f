"""Where would this call go? Asked of the dial plan, and answered step by step in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from webui import form
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

FIELDS = (
    form.text("number", longest=64, required=True),
    form.text("from", longest=64, omit_empty=True),
    form.text("at", longest=32, omit_empty=True),
)


def show(visit: Visit) -> Answer:
    """A question in the address, so that it can be asked again and passed on."""
    if "number" not in visit.query:
        return _draw(visit, form.Reading())
    reading = form.read(FIELDS, visit.query)
    if not reading.good:
        return _draw(visit, reading, 400)
    number = reading.values.pop("number")
    try:
        explained = visit.perform("routes", "test", number, **reading.values)
    except ConfigError as error:
        return _draw(visit, form.refused(reading, error), 400)
    return _draw(visit, reading, decision=explained["decision"])


def _draw(
    visit: Visit, reading: form.Reading, status: int = 200, decision: dict[str, Any] | None = None
) -> Answer:
    steps = [_in_words(visit, each) for each in decision["steps"]] if decision else []
    return visit.page(
        "outside_test.html",
        status,
        form=reading,
        outcome=decision and decision["outcome"],
        steps=steps,
        callers=_callers(visit),
    )


def _in_words(visit: Visit, step: dict[str, Any]) -> str:
    params = dict(step["params"])
    if "causes" in params:
        params["causes"] = "; ".join(visit.say(f"cause.{each}") for each in params["causes"].split(", "))
    return visit.say(step["key"], **params)


def _callers(visit: Visit) -> list[tuple[str, str]]:
    """Who can be chosen, as control is told and as people read it."""
    extensions = [
        (each["number"], f"{each['number']} {each['name']}") for each in visit.perform("extensions", "list")
    ]
    ways = [
        (f"{area[:-1]}:{each['name']}", visit.say(f"console.ways.from.{area}", name=each["name"]))
        for area in ("lines", "trunks")
        for each in visit.perform(area, "list")
    ]
    return [("", visit.say("console.ways.from_anybody")), *extensions, *ways]


ROUTES = (Route("GET", "/outside/test", show),)
