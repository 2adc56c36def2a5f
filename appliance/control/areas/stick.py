"""Area `stick`: updates and backups on the USB sticks that are plugged in. They are taken by `update` and `backup`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import anyio.to_thread
import msgspec

from appliance.backup.on_stick import listed
from appliance.control.area import Area, Nothing, Request, Verb
from appliance.control.parts import moment

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA"]


class OnStick(msgspec.Struct, frozen=True, kw_only=True):
    """A file that may be of use. What is in it, nobody has looked at."""

    file: str
    "Its absolute path: for `update install stick=FILE`, `backup look file=FILE`, `backup restore file=FILE`."
    kind: Literal["update", "backup"]
    octets: int
    modified_at: datetime | None


async def list_(_: Parts, __: Request[Nothing]) -> list[OnStick]:
    return [
        OnStick(file=str(each.file), kind=each.kind, octets=each.octets, modified_at=moment(each.modified_at))
        for each in await anyio.to_thread.run_sync(listed)
    ]


AREA = Area(
    "stick",
    "What lies on USB sticks",
    (Verb("list", list_, Nothing, list[OnStick], "Updates and backups on USB sticks, the newest first"),),
)
