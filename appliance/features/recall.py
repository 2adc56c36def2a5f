"""Recall: whoever was put through in vain rings the one who has put them through, so that nobody is left hanging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.events import HungUp
from appliance.call.inbound import RefusedError
from appliance.errors import PeerError

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.sip_leg import SipLeg
    from appliance.features.house import House

__all__ = ["GONE_ON", "recall"]

GONE_ON = HungUp(Ending.of(Cause.HANDED_OVER))
"How a call ends whose people go on in another one."


def recall(house: House, call: Call, gone: SipLeg, number: str) -> None:
    """`gone`, which has left `call`, hears music until extension `number` answers. They are hung up on when nobody can be rung."""
    dialled = house.further(call, gone, number)
    try:
        further = house.exchange.call_from(gone, dialled)
    except PeerError:
        gone.hang_up(GONE_ON)
        return
    house.playback.start(gone.media)
    try:
        further.start(house.exchange.router.route(dialled))
    except RefusedError as refused:
        further.end(HungUp(refused.ending), "system")
