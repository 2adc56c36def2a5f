"""appliance/service/world.py: lines, trunks and routes as they are set, from the settings to the wire and to what people see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from appliance.call.decision import FromExtension, Passed
from appliance.config.config import Config
from appliance.config.line import Line
from appliance.config.route import Route
from appliance.config.snapshot import Snapshot
from appliance.config.trunk import Trunk
from appliance.errors import ConfigError
from appliance.service.dns_watch import LineSeen
from appliance.service.lessons import Lessons
from appliance.service.options import Options
from appliance.service.world import World
from appliance.sip.message import Request
from appliance.sip.transport.flow import Flow
from appliance.store.store import Store
from appliance.system.network_watch import NetworkChange
from tests.call.playbook import EXCHANGE, Playbook

CARRIER = ("198.51.100.7", 5060)
FLOW = Flow("udp", EXCHANGE, CARRIER)
LINE = Line(name="a", server=CARRIER[0], account="100", password="p")
TRUNK = Trunk(name="hq", peers=("198.51.100.9",), keep_alive=0)
ROUTE = Route(name="out", pattern="X.", to=("line:a",))


class Certificates:
    """Holds one, `good`."""

    wanted: frozenset[str] = frozenset()
    lost = False

    def want(self, names: Collection[str]) -> None:
        self.wanted = frozenset(names)

    def check(self, name: str) -> None:
        if name != "good" or self.lost:
            raise FileNotFoundError(2, "No such file or directory")


class House:
    def __init__(self, store: Store, config: Config) -> None:
        self.book = Playbook()
        self.config = config
        self.told = 0
        nowhere = ("127.0.0.1", 0)
        options = Options(store.folder, EXCHANGE, nowhere, nowhere, (30_000, 30_199))
        self.lessons = Lessons(store, self.changed)
        exchange = self.book.exchange
        self.certificates = Certificates()
        self.world = World(
            *(exchange.wire, exchange, options, self.lessons, self.changed), certificates=self.certificates
        )

    def changed(self) -> None:
        self.told += 1

    async def set(self, area: str, item: Any) -> None:
        await self.config.change(lambda now: now.with_item(area, item))

    async def sent(self) -> Request:
        """The one request that is sent now."""
        await anyio.wait_all_tasks_blocked()
        ((_, message),) = self.book.wiretap.sent
        self.book.wiretap.sent.clear()
        assert isinstance(message, Request)
        return message

    async def register(self) -> None:
        request = await self.sent()
        contact = f"{request.headers.get('Contact')};expires=600"
        answer = request.respond(200, to_tag="t", headers=[("Contact", contact)])
        self.book.endpoint.receive_datagram(answer.encode(), FLOW)

    def line(self) -> dict[str, Any]:
        return dict(self.world.line_state("a"))


@asynccontextmanager
async def house(folder: Path, *items: tuple[str, Any]) -> AsyncIterator[House]:
    """It runs, with these settings stored."""
    store = await Store.open(folder)
    try:
        config = await Config.open(store)
        for area, item in items:
            await config.change(lambda now, area=area, item=item: now.with_item(area, item))  # type: ignore[misc]
        made = House(store, config)
        made.world.follow(config)
        await made.lessons.restore()
        async with anyio.create_task_group() as tasks:
            await tasks.start(made.world.run, config)
            yield made
            tasks.cancel_scope.cancel()
    finally:
        await store.close()


async def test_a_line_from_its_settings_to_its_state(tmp_path: Path) -> None:
    async with house(tmp_path, ("lines", LINE)) as it:
        assert it.line()["state"] == "registering"
        assert it.world.lines_seen() == [LineSeen("line:a", CARRIER[0], registered=False)]
        await it.register()
        shown = it.line()
        assert (shown["state"], shown["address"], shown["calls"]) == (
            "registered",
            "udp 198.51.100.7:5060",
            0,
        )
        assert shown["expires_at"] > shown["since"] > 1e9, "seconds since 1970"
        assert it.world.lines_seen() == [LineSeen("line:a", CARRIER[0], registered=True)]
        assert it.told > 0
        await it.set("lines", msgspec.structs.replace(LINE, enabled=False))
        off = it.line()
        assert off["state"] == "off"
        assert off.keys() == shown.keys(), "a page need not ask which of them there are"
        assert (await it.sent()).expires == 0
        await it.set("lines", LINE)
        assert it.line()["state"] == "registering", "as soon as the old registration is gone"
        it.book.timers.advance(5)
        it.book.wiretap.sent.clear()
        await anyio.wait_all_tasks_blocked()
        assert it.line()["state"] == "registering"


async def test_a_trunks_certificate_must_be_there(tmp_path: Path) -> None:
    async with house(tmp_path, ("trunks", TRUNK)) as it:
        assert it.certificates.wanted == frozenset()
        with pytest.raises(ConfigError) as refused:
            await it.set("trunks", msgspec.structs.replace(TRUNK, certificate="bad"))
        assert (refused.value.path, refused.value.key) == ("trunks.hq.certificate", "error.bad_certificate")
        assert refused.value.params == {"folder": "certs/bad", "reason": "No such file or directory"}
        good = msgspec.structs.replace(TRUNK, certificate="good")
        await it.set("trunks", good)
        assert it.certificates.wanted == {"good"}
        it.certificates.lost = True
        await it.set("trunks", msgspec.structs.replace(good, keep_alive=30))
        off = msgspec.structs.replace(good, enabled=False)
        await it.set("trunks", off)
        assert it.certificates.wanted == frozenset()
        with pytest.raises(ConfigError):
            await it.set("trunks", good)
        await it.set("trunks", msgspec.structs.replace(off, certificate=""))


async def test_a_trunk_from_its_settings_to_its_state(tmp_path: Path) -> None:
    async with house(tmp_path, ("trunks", TRUNK)) as it:
        shown = it.world.trunk_state("hq")
        assert (shown["state"], shown["peer_states"], shown["calls"]) == (
            "unknown",
            ["198.51.100.9 unknown"],
            0,
        )
        assert it.world.lines_seen() == [LineSeen("trunk:hq 198.51.100.9", "198.51.100.9", registered=True)]
        await it.set("trunks", msgspec.structs.replace(TRUNK, enabled=False))
        assert it.world.trunk_state("hq")["state"] == "off"
        assert it.world.lines_seen() == []


async def test_routes_hold_as_soon_as_they_are_set_and_in_local_time(tmp_path: Path) -> None:
    async with house(tmp_path, ("lines", LINE)) as it:
        router = it.book.exchange.router
        zone = it.config.current.system.time_zone
        assert str(router.around.local_now().tzinfo) == zone
        asked = ("9555", FromExtension("101", 9), router.around.local_now())
        assert not isinstance(router.decide(*asked).outcome, Passed)
        await it.set("routes", ROUTE)
        assert isinstance(router.decide(*asked).outcome, Passed)

        def elsewhere(now: Snapshot) -> Snapshot:
            return msgspec.structs.replace(
                now, system=msgspec.structs.replace(now.system, time_zone="Pacific/Apia")
            )

        await it.config.change(elsewhere)
        assert str(router.around.local_now().tzinfo) == "Pacific/Apia"


async def test_a_line_that_no_registration_can_be_made_of_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        before = it.config.current
        with pytest.raises(ConfigError) as refused:
            await it.set("lines", msgspec.structs.replace(LINE, realm="a\u00a0b"))
        assert (refused.value.path, refused.value.key) == ("lines.a.realm", "error.control_character")
        assert it.config.current == before


async def test_a_stored_line_that_cannot_be_used_keeps_nothing_from_starting(tmp_path: Path) -> None:
    bad = msgspec.structs.replace(LINE, name="bad", account="2", realm="a\u00a0b")
    async with house(tmp_path, ("lines", bad), ("lines", LINE)) as it:
        assert it.world.line_state("bad")["state"] == "off"
        await it.register()
        assert it.line()["state"] == "registered"


async def test_the_end_takes_registrations_back(tmp_path: Path) -> None:
    async with house(tmp_path, ("lines", LINE)) as it:
        await it.register()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(it.world.leave)
            request = await it.sent()
            assert request.expires == 0
            it.book.endpoint.receive_datagram(request.respond(200, to_tag="t").encode(), FLOW)
        assert it.line()["state"] == "off"


async def test_another_network_is_told_to_carriers(tmp_path: Path) -> None:
    async with house(tmp_path, ("lines", LINE)) as it:
        await it.register()
        it.world.network_changed(NetworkChange(frozenset(), elsewhere=False))
        await anyio.wait_all_tasks_blocked()
        assert (len(it.book.wiretap.sent), it.line()["state"]) == (0, "registered")
        it.world.network_changed(NetworkChange(frozenset(), elsewhere=True))
        await it.register()
        assert it.line()["state"] == "registered"
