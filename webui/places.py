"""Where in the console the settings of an area are, and how its pages are headed: below `/outside`, or below `/features`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from appliance.errors import ConfigError
from webui import words
from webui.visit import path_to

if TYPE_CHECKING:
    from webui.visit import Visit

__all__ = [
    "CODES",
    "KEYED",
    "LEARNING",
    "OUTSIDE",
    "Kind",
    "Place",
    "kind_of",
    "of_each_extension",
    "outside",
    "service",
    "title_of",
]

OUTSIDE = ("lines", "trunks", "routes")
LEARNING = ("lines", "trunks")
"Those that have somebody at their other end, about whom there is something to learn."
CODES = "codes"
"The area of what is dialled for the services."

Kind = Literal["item", "extension", "box", "fixed"]
"""`item`: people add and remove them. `extension`: each extension has one. `box`: there is one. `fixed`: there are those that
there are."""
KEYED: tuple[Kind, ...] = ("item", "extension", "fixed")
"Those of which there are several."


@dataclass(frozen=True, slots=True)
class Place:
    """Of one area."""

    area: str
    kind: Kind
    base: str
    "The first part of its addresses."
    home: str
    "Where its pages lead back to."
    home_title: str
    about: str
    "One sentence; may be empty."
    title: str
    "Of a form to add one, or of the only one."

    def path(self, *more: str) -> str:
        """The address of a page."""
        return path_to(self.base, self.area, *more)

    def heading(self, visit: Visit, name: str | None) -> str:
        """Of the form that changes one, or adds one."""
        if name is None:
            return self.title
        if self.base == "outside":
            return visit.say(f"console.ways.edit.{self.area}", name=name)
        shown = words.say_or_none(f"code.{name}", visit.language) if self.kind == "fixed" else None
        return visit.say("console.features.edit_title", title=self.title, name=shown or name)


def outside(visit: Visit, area: str) -> Place:
    """The place of a line, a trunk or a route."""
    return Place(
        area,
        "item",
        "outside",
        home="/outside",
        home_title=visit.say("console.nav.outside"),
        about=visit.say(f"console.ways.about.{area}"),
        title=visit.say(f"console.ways.add.{area}"),
    )


def service(visit: Visit, area: str, *kinds: Kind) -> Place:
    """The place of a service's settings, or of the codes, of one of these kinds. ConfigError `error.not_found`: it is none."""
    known = {CODES, *(name for each in visit.perform("features", "list") for name in each["areas"])}
    kind = kind_of(visit, area)
    if area not in known or kind not in kinds:
        raise ConfigError(area, "error.not_found")
    above = kind in ("box", "fixed")
    title = title_of(visit, area)
    return Place(
        area,
        kind,
        "features",
        home="/features" if above else path_to("features", area),
        home_title=visit.say("console.nav.features") if above else title,
        about=words.say_or_none(f"feature.{_word(area)}.about", visit.language) or "",
        title=title,
    )


def kind_of(visit: Visit, area: str) -> Kind:
    """How many of them there are, by what can be asked."""
    verbs = visit.console.describe().get(area, {})
    if area == CODES:
        return "fixed"
    if "add" in verbs:
        return "item"
    return "extension" if "list" in verbs else "box"


def of_each_extension(visit: Visit) -> list[tuple[str, str]]:
    """The areas, with their titles, of which each extension has one."""
    areas = [area for each in visit.perform("features", "list") for area in each["areas"]]
    return [(area, title_of(visit, area)) for area in areas if kind_of(visit, area) == "extension"]


def title_of(visit: Visit, name: str) -> str:
    """Of a service or an area, which needs no words of its own when it has the service's name."""
    key = _word(name)
    found = (words.say_or_none(each, visit.language) for each in (f"area.{key}", f"feature.{key}"))
    return next(filter(None, found), name)


def _word(name: str) -> str:
    return name.replace("-", "_")
