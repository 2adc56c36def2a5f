"""Area `export`: all settings as a TOML text, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec
import tomli_w

from appliance.control.area import Area, Nothing, Request, Verb
from appliance.control.areas.keyed import KeyedArea
from appliance.control.areas.lines import LINES
from appliance.control.areas.routes import ROUTES
from appliance.control.areas.system import shown
from appliance.control.areas.trunks import TRUNKS

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot
    from appliance.control.parts import Parts

__all__ = ["AREA", "Text", "keyed_areas"]


class Text(msgspec.Struct, frozen=True):
    """A TOML text: a table `system`, and tables `extensions`, `lines` and so on with one table for each of them."""

    text: str


async def show(parts: Parts, _: Request[Nothing]) -> Text:
    snapshot = parts.config.current
    extensions = {
        number: {
            "name": each.name,
            "enabled": each.enabled,
            "ring_seconds": each.ring_seconds,
            "level": each.level,
        }
        for number, each in snapshot.extensions.items()
    }
    plan = msgspec.to_builtins(snapshot.dial_plan)
    settings = {"system": shown(snapshot.system), "dial-plan": plan, "extensions": extensions}
    for area in keyed_areas(snapshot):
        items = snapshot.items(area.name)
        if items and area.settings.per == "box":
            settings[area.name] = area.exported(items[""])
        elif items:
            settings[area.name] = {key: area.exported(items[key]) for key in sorted(items)}
    return Text(await anyio.to_thread.run_sync(tomli_w.dumps, settings))


def keyed_areas(now: Snapshot) -> tuple[KeyedArea, ...]:
    """The areas that are made from structs, those of the services last: theirs may name the others."""
    return (LINES, TRUNKS, ROUTES, *(KeyedArea(each, "") for each in now.areas.values()))


AREA = Area(
    "export",
    "All settings as a text",
    (Verb("show", show, Nothing, Text, "All settings as TOML, without secrets"),),
)
