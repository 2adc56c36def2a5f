"""Area `update-check`: where the newest update is, and whether it is taken by itself. Looked for by `branchbox update --look`."""

from __future__ import annotations

from appliance.config import update_check
from appliance.control.areas.keyed import KeyedArea

__all__ = ["AREA"]

AREA = KeyedArea(update_check.AREA, "Looking for updates").area()
