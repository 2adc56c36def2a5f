"""Area `trace`: the SIP messages of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.control.area import Area, Key, Nothing, Request, Verb, not_found

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA"]


async def show(parts: Parts, request: Request[Nothing]) -> list[Any]:
    messages = list(parts.trace(request.key))
    if not messages:
        raise not_found(request.path)
    return messages


AREA = Area(
    "trace",
    "The messages of a call",
    (Verb("show", show, Nothing, list[Any], "The messages of one call, oldest first", key=Key.NEEDED),),
)
