"""The SIP side of the exchange among phones with moods, under bad weather: nothing is left, all is recorded.

RFC 3261 as a whole, RFC 5407 (races). Every fourth phone speaks TCP; two of three know 100rel, UPDATE and timers. Not tested here: sound, trunks.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import anyio
import pytest

from appliance.call.exchange import Directory, Exchange
from appliance.call.leg_options import LegOptions
from appliance.call.record import CallRecord
from appliance.call.wire import Wire
from appliance.clock import Clock
from appliance.config.extension import Extension
from appliance.directory import Bindings, Credentials, Registrar
from appliance.media.relay import Relay
from appliance.sip.dialog import TimerPolicy
from appliance.sip.endpoint import Endpoint, ServerTransaction
from appliance.sip.message.digest import ha1
from tests.call.playbook import SilentSocket
from tests.simulation.network import Network, Weather
from tests.simulation.phone import SimulatedPhone

EXCHANGE = ("10.0.0.1", 5060)
REALM = "branchbox"
PHONES = 12
"Twelve phones of eight extensions: four have a second one."
EXTENSIONS = [str(101 + at) for at in range(8)]
CALLS = 150
"A run of it takes some three seconds."


@dataclass
class Office:
    """An exchange and its phones, all on one clock."""

    seed: int
    weather: Weather
    records: list[CallRecord] = field(default_factory=list)
    let_in: set[str] = field(default_factory=set)
    "Call-IDs of the INVITEs that proved who they came from."

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.clock = Clock()
        self.network = Network(self.clock, self.chance)
        self.endpoint = Endpoint(self.clock, self.chance, self.network.host(EXCHANGE))
        self.relay = Relay((30_000, 34_999), self.clock, self.chance, lambda host, port: SilentSocket())
        extensions = {number: extension(number) for number in EXTENSIONS}
        bindings = Bindings(self.clock)
        credentials = Credentials(self.clock, REALM, extensions.get)
        registrar = Registrar(self.clock, credentials, bindings, lambda: 0.0)
        self.endpoint.serve("REGISTER", registrar.receive)
        self.bindings = bindings
        wire = Wire(self.endpoint, self.clock, self.chance, self.relay)
        self.exchange = Exchange(wire, Directory(extensions.get, credentials, bindings), self.clock.now)
        self.exchange.options = LegOptions(timer=TimerPolicy(interval=120))
        self.exchange.on_record = self.records.append
        self.endpoint.serve("INVITE", self.receive)
        self.phones = [
            SimulatedPhone(
                self.network, self.clock, EXTENSIONS[at % len(EXTENSIONS)], (f"10.0.1.{at + 1}", 5060), EXCHANGE,
                transport="tcp" if at % 4 == 3 else "udp", modern=at % 3 != 1,
            )
            for at in range(PHONES)
        ]  # fmt: skip

    def receive(self, transaction: ServerTransaction) -> None:
        before = len(self.records) + len(self.exchange)
        try:
            self.exchange.receive(transaction)
        finally:
            # Either a call or its record, at once and once; a challenge makes neither.
            if len(self.records) + len(self.exchange) > before:
                self.let_in.add(transaction.request.call_id)

    async def day(self) -> None:
        """Register, call, and let everything run out."""
        print(f"seed {self.seed}")  # noqa: T201  # pytest shows it when the run fails
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.clock.run, name="clock")
            for phone in self.phones:
                phone.register()
            await anyio.sleep(5)
            assert all(phone.registered for phone in self.phones)
            self.network.weather = self.weather
            await self.calls()
            await anyio.sleep(120)
            # A phone without power has no call left: its sessions were not refreshed.
            dead = "{}:{}".format(*self.phones[-1].address)
            assert [
                call for call in self.exchange.calls() if dead in {leg.address for leg in call.legs}
            ] == []
            for call in self.exchange.calls():
                assert self.exchange.hang_up(call.id)
            await anyio.sleep(150)  # 64*T1 for an INVITE, its CANCEL or BYE, and what absorbs their echoes
            for number in EXTENSIONS:
                self.bindings.forget(number)
            tasks.cancel_scope.cancel()

    async def calls(self) -> None:
        for at in range(CALLS):
            phone = self.chance.choice(self.phones)
            number = self.chance.choice([*EXTENSIONS, "999"])
            phone.call(number)
            await anyio.sleep(self.chance.uniform(0, 2))
            calls = self.exchange.calls()
            if calls and self.chance.random() < 0.05:
                self.exchange.hang_up(self.chance.choice(calls).id)
            if at == CALLS * 2 // 3:
                self.network.remove(self.phones[-1].host)  # its power is cut in the middle of what it does

    def check(self) -> None:
        """Nothing is left of the day but its records."""
        assert self.exchange.calls() == []
        assert self.relay.open_ports == 0
        assert self.endpoint.transactions == 0
        assert self.endpoint._dialogs == {}
        assert len(self.records) == len(self.let_in) == len({record.id for record in self.records})
        assert self.clock.pending == 0
        # The phone whose power was cut never heard how its calls ended.
        assert [phone.number for phone in self.phones[:-1] if phone.endpoint.transactions] == []


def extension(number: str) -> Extension:
    md5, sha256 = (ha1(name, number, REALM, f"secret{number}") for name in ("MD5", "SHA-256"))
    return Extension(number=number, name=f"Phone {number}", ring_seconds=20, ha1_md5=md5, ha1_sha256=sha256)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loss", [0.05, 0.3])
async def test_a_day_in_bad_weather(seed: int, loss: float) -> None:
    office = Office(seed, Weather(loss=loss, duplication=0.1, reordering=0.1, delay=(0.001, 0.1)))
    await office.day()
    office.check()
    causes = Counter(record.cause for record in office.records)
    # There was weather, and life in the office.
    assert office.network.lost > 0
    assert causes.keys() >= {"normal", "busy", "cancelled", "not_found", "no_answer"}
    done = sum((phone.results for phone in office.phones), Counter())
    assert min(done["told reliably"], done["PRACK 200"], done["UPDATE 200"]) > 5


async def test_a_fair_day() -> None:
    office = Office(99, Weather())
    await office.day()
    office.check()
    # Nothing fails that nobody wanted to fail; the phone whose power was cut is lost or silent.
    causes = Counter(record.cause for record in office.records)
    assert causes["failed"] == causes["media"] == causes["loop"] == 0
    assert causes["normal"] > CALLS / 4


async def test_stop_in_the_middle_of_the_day() -> None:
    office = Office(7, Weather(loss=0.1))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(office.clock.run, name="clock")
        for phone in office.phones:
            phone.register()
        await anyio.sleep(5)
        for phone in office.phones * 2:
            phone.call(office.chance.choice(EXTENSIONS))
        await anyio.sleep(6)
        assert len(office.exchange) > 5
        office.exchange.shut_down()
        assert office.exchange.calls() == []
        assert office.relay.open_ports == 0
        assert "shutdown" in {record.cause for record in office.records}
        await anyio.sleep(300)
        for number in EXTENSIONS:
            office.bindings.forget(number)
        tasks.cancel_scope.cancel()
    office.check()
