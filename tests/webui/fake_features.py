"""The services of the console's fake control: their settings and codes, by the checks of the real ones, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from appliance import locale
from appliance.config import server
from appliance.config.codes import CODES, codes_of
from appliance.config.settings_area import SettingsArea
from appliance.config.snapshot import Snapshot, verify
from appliance.config.system import System
from appliance.control.areas import areas_with
from appliance.control.areas.features import about_area
from appliance.control.areas.keyed import KeyedArea
from appliance.control.control import describe
from appliance.control.values import read_values
from appliance.errors import ConfigError
from appliance.features import FEATURES, settings_areas
from appliance.features.feature import Feature
from tests.config.test_extension import extension

__all__ = ["FakeFeatures"]

JSON = dict[str, Any]


@dataclass
class FakeFeatures:
    """What `features`, `codes` and the areas of the services answer."""

    extensions: dict[str, JSON] = field(default_factory=dict)
    services: tuple[type[Feature], ...] = FEATURES
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    "What differs from the defaults: by area and key, the structs."
    live: dict[str, list[JSON]] = field(default_factory=dict)
    "What services have going on, by name."
    screens: dict[str, list[str]] = field(default_factory=dict)
    "What further exchanges show of themselves, by name."

    def described(self) -> JSON:
        """control's account of all areas, with these services."""
        return describe(areas_with(self.services))

    def service(self, area: str, verb: str, key: str | None, values: JSON) -> Any:
        """One request to an area of settings. ConfigError `error.unknown_verb` when this is none."""
        found = {each.name: each for each in (*settings_areas(self.services), server.AREA)}.get(area)
        if found is None or verb not in self.described()[area]:
            raise ConfigError("", "error.unknown_verb")
        keyed = KeyedArea(found, "", server.free_ports) if found is server.AREA else KeyedArea(found, "")
        return getattr(self, f"_{verb}_setting")(keyed, key or "", values)

    def features_list(self, key: str | None, values: JSON) -> list[JSON]:
        codes = codes_of(self.now)
        return [
            {
                "name": each.name,
                "title": each.name,
                "codes": [codes[code.name] for code in each.codes if codes[code.name]],
                "areas": [area.name for area in each.areas],
                "live": _columns(each),
            }
            for each in self.services
        ]

    def features_show(self, key: str | None, values: JSON) -> JSON:
        for each in self.services:
            if each.name == key:
                codes = [{"name": code.name, "code": codes_of(self.now)[code.name]} for code in each.codes]
                areas = [msgspec.to_builtins(about_area(area)) for area in each.areas]
                told = {"name": each.name, "title": each.name, "codes": codes, "areas": areas}
                return {**told, "live": _columns(each)}
        raise ConfigError("features." + str(key), "error.not_found")

    def features_live(self, key: str | None, values: JSON) -> list[JSON]:
        self.features_show(key, {})
        return self.live.get(str(key), [])

    @property
    def now(self) -> Snapshot:
        return Snapshot(
            1,
            System(),
            {number: extension(number) for number in self.extensions if number.isdigit()},
            features={area: dict(items) for area, items in self.kept.items()},
            areas={each.name: each for each in (*settings_areas(self.services), server.AREA)},
        )

    def _list_setting(self, area: KeyedArea, key: str, values: JSON) -> list[JSON]:
        names = area.settings.fixed or self.now.items(area.name)
        return [self._show_setting(area, name, {}) for name in names]

    def _show_setting(self, area: KeyedArea, key: str, values: JSON) -> JSON:
        if not self.now.has_setting(area.name, key):
            raise ConfigError(area.name + "." + key, "error.not_found")
        shown = area.exported(self.now.setting(area.name, key))
        return {**shown, **self._about(area.settings, key)}

    def _about(self, area: SettingsArea, key: str) -> JSON:
        if area is server.AREA:
            return {"says": self.screens.get(key, [])}
        if area.name != CODES:
            return {}
        owner = next(each.name for each in self.services if key in (code.name for code in each.codes))
        known = f"code.{key}" in locale.keys()  # noqa: SIM118  # a function
        return {"feature": owner, "about": locale.say(f"code.{key}", "en") if known else key}

    def _add_setting(self, area: KeyedArea, key: str, values: JSON) -> JSON:
        new = read_values(area.name, area.taken_by_new(), values)
        name = values["name"]
        if name in self.now.items(area.name):
            raise ConfigError(area.name + ".name", "error.name_taken", name=name)
        self._change(self.now.with_item(area.name, area.built(self.now, new)))
        return self._show_setting(area, name, {})

    def _set_setting(self, area: KeyedArea, key: str, values: JSON) -> JSON:
        self._show_setting(area, key, {})
        change = read_values(f"{area.name}.{key}", area.taken_by_change(), values)
        changed = area.changed(self.now.setting(area.name, key), change)
        self._change(self.now.with_item(area.name, changed))
        return self._show_setting(area, key, {})

    def _remove_setting(self, area: KeyedArea, key: str, values: JSON) -> JSON:
        self._show_setting(area, key, {})
        self._change(self.now.without_item(area.name, key))
        return {"done": True}

    def _change(self, new: Snapshot) -> None:
        verify(self.now, new)
        self.kept = new.features


def _columns(feature: type[Feature]) -> list[str]:
    return [] if feature.row is None else [*feature.row.__struct_fields__]
