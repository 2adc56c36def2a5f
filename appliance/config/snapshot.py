"""The whole configuration as one frozen value, and the checks that look across its areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
from appliance.config.route import MAX_ROUTES, Names, Route, check_references, extensions_of
from appliance.config.system import System
from appliance.config.trunk import Trunk
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KEYED", "MAX_EXTENSIONS", "Keyed", "Snapshot", "verify"]

# What one process is measured for; past it, a second exchange is the answer.
MAX_EXTENSIONS = 10_000


class Keyed(NamedTuple):
    """An area of settings of which there are several, each under the key that is its `name`."""

    kind: type[msgspec.Struct]
    verify: Callable[[Any], None]
    most: int
    "How many there may be."


KEYED = {
    # Each line keeps a registration alive, each peer of a trunk an OPTIONS: an office has a handful.
    "lines": Keyed(Line, line_checks.verify, 100),
    "trunks": Keyed(Trunk, trunk_checks.verify, 100),
    "routes": Keyed(Route, route_checks.verify, MAX_ROUTES),
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

    def items(self, area: str) -> dict[str, Any]:
        """The settings of one of `KEYED`, by key."""
        found: dict[str, Any] = getattr(self, area)
        return found

    def with_item(self, area: str, item: Any) -> Snapshot:
        """The same with this item added or replaced."""
        return msgspec.structs.replace(self, **{area: {**self.items(area), item.name: item}})

    def without_item(self, area: str, key: str) -> Snapshot:
        """The same without this item."""
        rest = {name: each for name, each in self.items(area).items() if name != key}
        return msgspec.structs.replace(self, **{area: rest})

    def with_extension(self, extension: Extension) -> Snapshot:
        """The same with this extension added or replaced."""
        return self.with_extensions([extension])

    def with_extensions(self, extensions: list[Extension]) -> Snapshot:
        """The same with these extensions added or replaced."""
        return msgspec.structs.replace(
            self, extensions={**self.extensions, **{each.number: each for each in extensions}}
        )

    def without_extension(self, number: str) -> Snapshot:
        """The same without this extension."""
        rest = {key: each for key, each in self.extensions.items() if key != number}
        return msgspec.structs.replace(self, extensions=rest)


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
    for area, keyed in KEYED.items():
        _verify_items(area, keyed, old.items(area), new.items(area))
    _verify_references(old, new)


def _verify_references(old: Snapshot, new: Snapshot) -> None:
    """What routes name must exist. A line that a route still names cannot go; an extension may, for people come and go.

    So a route may keep what it named before, or no other setting of it could be changed before that one is mended.
    """
    if new.lines != old.lines:
        line_checks.check_places(new.lines.values())
    changed = (new.lines, new.trunks, new.routes) != (old.lines, old.trunks, old.routes)
    for route in new.routes.values() if changed else ():
        before = old.routes.get(route.name)
        kept = frozenset() if before is None else extensions_of(before)
        extensions = {*new.extensions, *kept} if kept else new.extensions
        check_references(route, Names(lines=new.lines, trunks=new.trunks, extensions=extensions))


def _verify_items(area: str, keyed: Keyed, old: dict[str, Any], new: dict[str, Any]) -> None:
    if len(new) > keyed.most:
        raise ConfigError(area, "error.too_many", limit=keyed.most)
    for name, item in new.items():
        if item is old.get(name):
            continue
        if item.name != name:
            raise ConfigError(area + "." + name + ".name", "error.read_only")
        keyed.verify(item)
