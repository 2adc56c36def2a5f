"""Calls as people see them."""

from __future__ import annotations

__all__ = ["CallInfo", "LegInfo", "info_of", "info_of_origination", "is_holding"]

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import msgspec

from appliance.errors import PeerError
from appliance.media.answer import holds

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.origination import Origination
    from appliance.call.sip_leg import SipLeg

State = Literal["dialling", "ringing", "talking", "held"]


class LegInfo(msgspec.Struct, frozen=True):
    """One leg, as people see it."""

    side: Literal["caller", "callee"]
    number: str
    address: str
    "Where its signalling comes from: address and port."
    transport: str


class CallInfo(msgspec.Struct, frozen=True):
    """One call, as people see it. Moments are seconds since 1970."""

    id: str
    from_number: str
    from_name: str
    to_number: str
    state: State
    started_at: float
    answered_at: float | None
    legs: tuple[LegInfo, ...]
    emergency: bool = False
    "Whether an emergency number was dialled."


def info_of(call: Call) -> CallInfo:
    """A call as it is now."""
    callees: list[SipLeg] = [*call.calling.ringing.legs] if call.callee is None else [call.callee.sip]
    return CallInfo(
        id=call.id,
        from_number=call.dialled.from_number,
        from_name=call.dialled.from_name,
        to_number=call.dialled.to_number,
        state=_state(call),
        started_at=call.started_at,
        answered_at=call.answered_at,
        legs=(_leg_info("caller", call.caller.sip), *(_leg_info("callee", leg) for leg in callees)),
        emergency=call.calling.trying.emergency,
    )


def info_of_origination(origination: Origination) -> CallInfo:
    """A call whose caller is being rung."""
    dialled = origination.dialled
    return CallInfo(
        id=origination.id,
        from_number=dialled.from_number,
        from_name=dialled.from_name,
        to_number=dialled.to_number,
        state="dialling",
        started_at=origination.started_at,
        answered_at=None,
        legs=tuple(_leg_info("caller", leg) for leg in origination.legs),
    )


def _leg_info(side: Literal["caller", "callee"], leg: SipLeg) -> LegInfo:
    host, port = leg.flow.remote
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return LegInfo(side, leg.number, address, leg.flow.transport)


def _state(call: Call) -> State:
    if call.answered_at is None:
        return "ringing" if call.calling.rings else "dialling"
    legs = [call.caller, call.callee] if call.callee is not None else [call.caller]
    return "held" if any(is_holding(leg.said) for leg in legs) else "talking"


@lru_cache(
    maxsize=1024
)  # each change of any call is a look at all lamps, and a phone says something new but seldom
def is_holding(said: bytes) -> bool:
    """Whether somebody who said this last holds the other one."""
    try:
        return holds(said)
    except PeerError:
        return False  # what nobody can read holds nobody
