"""Area `features`: the supplementary services; and beside it one area for each of their settings, and one for their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from appliance.config.codes import CODES, codes_of
from appliance.control.area import Area, Nothing, Request, Verb
from appliance.control.areas.keyed import KeyedArea
from appliance.features import settings_areas
from appliance.locale import keys, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.config.settings_area import SettingsArea
    from appliance.control.parts import Parts
    from appliance.features.feature import Feature
    from appliance.locale import Language

__all__ = ["areas_of"]


class FeatureView(msgspec.Struct, frozen=True, kw_only=True):
    """A service."""

    name: str
    title: str
    "In the language of the box."
    codes: list[str]
    "What is dialled for it; those that are off are left out."
    areas: list[str]
    "Where its settings are."


async def list_(parts: Parts, _: Request[Nothing]) -> list[FeatureView]:
    now = parts.config.current
    dialled = codes_of(now)
    return [
        FeatureView(
            name=each.name,
            title=_title(each.name, now.system.language),
            codes=[dialled[code.name] for code in each.codes if dialled.get(code.name)],
            areas=[area.name for area in each.areas],
        )
        for each in parts.features
    ]


def areas_of(features: tuple[type[Feature], ...]) -> tuple[Area, ...]:
    """Everything that can be asked about services."""
    keyed = (_keyed(each) for each in settings_areas(features))
    return (AREA, *(each.area() for each in keyed))


def _keyed(area: SettingsArea) -> KeyedArea:
    if area.name == CODES:
        return KeyedArea(area, "What is dialled for the services", live=_about_code)
    return KeyedArea(area, _title(area.name, "en"))


def _about_code(parts: Parts, item: Any) -> Mapping[str, Any]:
    language = parts.config.current.system.language
    owners = (each.name for each in parts.features if item.name in (code.name for code in each.codes))
    return {"feature": next(owners, ""), "about": _words(f"code.{item.name}", language) or item.name}


def _title(name: str, language: Language) -> str:
    """Of a service or an area; one that has the name of its service needs no words of its own."""
    key = name.replace("-", "_")
    return _words(f"area.{key}", language) or _words(f"feature.{key}", language) or name


def _words(key: str, language: Language) -> str:
    return say(key, language) if key in keys() else ""


AREA = Area(
    "features",
    "The supplementary services",
    (
        Verb(
            "list", list_, Nothing, list[FeatureView], "All, with their codes and the areas of their settings"
        ),
    ),
)
