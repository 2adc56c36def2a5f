"""Area `export`: all settings as a TOML text, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec
import tomli_w

from appliance.control.area import Area, Nothing, Request, Verb
from appliance.control.areas.lines import LINES
from appliance.control.areas.routes import ROUTES
from appliance.control.areas.trunks import TRUNKS

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA", "KEYED_AREAS", "Text"]

KEYED_AREAS = (LINES, TRUNKS, ROUTES)


class Text(msgspec.Struct, frozen=True):
    """A TOML text: a table `system`, and tables `extensions`, `lines` and so on with one table each."""

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
    system = msgspec.to_builtins(snapshot.system)
    settings = {"system": system, "extensions": extensions}
    for area in KEYED_AREAS:
        items = snapshot.items(area.name)
        if items:
            settings[area.name] = {key: area.exported(items[key]) for key in sorted(items)}
    return Text(await anyio.to_thread.run_sync(tomli_w.dumps, settings))


AREA = Area(
    "export",
    "All settings as a text",
    (Verb("show", show, Nothing, Text, "All settings as TOML, without secrets"),),
)
