"""Area `calls`: what is going on now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from appliance.call.inbound import RefusedError
from appliance.config.pattern import is_dialable
from appliance.control.area import Area, Done, Key, Nothing, Request, Verb, not_found
from appliance.control.parts import moment, readable
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.control.parts import Call, Parts

__all__ = ["AREA"]


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a call."""

    side: str
    "`caller` or `callee`."
    number: str
    address: str
    "Where its signalling comes from: address and port."
    transport: str


class LiveCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is going on."""

    id: str
    from_number: str
    from_name: str
    to_number: str
    state: str
    "`dialling`, `ringing`, `talking` or `held`."
    started_at: datetime | None
    answered_at: datetime | None
    legs: list[Leg]
    emergency: bool
    "Whether an emergency number was dialled."


async def list_(parts: Parts, _: Request[Nothing]) -> list[LiveCall]:
    return [_view(each) for each in parts.exchange.calls()]


async def show(parts: Parts, request: Request[Nothing]) -> LiveCall:
    return _view(_call(parts, request))


class Dial(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call."""

    to: str
    "A number as the extension would dial it."


class Dialling(msgspec.Struct, frozen=True, kw_only=True):
    """The call that comes of it."""

    id: str


async def dial(parts: Parts, request: Request[Dial]) -> Dialling:
    """Ring the extension's phones; whoever answers is put through, by the extension's rights."""
    if not is_dialable(request.values.to):
        raise ConfigError(request.path + ".to", "error.bad_target_number")
    try:
        return Dialling(id=parts.exchange.dial(request.key, request.values.to))
    except RefusedError as refused:
        raise ConfigError(request.path, f"cause.{refused.ending.cause.value}") from refused


async def hang_up(parts: Parts, request: Request[Nothing]) -> Done:
    parts.exchange.hang_up(_call(parts, request).id)
    return Done()


def _call(parts: Parts, request: Request[Nothing]) -> Call:
    call: Call
    for call in parts.exchange.calls():
        if call.id == request.key:
            return call
    raise not_found(request.path)


def _view(call: Call) -> LiveCall:
    return LiveCall(
        id=call.id,
        from_number=readable(call.from_number),
        from_name=readable(call.from_name),
        to_number=readable(call.to_number),
        state=str(call.state),
        started_at=moment(call.started_at),
        answered_at=moment(call.answered_at),
        legs=[
            Leg(side=each.side, number=readable(each.number), address=each.address, transport=each.transport)
            for each in call.legs
        ],
        emergency=call.emergency,
    )


COLUMNS = ("id", "from_number", "to_number", "state", "started_at", "answered_at")
AREA = Area(
    "calls",
    "The calls that are going on",
    (
        Verb("list", list_, Nothing, list[LiveCall], "All calls", columns=COLUMNS),
        Verb("show", show, Nothing, LiveCall, "One call", key=Key.NEEDED),
        Verb(
            "dial",
            dial,
            Dial,
            Dialling,
            "Ring an extension and call somebody for it",
            key=Key.NEEDED,
            changes=True,
        ),
        Verb("hang-up", hang_up, Nothing, Done, "End a call", key=Key.NEEDED, changes=True),
    ),
)
