"""What whoever dials a code hears: that it is done, or that it could not be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from appliance.call.verdict import Serve
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.call.call import Call
    from appliance.features.house import House

__all__ = ["confirmed"]

logger = logging.getLogger(__name__)


def confirmed(house: House, name: str, change: Callable[[], Awaitable[None]]) -> Serve:
    """Take the call, make the change, and say by a tone what came of it. A change is made though the caller hangs up."""

    async def run(call: Call) -> None:
        call.answer_itself()
        try:
            await change()
        except ConfigError as error:
            logger.info("%s dialled %s: %s", call.dialled.from_number, call.dialled.to_number, error)
            await house.playback.say(call.caller.media, "error")
        else:
            await house.playback.say(call.caller.media, "confirmation")

    return Serve(run, name)
