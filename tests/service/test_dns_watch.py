"""appliance/service/dns_watch.py: when names are checked without being asked for. Time is virtual."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from appliance.errors import ConfigError
from appliance.service.dns_watch import AT_ONCE, LOOK_EVERY, UNREGISTERED_FOR, DnsWatch, LineSeen


class Office:
    def __init__(self, *servers: str) -> None:
        self.registered = dict.fromkeys(servers, True)
        self.online = 3
        self.checked: list[str] = []
        self.fault: Exception | None = None
        self.watch = DnsWatch(self.lines, lambda: self.online, self.check)

    def lines(self) -> list[LineSeen]:
        return [LineSeen(f"line-{server}", server, up) for server, up in self.registered.items()]

    async def check(self, name: str) -> None:
        self.checked.append(name)
        await anyio.sleep(10)
        if self.fault is not None:
            raise self.fault

    def take(self) -> list[str]:
        checked, self.checked = self.checked, []
        return checked


@asynccontextmanager
async def watched(office: Office) -> AsyncIterator[Office]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(office.watch.run)
        yield office
        tasks.cancel_scope.cancel()


async def test_a_line_that_stays_unregistered() -> None:
    async with watched(Office("a.example", "b.example")) as office:
        await anyio.sleep(1000)
        office.registered["a.example"] = False
        await anyio.sleep(UNREGISTERED_FOR - LOOK_EVERY)
        assert office.take() == []
        await anyio.sleep(2 * LOOK_EVERY)
        assert office.take() == ["a.example"]
        await anyio.sleep(600)
        assert set(office.take()) == {"a.example"}, "again and again: whether that is due, others say"
        office.registered["a.example"] = True
        await anyio.sleep(LOOK_EVERY + 10)
        office.take()
        await anyio.sleep(600)
        assert office.take() == []


async def test_a_line_that_comes_back_in_time() -> None:
    async with watched(Office("a.example")) as office:
        for _ in range(10):
            office.registered["a.example"] = False
            await anyio.sleep(UNREGISTERED_FOR - LOOK_EVERY)
            office.registered["a.example"] = True
            await anyio.sleep(LOOK_EVERY + 5)
        assert office.take() == []


async def test_one_name_of_several_lines_is_checked_once() -> None:
    async with watched(Office("a.example")) as office:
        office.registered["a.example"] = False
        line = LineSeen("another", "a.example", registered=False)
        lines = office.lines
        office.watch._lines = lambda: [*lines(), line]
        await anyio.sleep(UNREGISTERED_FOR + 2 * LOOK_EVERY)
        assert office.take() == ["a.example"]


async def test_every_extension_goes_offline_at_once() -> None:
    async with watched(Office("a.example", "b.example")) as office:
        await anyio.sleep(1000)
        office.online = 0
        await anyio.sleep(LOOK_EVERY + 15)
        assert office.take() == ["a.example", "b.example"]
        await anyio.sleep(3600)
        assert office.take() == [], "once"
        office.online = 2
        await anyio.sleep(LOOK_EVERY)
        office.online = 0
        await anyio.sleep(2 * LOOK_EVERY)
        assert office.take() == ["a.example", "b.example"]


async def test_an_office_that_goes_home() -> None:
    async with watched(Office("a.example")) as office:
        for office.online in (3, 2, 1):
            await anyio.sleep(AT_ONCE + LOOK_EVERY)
        office.online = 0
        await anyio.sleep(600)
        assert office.take() == []


async def test_an_only_phone_that_restarts_and_a_box_that_has_just_started() -> None:
    async with watched(Office("a.example")) as office:
        office.online = 0
        await anyio.sleep(600)
        office.online = 1
        await anyio.sleep(600)
        office.online = 0
        await anyio.sleep(600)
        assert office.take() == []


async def test_a_check_that_fails_is_not_the_last() -> None:
    async with watched(Office("198.51.100.1", "b.example")) as office:
        for office.fault in (ConfigError("dns-check", "error.address_needs_no_dns"), OSError("no sockets")):
            office.registered = dict.fromkeys(office.registered, False)
            await anyio.sleep(600)
            assert set(office.take()) == {"198.51.100.1", "b.example"}
