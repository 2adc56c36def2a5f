"""The settings of a service: a table of what there is, or the form of what there is one of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.pages import setting_edit
from webui.pages.setting_add import settings
from webui.places import KEYED, service
from webui.routes import Route
from webui.visit import path_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from webui.answer import Answer
    from webui.places import Place
    from webui.settings import Setting
    from webui.visit import Visit

__all__ = ["ROUTES"]

MOST_COLUMNS = 4
"Of a table whose service does not say what it shows."


def show(visit: Visit, area: str) -> Answer:
    place = service(visit, area, *KEYED, "box")
    if place.kind == "box":
        return setting_edit.show(place, visit, None)
    extensions = visit.perform("extensions", "list") if place.kind == "extension" else []
    return visit.page(
        "feature_settings.html",
        place=place,
        columns=_columns(visit, place),
        items=visit.perform(area, "list"),
        extensions=[(each["number"], f"{each['number']} {each['name']}".strip()) for each in extensions],
        names={each["number"]: each["name"] for each in extensions},
    )


def save(visit: Visit, area: str) -> Answer:
    return setting_edit.save(service(visit, area, "box"), visit, None)


def choose(visit: Visit, area: str) -> Answer:
    """An extension was chosen from the list: on to its form."""
    return visit.back_to(path_to("features", area, visit.query.get("name") or "-", "edit"))


def _columns(visit: Visit, place: Place) -> list[Setting]:
    wanted: Sequence[str] = visit.takes(place.area, "list").get("columns", ())
    shown = [each for each in settings(visit, place) if each.name != "name" and each.kind != "secret"]
    by_name = {each.name: each for each in shown}
    return [by_name[name] for name in wanted if name in by_name] or shown[:MOST_COLUMNS]


ROUTES = (
    Route("GET", "/features/<area>", show),
    Route("POST", "/features/<area>", save),
    Route("GET", "/features/<area>/choose", choose),
)
