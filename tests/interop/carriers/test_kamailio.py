"""A line at Kamailio as carrier: its domain, proxy, registrar, realm and authentication name are all different.

RFC 3261 §10.2, §22; RFC 3327, RFC 3608. On loopback, in real time.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from appliance.lines import Account, Registration
from appliance.sip.located import Sender
from appliance.sip.message import Request, Response, parse_message
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.locate import Abilities, Naptr, Srv
from appliance.sip.transport.resolve import Locator
from tests.conftest import REAL_SOCKETS
from tests.interop.exchange import free_ports
from tests.peers import kamailio_carrier
from tests.peers.kamailio_carrier import DOMAIN, LEAST, LONGEST, REALM, KamailioCarrier
from tests.sip.transport.exchange import Exchange, exchange

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(kamailio_carrier.why_not()), reason=kamailio_carrier.why_not()),
]

USER = f"862412345678@{DOMAIN}"
PASSWORD = "not-a-secret"
PATIENCE = 20.0


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS


class NoDns:
    """A `Dns` that nobody may need here."""

    async def naptr(self, name: str) -> Sequence[Naptr]:
        raise AssertionError(name)

    async def srv(self, name: str) -> Sequence[Srv]:
        raise AssertionError(name)

    async def addresses(self, name: str, family: int) -> Sequence[str]:
        raise AssertionError(name)


class Line:
    """A registration with what it has said and heard."""

    def __init__(self, it: Exchange, sender: Sender, account: Account) -> None:
        self.messages: list[Request | Response] = []
        self._news = anyio.Event()
        it.endpoint.tap = self._tap
        self.registration = Registration(sender, it.clock, random.Random(1), account, self)

    def _tap(self, direction: str, flow: Flow, data: bytes) -> None:
        self.messages.append(parse_message(data))

    def changed(self, registration: Registration) -> None:
        self._news.set()

    @property
    def statuses(self) -> list[int]:
        """What came of each request, repeated or not."""
        return list(
            {each.cseq.number: each.status for each in self.messages if isinstance(each, Response)}.values()
        )

    @property
    def requests(self) -> list[Request]:
        return list({each.cseq.number: each for each in self.messages if isinstance(each, Request)}.values())

    @property
    def newest(self) -> Response:
        return next(each for each in reversed(self.messages) if isinstance(each, Response))

    async def until(self, condition: Callable[[Registration], bool]) -> None:
        """Wait for a change after which the condition holds."""
        with anyio.fail_after(PATIENCE):
            while not condition(self.registration):
                self._news = anyio.Event()
                await self._news.wait()

    async def stop(self) -> None:
        gone = anyio.Event()
        self.registration.stop(gone.set)
        with anyio.fail_after(PATIENCE):
            await gone.wait()


@asynccontextmanager
async def line(carrier: KamailioCarrier, **fields: Any) -> AsyncIterator[Line]:
    host, port = carrier.registrar
    usual: dict[str, Any] = {
        "name": "l1", "server": host, "port": port, "domain": DOMAIN, "realm": REALM, "account": "+862412345678",
        "auth_name": USER, "password": PASSWORD, "expiry": 60, "transport": "udp",
    }  # fmt: skip
    async with exchange() as it, anyio.create_task_group() as tasks:
        locator = Locator(it.clock, random.Random(1), NoDns(), Abilities(("udp", "tcp"), (4,)))
        sender = Sender(it.endpoint, locator)
        tasks.start_soon(sender.run)
        await anyio.wait_all_tasks_blocked()
        yield Line(it, sender, Account(**(usual | fields)))
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("by_proxy", [True, False])
async def test_registered_refreshed_and_gone(tmp_path: Path, algorithm: str, by_proxy: bool) -> None:
    edge, registrar = free_ports("127.0.0.1", 2)
    made = KamailioCarrier(tmp_path, (edge, registrar), USER, PASSWORD, algorithm=algorithm, nonce_expire=2)
    with made as carrier:
        proxy = f"127.0.0.1:{edge}" if by_proxy else ""
        async with line(carrier, proxy=proxy) as it:
            registration = it.registration
            registration.start()
            await it.until(lambda line: line.state.status == "registered")
            first = registration.state
            assert it.statuses == [401, 423, 200]
            assert it.newest.headers.get("Contact") is not None
            assert registration.flow is not None
            assert registration.flow.remote == ("127.0.0.1", edge if by_proxy else registrar)
            assert registration.service_route == (f"<sip:127.0.0.1:{edge};lr>",)
            assert registration.associated == (f"sip:{USER}",)
            assert [each.expires for each in it.requests] == [60, 60, LEAST]
            assert {each.uri for each in it.requests} == {f"sip:{DOMAIN}"}
            # The carrier's expiry counts, and by the refresh its nonce is stale.
            assert first.expires_at is not None
            await it.until(lambda line: (line.state.expires_at or 0) > (first.expires_at or 0))
            assert registration.state.since == first.since
            assert it.statuses[3:] == [401, 200]
            assert registration.state.expires_at is not None
            assert registration.state.expires_at - first.expires_at >= LONGEST / 2
            await it.stop()
            assert it.newest.status == 200
            assert it.newest.headers.get("Contact") is None, "nobody is registered there now"
            assert registration.state.status == "unregistered"


async def test_a_nonce_serves_until_the_carrier_wants_another(tmp_path: Path) -> None:
    edge, registrar = free_ports("127.0.0.1", 2)
    with KamailioCarrier(tmp_path, (edge, registrar), USER, PASSWORD) as carrier:
        async with line(carrier, expiry=LEAST) as it:
            it.registration.start()
            await it.until(lambda line: line.state.status == "registered")
            first = it.registration.state
            await it.until(lambda line: (line.state.expires_at or 0) > (first.expires_at or 0))
            await it.stop()
            assert it.statuses == [401, 200, 200, 200]


async def test_a_wrong_password(tmp_path: Path) -> None:
    edge, registrar = free_ports("127.0.0.1", 2)
    with KamailioCarrier(tmp_path, (edge, registrar), USER, PASSWORD) as carrier:
        async with line(carrier, password="guessed") as it:
            it.registration.start()
            await it.until(lambda line: line.state.status == "refused")
            state = it.registration.state
            assert (state.cause, state.code, state.reason) == ("wrong_password", 401, REALM)
            assert it.statuses == [401, 401]
            await it.stop()
