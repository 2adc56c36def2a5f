"""What areas `lines` and `trunks` have in common: what was learned about the other side, forgotten or pinned by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from appliance.control.area import Key, Request, Verb, not_found
from appliance.control.parts import moment
from appliance.lines.feature import Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.control.areas.keyed import KeyedArea
    from appliance.control.parts import Parts

__all__ = ["shown_lessons", "verbs_of_lessons"]

Use = Literal["with", "without"]


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be tried again."""

    feature: Feature | None = None
    "Left out: everything."


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """What shall stay so until it is forgotten."""

    feature: Feature
    use: Use | None = None
    "Left out: as it was learned, or else without."


def shown_lessons(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was learned, of a line's or trunk's live state."""
    return [
        {
            "feature": each.feature,
            "use": "with" if each.on else "without",
            "said": each.said,
            "at": moment(each.at),
            "pinned": each.pinned,
        }
        for each in state.get("learned", ())
    ]


def verbs_of_lessons(area: KeyedArea, kind: Literal["line", "trunk"]) -> tuple[Verb[Any], ...]:
    """To forget and to pin."""

    def way_of(parts: Parts, request: Request[Any]) -> str:
        area.known(parts.config.current, request)
        return f"{kind}:{request.key}"

    async def forget(parts: Parts, request: Request[Forgotten]) -> dict[str, Any]:
        way, feature = way_of(parts, request), request.values.feature
        known = {each["feature"] for each in area.shown(parts, request)["learned"]}
        if feature is not None and feature not in known:
            raise not_found(request.path + "." + feature)
        await parts.outside.forget(way, feature)
        return area.shown(parts, request)

    async def pin(parts: Parts, request: Request[Pinned]) -> dict[str, Any]:
        use = request.values.use
        on = None if use is None else use == "with"
        await parts.outside.pin(way_of(parts, request), request.values.feature, on)
        return area.shown(parts, request)

    one = dict[str, Any]
    return (
        Verb(
            "forget",
            forget,
            Forgotten,
            one,
            "Try again what the other side could not stand",
            key=Key.NEEDED,
            changes=True,
        ),
        Verb("pin", pin, Pinned, one, "Do without a feature for good", key=Key.NEEDED, changes=True),
    )
