"""Area `trace`: the SIP messages of one call."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec

from appliance.control.area import Area, Key, Nothing, Request, Verb, not_found
from appliance.control.parts import moment

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA"]


class Traced(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it was on the wire, its credentials hidden."""

    at: datetime | None
    direction: str
    "`in` or `out`."
    transport: str
    peer: str
    "The other side, `address:port`."
    text: str


async def show(parts: Parts, request: Request[Nothing]) -> list[Traced]:
    messages = [
        Traced(
            at=moment(each.at),
            direction=each.direction,
            transport=each.transport,
            peer=each.peer,
            text=each.text,
        )
        for each in await anyio.to_thread.run_sync(parts.trace, request.key)
    ]
    if not messages:
        raise not_found(request.path)
    return messages


AREA = Area(
    "trace",
    "The messages of a call",
    (Verb("show", show, Nothing, list[Traced], "The messages of one call, oldest first", key=Key.NEEDED),),
)
