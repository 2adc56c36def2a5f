"""Change what holds for every route: the out prefix and the emergency numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.layouts import laid_out
from webui.routes import Route
from webui.settings import settings_of, shown

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.settings import Setting
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit) -> Answer:
    return _draw(visit, form.Reading(typed=shown(_settings(visit), visit.perform("dial-plan", "show"))))


def save(visit: Visit) -> Answer:
    reading = form.read([each.field for each in _settings(visit)], visit.form)
    if not reading.good:
        return _draw(visit, reading, 400)
    try:
        visit.perform("dial-plan", "set", **reading.values)
    except ConfigError as error:
        return _draw(visit, form.refused(reading, error), 400)
    return visit.back_to("/outside", "console.ways.plan_saved")


def _settings(visit: Visit) -> tuple[Setting, ...]:
    return settings_of(visit.takes("dial-plan", "set"))


def _draw(visit: Visit, reading: form.Reading, status: int = 200) -> Answer:
    groups = laid_out("dial-plan", _settings(visit), reading)
    return visit.page("outside_dial_plan.html", status, form=reading, groups=groups)


ROUTES = (
    Route("GET", "/outside/dial-plan", show),
    Route("POST", "/outside/dial-plan", save),
)
