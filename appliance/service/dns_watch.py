"""When the exchange checks by itself whether name servers tell the truth: lines or phones are in trouble, and DNS may be why.

A line whose server has a name stays unregistered for minutes, or a trunk's peer with a name is down as long; or every extension goes offline at once, as when the
network's own name server or router has become another one. How often a name is checked is for `DnsChecks` to limit.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

__all__ = ["AT_ONCE", "LOOK_EVERY", "UNREGISTERED_FOR", "DnsWatch", "LineSeen"]

logger = logging.getLogger(__name__)

LOOK_EVERY = 30.0
"Seconds."
UNREGISTERED_FOR = 180.0
"Seconds: a carrier that restarts is back by then, and a line has tried some five times."
AT_ONCE = 300.0
"Seconds in which all extensions must have gone: phones that nobody reaches lapse one after the other."
MANY = 2
"Extensions: that the only one is offline may be but a phone that restarts."


@dataclass(frozen=True, slots=True)
class LineSeen:
    """A line that is on, or a peer of a trunk."""

    name: str
    "As it is told from others."
    server: str
    "The host that its requests go to."
    registered: bool
    "Of a peer: whether it may answer."


class DnsWatch:
    """`run` is a task of its own."""

    def __init__(
        self,
        lines: Callable[[], Iterable[LineSeen]],
        online: Callable[[], int],
        check: Callable[[str], Awaitable[object]],
    ) -> None:
        """`online`: how many extensions have a phone registered. `check` checks a host name, if that is due."""
        self._lines = lines
        self._online = online
        self._check = check
        self._unregistered_since: dict[str, float] = {}
        self._many_at = float("-inf")  # when there were last several extensions
        self._all_gone = False

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await anyio.sleep(LOOK_EVERY)
            for name in self._suspicious(anyio.current_time()):
                await self._check_name(name)

    def _suspicious(self, now: float) -> list[str]:
        lines = list(self._lines())
        in_trouble = self._unregistered(lines, now)
        if self._have_all_gone(now):
            logger.warning("every extension has gone offline at once")
            in_trouble = lines
        return list(dict.fromkeys(line.server for line in in_trouble))

    def _unregistered(self, lines: list[LineSeen], now: float) -> list[LineSeen]:
        before = self._unregistered_since
        self._unregistered_since = {
            line.name: before.get(line.name, now) for line in lines if not line.registered
        }
        since = self._unregistered_since
        return [line for line in lines if now - since.get(line.name, now) >= UNREGISTERED_FOR]

    def _have_all_gone(self, now: float) -> bool:
        """Whether they have since the last look."""
        online, were_gone = self._online(), self._all_gone
        if online >= MANY:
            self._many_at = now
        self._all_gone = online == 0
        return self._all_gone and not were_gone and now - self._many_at <= AT_ONCE

    async def _check_name(self, name: str) -> None:
        try:
            await self._check(name)
        except ConfigError:
            pass  # an address, which needs no DNS; or others are being checked: it is looked at again
        except Exception:
            logger.exception("the DNS check of %s failed", name)
