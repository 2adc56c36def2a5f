"""The whole configuration as one frozen value, and the checks that look across its areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from appliance.config import dial_plan as dial_plan_checks
from appliance.config import extension as extension_checks
from appliance.config import line as line_checks
from appliance.config import music as music_checks
from appliance.config import route as route_checks
from appliance.config import system as system_checks
from appliance.config import trunk as trunk_checks
from appliance.config.dial_plan import DialPlan
from appliance.config.extension import Extension
from appliance.config.line import Line
from appliance.config.music import Music
from appliance.config.route import (
    FAIL_OVER_CAUSES,
    MAX_ROUTES,
    Names,
    Route,
    check_references,
    extensions_of,
)
from appliance.config.settings_area import SettingsArea
from appliance.config.system import System
from appliance.config.trunk import Trunk
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["KEYED", "MAX_EXTENSIONS", "Snapshot", "verify"]

# What one process is measured for; past it, a second exchange is the answer.
MAX_EXTENSIONS = 10_000


def _alone(check: Callable[[Any], None]) -> Callable[[Any, Snapshot], None]:
    """For a check that needs no other settings."""
    return lambda item, _: check(item)


KEYED = {
    each.name: each
    for each in (
        # Each line keeps a registration alive, each peer of a trunk an OPTIONS: an office has a handful.
        SettingsArea(
            *("lines", Line, "item", _alone(line_checks.verify), 100),
            secrets=frozenset({"password"}),
            columns=("state", "cause", "reason", "since", "calls"),
        ),
        SettingsArea(
            *("trunks", Trunk, "item", _alone(trunk_checks.verify), 100),
            columns=("state", "peer_states", "since", "calls", "refused"),
        ),
        SettingsArea(
            *("routes", Route, "item", _alone(route_checks.verify), MAX_ROUTES),
            choices={"fail_over_on": FAIL_OVER_CAUSES},
            columns=("enabled", "pattern", "callers", "times", "level", "to"),
        ),
    )
}
"By area, which is a field of the snapshot, too."


class Snapshot(msgspec.Struct, frozen=True):
    """One state of all settings. Nobody writes into it: an edit makes another one."""

    revision: int
    "Grows with each change that was committed."
    system: System
    extensions: dict[str, Extension]
    "By number."
    lines: dict[str, Line] = {}
    trunks: dict[str, Trunk] = {}
    routes: dict[str, Route] = {}
    dial_plan: DialPlan = DialPlan()
    music: Music = Music()

    features: dict[str, dict[str, Any]] = {}
    "What is stored of the services' settings: by area, then by key. `setting` knows the defaults, too."
    areas: dict[str, SettingsArea] = {}
    "The services' areas by name: what may be in `features`."

    def area(self, name: str) -> SettingsArea:
        """What is known of an area. KeyError when there is none."""
        return KEYED.get(name) or self.areas[name]

    def items(self, area: str) -> dict[str, Any]:
        """What is stored of an area, by key."""
        if area in KEYED:
            found: dict[str, Any] = getattr(self, area)
            return found
        return self.features.get(area, {})

    def setting(self, area: str, key: str = "") -> Any:
        """What holds for a key: what is stored, or else the default. KeyError: an item that nobody made."""
        found = self.items(area).get(key)
        return self.area(area).default(key) if found is None else found

    def has_setting(self, area: str, key: str) -> bool:
        """Whether there is something under a key: an extension that exists, an item that somebody made, ..."""
        return key in self.items(area) or self.area(area).has(key, self.extensions)

    def with_item(self, area: str, item: Any) -> Snapshot:
        """The same with this item added or replaced."""
        return self.with_items(area, [item])

    def with_items(self, area: str, items: Iterable[Any]) -> Snapshot:
        """The same with these items added or replaced."""
        key_of = self.area(area).key_of
        return self._replaced(area, {**self.items(area), **{key_of(each): each for each in items}})

    def without_item(self, area: str, key: str) -> Snapshot:
        """The same without this item; where there is a default, that holds from now on."""
        return self._replaced(area, {name: each for name, each in self.items(area).items() if name != key})

    def _replaced(self, area: str, items: dict[str, Any]) -> Snapshot:
        if area in KEYED:
            return msgspec.structs.replace(self, **{area: items})
        features = {**self.features, area: self.area(area).differing(items)}
        return msgspec.structs.replace(self, features={name: each for name, each in features.items() if each})

    def with_extension(self, extension: Extension) -> Snapshot:
        """The same with this extension added or replaced."""
        return self.with_extensions([extension])

    def with_extensions(self, extensions: list[Extension]) -> Snapshot:
        """The same with these extensions added or replaced."""
        return msgspec.structs.replace(
            self, extensions={**self.extensions, **{each.number: each for each in extensions}}
        )

    def without_extension(self, number: str) -> Snapshot:
        """The same without this extension, and without what services keep of it."""
        rest = {key: each for key, each in self.extensions.items() if key != number}
        features = {
            area: {key: each for key, each in items.items() if key != number}
            if self.areas[area].per == "extension"
            else items
            for area, items in self.features.items()
        }
        kept = {area: items for area, items in features.items() if items}
        return msgspec.structs.replace(self, extensions=rest, features=kept)


def verify(old: Snapshot, new: Snapshot) -> None:
    """Raise ConfigError for the first thing wrong in what is new; what has not changed is not looked at again."""
    if new.system != old.system:
        system_checks.verify(new.system)
        if new.system.realm != old.system.realm:
            raise ConfigError("system.realm", "error.read_only")
    if len(new.extensions) > max(MAX_EXTENSIONS, len(old.extensions)):
        raise ConfigError("extensions", "error.too_many", limit=MAX_EXTENSIONS)
    for number, extension in new.extensions.items():
        if extension is old.extensions.get(number):
            continue
        if extension.number != number:
            raise ConfigError("extensions." + number + ".number", "error.read_only")
        extension_checks.verify(extension)
    if new.dial_plan != old.dial_plan:
        dial_plan_checks.verify(new.dial_plan)
    if new.music != old.music:
        music_checks.verify(new.music)
    for area in (*KEYED.values(), *new.areas.values()):
        _verify_items(area, old, new)
    _verify_references(old, new)


def _verify_references(old: Snapshot, new: Snapshot) -> None:
    """What routes name must exist. A line that a route still names cannot go; an extension may, for people come and go.

    So a route may keep what it named before, or no other setting of it could be changed before that one is mended.
    """
    if new.lines != old.lines:
        line_checks.check_places(new.lines.values())
    changed = (new.lines, new.trunks, new.routes) != (old.lines, old.trunks, old.routes)
    if not changed:
        return
    # A group is reached as an extension is, by its number.
    services = [area for area in new.areas.values() if area.per == "item"]
    numbers = {*new.extensions, *(key for area in services for key in new.items(area.name))}
    for route in new.routes.values():
        before = old.routes.get(route.name)
        kept = frozenset() if before is None else extensions_of(before)
        names = Names(
            lines=new.lines,
            trunks=new.trunks,
            extensions=numbers | kept if kept else numbers,
            features={area.name for area in services},
        )
        check_references(route, names)


def _verify_items(area: SettingsArea, old: Snapshot, new: Snapshot) -> None:
    before, after = old.items(area.name), new.items(area.name)
    if before is after:
        return
    if len(after) > area.most and area.per == "item":
        raise ConfigError(area.name, "error.too_many", limit=area.most)
    # What is gone has its default again, which must be possible beside the rest.
    for key in (*after, *(before.keys() - after.keys())):
        item, path = after.get(key), f"{area.name}.{key[:64]}" if key else area.name
        if item is before.get(key):
            continue
        if item is not None and area.key_of(item) != key:
            raise ConfigError(path + ".name", "error.read_only")
        if area.has(key, new.extensions):
            area.verify(new.setting(area.name, key), new)
        elif item is not None and area.per == "item":
            area.verify(item, new)
        elif item is not None:
            raise ConfigError(path, "error.not_found")
