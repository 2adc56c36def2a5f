"""Area `records`: the calls that have ended."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from appliance.control.area import Area, Key, Nothing, Request, Verb, not_found
from appliance.control.parts import moment
from appliance.errors import ConfigError
from appliance.store import records as table

if TYPE_CHECKING:
    from appliance.control.parts import Parts
    from appliance.store.records import RecordRow

__all__ = ["AREA"]

DEFAULT_PAGE = 100
MAX_PAGE = 1000


class Step(msgspec.Struct, frozen=True):
    """A call was sent on."""

    by: str
    to: str
    why: str
    "`unconditional`, `user-busy`, `no-answer` and so on."


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A call that has ended."""

    id: str
    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    from_number: str
    from_name: str
    to_number: str
    answered_by: str | None
    duration: float
    "Seconds from the answer to the end."
    status: int
    "The final SIP status: 200 when it was answered."
    cause: str
    ended_by: str
    way_in: str
    "`line:NAME` or `trunk:NAME` that the call came by; empty: an extension called."
    way_out: str
    "The one that it left by, or tried last; empty: it did not leave."
    steps: list[Step]
    "How it was sent on, first step first."
    emergency: bool
    "Whether an extension dialled an emergency number."


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which records."""

    number: str | None = None
    "Only calls that this number made, was called by, or answered."
    before: str | None = None
    "The id of a record: only older ones. This is how to turn the page."
    limit: int = DEFAULT_PAGE
    "1 to 1000."


async def list_(parts: Parts, request: Request[Page]) -> list[Record]:
    page = request.values
    if not 1 <= page.limit <= MAX_PAGE:
        raise ConfigError("records.limit", "error.out_of_range", low=1, high=MAX_PAGE)
    # A call that ended just now may still wait to be written.
    await parts.store.backlog.settle()
    rows = await parts.store.run(
        partial(table.page, number=page.number or None, before=page.before or None, limit=page.limit)
    )
    return [_view(row) for row in rows]


async def show(parts: Parts, request: Request[Nothing]) -> Record:
    await parts.store.backlog.settle()
    row = await parts.store.run(lambda db: table.find(db, request.key))
    if row is None:
        raise not_found(request.path)
    return _view(row)


def _view(row: RecordRow) -> Record:
    return Record(
        id=row.id,
        started_at=moment(row.started_at),
        answered_at=moment(row.answered_at),
        ended_at=moment(row.ended_at),
        from_number=row.from_number,
        from_name=row.from_name,
        to_number=row.to_number,
        answered_by=row.answered_by,
        duration=round(row.duration, 3),
        status=row.status,
        cause=row.cause,
        ended_by=row.ended_by,
        way_in=row.way_in,
        way_out=row.way_out,
        steps=[Step(each.by, each.to, each.why) for each in row.steps],
        emergency=row.emergency,
    )


COLUMNS = ("id", "started_at", "from_number", "to_number", "answered_by", "duration", "cause")
AREA = Area(
    "records",
    "The calls that have ended",
    (
        Verb("list", list_, Page, list[Record], "The newest records first", columns=COLUMNS),
        Verb("show", show, Nothing, Record, "One record", key=Key.NEEDED),
    ),
)
