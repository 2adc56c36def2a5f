"""Area `lines`: external lines, by which calls reach the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.config.snapshot import KEYED
from appliance.control.areas.keyed import KeyedArea
from appliance.control.areas.lessons import shown_lessons, verbs_of_lessons
from appliance.control.parts import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.control.parts import Parts

__all__ = ["AREA", "LINES"]

CHINESE_URI_PARAMETER = "user=phone"
"What the carriers of China ask for. It is the default where Chinese is spoken, and nowhere else."


def _live(parts: Parts, item: Any) -> Mapping[str, Any]:
    state = dict(parts.outside.line_state(item.name))
    for name in ("since", "expires_at", "next_try_at"):
        if state.get(name) is not None:
            state[name] = moment(state[name])
    return {**state, "learned": shown_lessons(state)}


LINES = KeyedArea(
    KEYED["lines"],
    "External lines, where the exchange registers",
    by_language={"uri_parameter": {"zh": CHINESE_URI_PARAMETER}},
    live=_live,
)
AREA = LINES.area(*verbs_of_lessons(LINES, "line"))
