"""Calls that the exchange itself takes: what a feature does with one is a task, which ends when the call does, and ends it."""

from __future__ import annotations

__all__ = ["ServiceTasks"]

import logging
from typing import TYPE_CHECKING

import anyio
from anyio import TASK_STATUS_IGNORED

from appliance.call.cause import Cause, Ending, ending_of
from appliance.call.events import HungUp
from appliance.errors import PeerError

if TYPE_CHECKING:
    from anyio.abc import TaskGroup, TaskStatus

    from appliance.call.call import Call
    from appliance.call.verdict import Serve

logger = logging.getLogger(__name__)


class ServiceTasks:
    """There are no more of them than calls."""

    def __init__(self) -> None:
        self._tasks: TaskGroup | None = None

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Until cancelled, calls can be served."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            task_status.started()
            try:
                await anyio.sleep_forever()
            finally:
                self._tasks = None

    def start(self, call: Call, service: Serve) -> anyio.CancelScope:
        """Serve the call; cancelling the scope ends that, and not the call. PeerError 503 while nothing runs."""
        if self._tasks is None:
            raise PeerError(503, "Service Unavailable")
        scope = anyio.CancelScope()
        self._tasks.start_soon(_serve, call, service, scope, name=service.name)
        return scope


async def _serve(call: Call, service: Serve, scope: anyio.CancelScope) -> None:
    if scope.cancel_called:
        return  # the call was over before its service could begin, which would take others along into it
    ending, served = Ending.of(Cause.NORMAL), False
    with scope:
        try:
            await service.run(call)
            served = True
        except PeerError as refusal:
            ending = ending_of(refusal.status, refusal.reason)
        except Exception:
            logger.exception("%s failed", service.name)
            ending = Ending.of(Cause.FAILED)
    # A service that lets its caller go on elsewhere is cancelled by that, in mid-step.
    if scope.cancel_called:
        return
    if served:
        call.end(HungUp(ending), "system")
    else:
        call.give_up(HungUp(ending), "system")
