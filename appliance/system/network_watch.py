"""Notices when the box's addresses or its gateway are others: whoever is registered somewhere must say so at once.

RFC 3549 (netlink); rtnetlink(7) for the groups that tell of addresses and routes.
"""

from __future__ import annotations

import logging
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from appliance.system.network import gateway, reachable_addresses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["NetworkChange", "NetworkSeen", "NetworkWatch", "look_around", "open_news"]

logger = logging.getLogger(__name__)

# RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE and RTMGRP_IPV6_IFADDR of <linux/rtnetlink.h>.
GROUPS = 0x10 | 0x40 | 0x100
SETTLE = 1.0
"Seconds after the first news in which the rest may come: a new lease takes an address away before it brings another."
AGAIN_AFTER = 4.0
"Seconds until the next change is told: a cable with a loose contact must not have carriers asked without end."
LOOK_EVERY = 10.0
"Seconds between two looks where the kernel tells no news, as in some containers."
READ_SIZE = 65_536


@dataclass(frozen=True, slots=True)
class NetworkSeen:
    """What is compared."""

    addresses: frozenset[str]
    "Ours, that another machine may dial."
    gateway: str | None
    "The IPv4 default gateway."


@dataclass(frozen=True, slots=True)
class NetworkChange:
    """What is other than before."""

    gone: frozenset[str]
    "Addresses that are ours no more."
    elsewhere: bool
    "Whether the world is reached by another gateway, which may show us to it at another address."

    @classmethod
    def between(cls, before: NetworkSeen, now: NetworkSeen) -> NetworkChange:
        """Of two looks."""
        gateways = {before.gateway, now.gateway} - {None}
        return cls(before.addresses - now.addresses, len(gateways) > 1)


async def look_around() -> NetworkSeen:
    """The network as it is."""
    # The kernel is asked, and files are read: not for the event loop.
    return await anyio.to_thread.run_sync(_seen)


def _seen() -> NetworkSeen:
    return NetworkSeen(frozenset(reachable_addresses()), gateway())


def open_news() -> socket.socket:
    """A socket that is readable when addresses or routes have changed. OSError where the kernel tells nothing."""
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    news = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    try:
        news.bind((0, GROUPS))
    except OSError:
        news.close()
        raise
    return news


class NetworkWatch:
    """`run` is a task of its own."""

    def __init__(
        self,
        changed: Callable[[NetworkChange], None],
        look: Callable[[], Awaitable[NetworkSeen]] = look_around,
        news: Callable[[], socket.socket] = open_news,
    ) -> None:
        self._changed = changed
        self._look = look
        self._open = news

    async def run(self) -> None:
        """Watch for ever."""
        with ExitStack() as stack:
            news = self._opened(stack)
            seen = await self._look()
            while True:
                await _wait(news)
                now = await self._look()
                if now != seen:
                    self._tell(NetworkChange.between(seen, now))
                    seen = now
                    await anyio.sleep(AGAIN_AFTER)

    def _opened(self, stack: ExitStack) -> socket.socket | None:
        try:
            return stack.enter_context(self._open())
        except OSError as error:
            logger.info("the kernel tells no news of the network, which is looked at instead: %s", error)
            return None

    def _tell(self, change: NetworkChange) -> None:
        way = ", by another gateway" if change.elsewhere else ""
        logger.info("the network has changed%s; gone: %s", way, ", ".join(sorted(change.gone)) or "nothing")
        try:
            self._changed(change)
        except Exception:
            # Calls go on meanwhile, and with the next change it may do.
            logger.exception("the change of the network was not taken up")


async def _wait(news: socket.socket | None) -> None:
    """Return when there is a reason to look."""
    if news is None:
        await anyio.sleep(LOOK_EVERY)
        return
    await anyio.wait_readable(news)
    await anyio.sleep(SETTLE)
    _drain(news)


def _drain(news: socket.socket) -> None:
    """What they say does not matter: everything is looked at anew. That some were lost (ENOBUFS) is news as well."""
    while True:
        try:
            news.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            logger.debug("news of the network were lost: %s", error)
