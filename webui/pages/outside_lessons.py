"""What was learned about the other side of a line or trunk: forget it, or have it stay."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui.places import LEARNING
from webui.routes import Route
from webui.visit import path_to

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def forget(area: str, visit: Visit, name: str) -> Answer:
    back = path_to("outside", area, name, "edit")
    try:
        visit.perform(area, "forget", name, feature=visit.form.get("feature", ""))
    except ConfigError as error:
        return visit.back_with_refusal(back, error.key, **error.params)
    return visit.back_to(back, "console.lessons.forgotten")


def pin(area: str, visit: Visit, name: str) -> Answer:
    back = path_to("outside", area, name, "edit")
    values = {each: visit.form[each] for each in ("feature", "use") if each in visit.form}
    try:
        visit.perform(area, "pin", name, **values)
    except ConfigError as error:
        return visit.back_with_refusal(back, error.key, **error.params)
    return visit.back_to(back, "console.lessons.kept")


ROUTES = tuple(
    Route("POST", f"/outside/{area}/<name>/{verb}", partial(handler, area))
    for area in LEARNING
    for verb, handler in (("forget", forget), ("pin", pin))
)
