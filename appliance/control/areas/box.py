"""Area `box`: restarting the exchange or the machine, and making it new again. Done by root in `system-apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from appliance.control.area import Area, Done, Nothing, Request, Verb
from appliance.errors import ConfigError
from appliance.system import box

if TYPE_CHECKING:
    from appliance.control.parts import Parts
    from appliance.system.box import Action

__all__ = ["AREA"]


async def restart(parts: Parts, _: Request[Nothing]) -> Done:
    return await _ask(parts, "restart-service")


async def reboot(parts: Parts, _: Request[Nothing]) -> Done:
    return await _ask(parts, "reboot")


async def factory_reset(parts: Parts, _: Request[Nothing]) -> Done:
    return await _ask(parts, "factory-reset")


async def _ask(parts: Parts, action: Action) -> Done:
    try:
        await anyio.to_thread.run_sync(box.request, parts.store.folder, action)
    except OSError as error:
        raise ConfigError(
            "box", "error.cannot_write", file=box.REQUEST_FILE, reason=error.strerror
        ) from error
    return Done()


AREA = Area(
    "box",
    "The machine",
    (
        Verb("restart", restart, Nothing, Done, "Restart the exchange", local=True),
        Verb("reboot", reboot, Nothing, Done, "Restart the machine", local=True),
        Verb("factory-reset", factory_reset, Nothing, Done, "Forget everything and restart", local=True),
    ),
)
