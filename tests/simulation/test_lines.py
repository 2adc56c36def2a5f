"""Lines and their carrier through a day of bad weather, outages, and moves: they come back, and ask no more than they must.

RFC 3261 §10.2, RFC 3263 §4.3, RFC 5626 §4.5, on virtual time. The carrier is two of our own registrars.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import anyio
import pytest

from appliance.clock import Clock
from appliance.directory import Bindings, Credentials, Registrar, registrar
from appliance.lines import Account, Registration
from appliance.lines.registration import STOP_WITHIN
from appliance.sip.endpoint import Endpoint
from appliance.sip.located import Sender
from appliance.sip.message.digest import ha1
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.locate import Abilities, DnsFailure, Naptr, Srv
from appliance.sip.transport.resolve import Locator
from tests.simulation.network import Network, Weather

SERVERS = ("10.0.9.1", "10.0.9.2")
REALM = "voip.example"
EXPIRY = 300
DAY = 86_400.0
LINES = 4
ROUGH = Weather(loss=0.2, duplication=0.1, reordering=0.2, delay=(0.001, 0.2))


@dataclass(frozen=True, slots=True)
class Secret:
    ha1_md5: str
    ha1_sha256: str
    ha1_sha512_256: str

    @classmethod
    def of(cls, number: str) -> Secret:
        return cls(
            *(ha1(each, number, REALM, f"secret{number}") for each in ("MD5", "SHA-256", "SHA-512-256"))
        )


class Server:
    """One of the carrier's registrars."""

    def __init__(self, carrier: Carrier, address: str) -> None:
        self.host = carrier.network.host((address, 5060))
        self.endpoint = Endpoint(carrier.clock, carrier.chance, self.host)
        self.bindings = Bindings(carrier.clock, self.endpoint.flow_to)
        credentials = Credentials(carrier.clock, REALM, carrier.secrets.get)
        self.endpoint.serve("REGISTER", Registrar(carrier.clock, credentials, self.bindings).receive)
        self.endpoint.supported |= registrar.SUPPORTED
        self.endpoint.on_connection_lost = self.bindings.connection_lost
        self.endpoint.tap = carrier.count


class Carrier:
    """Two servers, an office with lines, and what lies between them."""

    def __init__(self, seed: int, transport: str) -> None:
        print(f"seed {seed}")  # noqa: T201  # pytest shows it when the run fails
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.network = Network(self.clock, self.chance, ROUGH)
        self.secrets = {f"10{number}": Secret.of(f"10{number}") for number in range(LINES)}
        self.requests = 0
        self.dns_gone = False
        self.servers = [Server(self, address) for address in SERVERS]
        self.office = self.network.host(("10.0.0.1", 5060))
        self.endpoint = Endpoint(self.clock, self.chance, self.office)
        locator = Locator(self.clock, self.chance, self, Abilities(("udp", "tcp"), (4,)))
        self.sender = Sender(self.endpoint, locator)
        self.lines = [self._line(number, transport) for number in self.secrets]
        self.endpoint.on_connection_lost = self._lost

    def _line(self, number: str, transport: str) -> Registration:
        account = Account(
            name=number,
            server=REALM,
            account=number,
            password=f"secret{number}",
            expiry=EXPIRY,
            transport=transport,
        )
        return Registration(self.sender, self.clock, self.chance, account, self)

    def _lost(self, flow: Flow) -> None:
        for line in self.lines:
            line.connection_lost(flow)

    def count(self, direction: str, flow: Flow, data: bytes) -> None:
        self.requests += direction == "in" and data.startswith(b"REGISTER")

    def changed(self, registration: Registration) -> None:
        state = registration.state
        assert (registration.flow is not None) or state.status != "registered"
        assert state.status != "refused", state

    # As a `Dns`.

    async def naptr(self, name: str) -> list[Naptr]:
        await anyio.lowlevel.checkpoint()
        return []

    async def srv(self, name: str) -> list[Srv]:
        if self.dns_gone:
            raise DnsFailure(name)
        return [Srv(1, 0, 5060, "one.voip.example"), Srv(2, 0, 5060, "two.voip.example")]

    async def addresses(self, name: str, family: int) -> list[str]:
        if self.dns_gone:
            raise DnsFailure(name)
        return [SERVERS[name.startswith("two")]]

    # What happens in a day.

    def part(self, *servers: Server) -> None:
        for server in servers:
            self.network.part(self.office, server.host)

    def mishaps(self) -> list[Callable[[], None]]:
        return [
            partial(self.part, self.servers[0]),
            partial(self.part, self.servers[1]),
            partial(self.part, *self.servers),
            partial(setattr, self, "dns_gone", True),
            self._cut,
            self._move,
        ]

    def _cut(self) -> None:
        for link in list(self.network.connections.values()):
            self.network.break_connection(link)

    def _move(self) -> None:
        for line in self.lines:
            line.network_changed()

    def mend(self) -> None:
        self.dns_gone = False
        for server in self.servers:
            self.network.heal(self.office, server.host)

    async def live(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.chance.choice(self.mishaps())()
            await anyio.sleep(self.chance.uniform(10, 1800))
            self.mend()
            await anyio.sleep(self.chance.uniform(10, 1800))

    def known(self) -> bool:
        """Whether each line is registered, and that is true."""
        return all(
            line.state.status == "registered"
            and any(server.bindings.lookup(line.account.account) for server in self.servers)
            for line in self.lines
        )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("seed", range(2))
async def test_a_day_of_mishaps(seed: int, transport: str) -> None:
    it = Carrier(seed, transport)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(it.clock.run)
        tasks.start_soon(it.sender.run)
        await anyio.wait_all_tasks_blocked()
        for line in it.lines:
            line.start()
        await it.live(DAY)
        it.mend()
        # The longest pause is 600 s, and two servers take at most 64 s to be silent.
        await anyio.sleep(700)
        assert it.known()
        # A refresh is due after 150 s at the earliest; some are challenged, repeated, doubled, or after a mishap.
        assert it.requests < 4 * LINES * DAY / (EXPIRY / 2)
        gone: list[None] = []
        for line in it.lines:
            line.stop(lambda: gone.append(None))
        # A moment more: what falls due in the same instant runs in any order.
        await anyio.sleep(STOP_WITHIN + 0.1)
        assert len(gone) == LINES
        await anyio.sleep(EXPIRY + 64)
        assert it.endpoint.transactions == 0
        assert not any(server.bindings.all() for server in it.servers)
        tasks.cancel_scope.cancel()
