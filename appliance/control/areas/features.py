"""Area `features`: the supplementary services; and beside it one area for each of their settings, and one for their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from appliance.config.codes import CODES, codes_of
from appliance.config.settings_area import Per
from appliance.control.area import Area, Key, Nothing, Request, Verb, not_found
from appliance.control.areas.keyed import KeyedArea
from appliance.features import settings_areas
from appliance.locale import keys, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.config.settings_area import SettingsArea
    from appliance.control.parts import Parts
    from appliance.features.feature import Feature
    from appliance.locale import Language

__all__ = ["about_area", "areas_of"]


class FeatureView(msgspec.Struct, frozen=True, kw_only=True):
    """A service."""

    name: str
    title: str
    "In the language of the box."
    codes: list[str]
    "What is dialled for it; those that are off are left out."
    areas: list[str]
    "Where its settings are."
    live: list[str]
    "The columns of its live table; empty: it has none."


class CodeView(msgspec.Struct, frozen=True, kw_only=True):
    """What is dialled for it."""

    name: str
    code: str
    "Empty: off."


class AreaView(msgspec.Struct, frozen=True, kw_only=True):
    """An area of its settings."""

    name: str
    per: Per
    settings: list[str]
    "Their names, without the key."
    secrets: list[str]
    "Those of them that are never shown."


class FeatureDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A service with what belongs to it."""

    name: str
    title: str
    codes: list[CodeView]
    areas: list[AreaView]
    live: list[str]


async def list_(parts: Parts, _: Request[Nothing]) -> list[FeatureView]:
    now = parts.config.current
    dialled = codes_of(now)
    return [
        FeatureView(
            name=each.name,
            title=_title(each.name, now.system.language),
            codes=[dialled[code.name] for code in each.codes if dialled.get(code.name)],
            areas=[area.name for area in each.areas],
            live=_columns(each),
        )
        for each in parts.features
    ]


async def show(parts: Parts, request: Request[Nothing]) -> FeatureDetail:
    now, feature = parts.config.current, _known(parts, request)
    dialled = codes_of(now)
    return FeatureDetail(
        name=feature.name,
        title=_title(feature.name, now.system.language),
        codes=[CodeView(name=code.name, code=dialled.get(code.name, "")) for code in feature.codes],
        areas=[about_area(area) for area in feature.areas],
        live=_columns(feature),
    )


async def live(parts: Parts, request: Request[Nothing]) -> list[dict[str, Any]]:
    """The live table of a service; empty, too, for one that has none."""
    snapshot = parts.snapshots.get(_known(parts, request).name)
    return [] if snapshot is None else [msgspec.structs.asdict(row) for row in snapshot()]


def _known(parts: Parts, request: Request[Nothing]) -> type[Feature]:
    for each in parts.features:
        if each.name == request.key:
            return each
    raise not_found(request.path)


def _columns(feature: type[Feature]) -> list[str]:
    return [] if feature.row is None else [*feature.row.__struct_fields__]


def about_area(area: SettingsArea) -> AreaView:
    """What there is to set in an area."""
    keyed = area.per != "box"
    names = [each for each in area.kind.__struct_fields__ if not (keyed and each == "name")]
    return AreaView(name=area.name, per=area.per, settings=names, secrets=sorted(area.secrets))


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
        Verb("show", show, Nothing, FeatureDetail, "One, with the names of its settings", key=Key.NEEDED),
        Verb("live", live, Nothing, list[dict[str, Any]], "What it has going on now", key=Key.NEEDED),
    ),
)
