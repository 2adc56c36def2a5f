"""Area `trunks`: other servers, trusted by their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.config.snapshot import KEYED
from appliance.control.areas.keyed import KeyedArea

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.control.parts import Parts

__all__ = ["AREA", "TRUNKS"]


def _live(parts: Parts, item: Any) -> Mapping[str, Any]:
    return parts.outside.trunk_state(item.name)


TRUNKS = KeyedArea(KEYED["trunks"], "SIP trunks to other servers", live=_live)
AREA = TRUNKS.area()
