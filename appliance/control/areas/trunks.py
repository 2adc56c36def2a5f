"""Area `trunks`: other servers, trusted by their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.config.snapshot import KEYED
from appliance.control.areas.keyed import KeyedArea
from appliance.control.areas.lessons import shown_lessons, verbs_of_lessons
from appliance.control.parts import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.control.parts import Parts

__all__ = ["AREA", "TRUNKS"]


def _live(parts: Parts, item: Any) -> Mapping[str, Any]:
    state = dict(parts.outside.trunk_state(item.name))
    if state.get("since") is not None:
        state["since"] = moment(state["since"])
    return {**state, "learned": shown_lessons(state)}


TRUNKS = KeyedArea(KEYED["trunks"], "SIP trunks to other servers", live=_live)
AREA = TRUNKS.area(*verbs_of_lessons(TRUNKS, "trunk"))
