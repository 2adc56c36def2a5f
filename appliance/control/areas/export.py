"""Area `export`: all settings as a TOML text, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec
import tomli_w

from appliance.control.area import Area, Nothing, Request, Verb

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA", "Text"]


class Text(msgspec.Struct, frozen=True):
    """A TOML text: a table `system`, and a table `extensions` with one table a number."""

    text: str


async def show(parts: Parts, _: Request[Nothing]) -> Text:
    snapshot = parts.config.current
    extensions = {
        number: {"name": each.name, "enabled": each.enabled, "ring_seconds": each.ring_seconds}
        for number, each in snapshot.extensions.items()
    }
    system = msgspec.to_builtins(snapshot.system)
    settings = {"system": system, "extensions": extensions}
    return Text(await anyio.to_thread.run_sync(tomli_w.dumps, settings))


AREA = Area(
    "export",
    "All settings as a text",
    (Verb("show", show, Nothing, Text, "All settings as TOML, without secrets"),),
)
