"""A phone behind Kamailio: it registers through it, and is called the same way back. RFC 3327.

The phones are the built-in ones; what is tested is Kamailio's Path, Route and Record-Route against ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest

from appliance.clock import Clock
from appliance.selftest.datagrams import PhoneSocket
from appliance.selftest.phone import Account, Phone
from appliance.selftest.sound import Sound
from appliance.sip.endpoint import Endpoint
from tests.conftest import REAL_SOCKETS
from tests.interop.exchange import Exchange, free_ports, running_exchange
from tests.peers import kamailio_proxy
from tests.peers.kamailio_proxy import KamailioProxy
from tests.peers.probe import first_answer

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(kamailio_proxy.why_not()), reason=kamailio_proxy.why_not()),
]


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    with running_exchange(tmp_path) as exchange:
        yield exchange


class DistantPhone(Phone):
    """A phone that sends everything to a proxy."""

    def use(self, proxy: tuple[str, int]) -> None:
        self._flow = self._endpoint.flow_to("udp", proxy)


@asynccontextmanager
async def phone(account: Account) -> AsyncIterator[DistantPhone]:
    clock, random, host = Clock(), Random(), account.server[0]
    with closing(PhoneSocket(host)) as line, closing(Sound(host, 620.0, random)) as sound:
        async with anyio.create_task_group() as tasks:
            for run in (clock.run, line.run, sound.run):
                tasks.start_soon(run)
            with anyio.fail_after(40):
                yield DistantPhone(account, Endpoint(clock, random, line), sound, random)
            tasks.cancel_scope.cancel()


async def test_a_phone_behind_a_proxy_is_called_through_it(exchange: Exchange, tmp_path: Path) -> None:
    passwords = exchange.add_extensions(2)
    accounts = [Account(number, passwords[number], exchange.sip) for number in ("101", "102")]
    (port,) = free_ports("127.0.0.1", 1)
    async with phone(accounts[0]) as near, phone(accounts[1]) as far:
        with KamailioProxy(tmp_path, "127.0.0.1", port) as proxy:
            await anyio.to_thread.run_sync(first_answer, proxy.address)
            far.use(proxy.address)
            await near.register()
            await far.register()
            await near.call("102")
            await far.established.wait()
            await near.hang_up()
            await far.ended.wait()
            await far.call("101")
            await near.established.wait()
            await near.hang_up()
            await far.ended.wait()
    records = exchange.wait_records(2)
    assert [each["cause"] for each in records] == ["normal", "normal"]
    messages = exchange.perform("trace", "show", records[1]["id"])
    (invite,) = [
        each["text"] for each in messages if each["direction"] == "out" and each["text"].startswith("INVITE")
    ]
    assert f"Route: <sip:127.0.0.1:{port};lr>" in invite
