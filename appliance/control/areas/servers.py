"""Area `servers`: further exchanges on this box. What one shows on a screen, console and one-time code, is shown here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.config import server
from appliance.control.areas.keyed import KeyedArea

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.config.server import Server
    from appliance.control.parts import Parts

__all__ = ["AREA", "RUN"]

RUN = Path("/run")
"Where each has its folder in memory, by its unit: `branchbox-NAME`."
LONGEST = 4096
"Octets. A screen has fewer."


def _live(_: Parts, settings: Server) -> Mapping[str, Any]:
    try:
        with (RUN / f"branchbox-{settings.name}" / "screen").open("rb") as file:
            text = file.read(LONGEST).decode("ascii", "replace")
    except OSError:
        # Not started yet, or never: then it says nothing.
        text = ""
    return {"says": [line.strip() for line in text.splitlines() if line.strip()]}


AREA = KeyedArea(server.AREA, "Further exchanges on this box", defaults=server.free_ports, live=_live).area()
