"""appliance/system/network_watch.py: what is told of changes, and when; tests/interop/carriers/test_own_address.py has the kernel's own."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import anyio
import pytest

from appliance.system import network_watch
from appliance.system.network import gateway, reachable_addresses
from appliance.system.network_watch import NetworkChange, NetworkSeen, NetworkWatch

HOME = NetworkSeen(frozenset({"192.0.2.5"}), "192.0.2.1")


class Box:
    """A box in a network that the test makes up."""

    def __init__(self) -> None:
        self.kernel, self.ours = socket.socketpair()
        self.ours.setblocking(False)
        self.now = HOME
        self.looks = 0
        self.told: list[tuple[float, NetworkChange]] = []
        self.fails = False
        self.deaf = False

    async def look(self) -> NetworkSeen:
        self.looks += 1
        return self.now

    def news(self) -> socket.socket:
        if self.deaf:
            raise PermissionError(1, "not in here")
        return self.ours

    def changed(self, change: NetworkChange) -> None:
        self.told.append((anyio.current_time(), change))
        if self.fails:
            raise ZeroDivisionError

    def moves(self, *addresses: str, gateway: str | None = HOME.gateway) -> None:
        self.now = NetworkSeen(frozenset(addresses), gateway)
        self.kernel.send(b"news")

    @property
    def changes(self) -> list[NetworkChange]:
        return [change for _, change in self.told]


@asynccontextmanager
async def box(*, deaf: bool = False) -> AsyncIterator[Box]:
    it = Box()
    it.deaf = deaf
    with it.kernel, it.ours:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(NetworkWatch(it.changed, it.look, it.news).run)
            await anyio.sleep(1)
            yield it
            tasks.cancel_scope.cancel()


async def test_another_address() -> None:
    async with box() as it:
        it.moves("192.0.2.6")
        await anyio.sleep(10)
        assert it.changes == [NetworkChange(frozenset({"192.0.2.5"}), elsewhere=False)]


async def test_news_that_change_nothing() -> None:
    """Routers repeat what they say of IPv6 every few minutes."""
    async with box() as it:
        for _ in range(3):
            it.moves("192.0.2.5")
            await anyio.sleep(300)
        assert (it.changes, it.looks) == ([], 4)


async def test_an_address_that_is_back_at_once() -> None:
    """A lease that is asked for anew."""
    async with box() as it:
        it.moves()
        await anyio.sleep(network_watch.SETTLE / 2)
        it.moves("192.0.2.5")
        await anyio.sleep(10)
        assert it.changes == []


async def test_a_network_that_is_gone_and_back() -> None:
    async with box() as it:
        it.moves(gateway=None)
        await anyio.sleep(60)
        it.moves("192.0.2.5")
        await anyio.sleep(60)
        gone, back = it.changes
        assert gone == NetworkChange(frozenset({"192.0.2.5"}), elsewhere=False)
        assert back == NetworkChange(frozenset(), elsewhere=False)


async def test_another_gateway() -> None:
    async with box() as it:
        it.moves("192.0.2.5", gateway="192.0.2.2")
        await anyio.sleep(10)
        assert it.changes == [NetworkChange(frozenset(), elsewhere=True)]


async def test_a_loose_contact_is_told_now_and_then() -> None:
    async with box() as it:
        for number in range(40):
            it.moves(f"192.0.2.{number % 2}")
            await anyio.sleep(1.5)
        await anyio.sleep(10)
        times = [at for at, _ in it.told]
        least = network_watch.SETTLE + network_watch.AGAIN_AFTER
        assert 3 <= len(times) <= 60 / least + 2
        assert all(later - earlier >= least for earlier, later in pairwise(times))


async def test_where_the_kernel_tells_nothing_it_is_looked_at() -> None:
    async with box(deaf=True) as it:
        it.moves("192.0.2.6")
        await anyio.sleep(network_watch.LOOK_EVERY + 1)
        assert [change.gone for change in it.changes] == [{"192.0.2.5"}]


async def test_a_fault_of_ours_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    async with box() as it:
        it.fails = True
        for host in (6, 7):
            it.moves(f"192.0.2.{host}")
            await anyio.sleep(10)
        assert [change.gone for change in it.changes] == [{"192.0.2.5"}, {"192.0.2.6"}]
        assert "ZeroDivisionError" in caplog.text


def test_the_kernel_lets_us_listen() -> None:
    with network_watch.open_news() as news, pytest.raises(BlockingIOError):
        news.recv(1)


async def test_our_own_network() -> None:
    seen = await network_watch.look_around()
    assert (seen.addresses, seen.gateway) == (frozenset(reachable_addresses()), gateway())
