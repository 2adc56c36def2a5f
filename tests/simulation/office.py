"""An office on one clock: the SIP side of the exchange, its phones, and what befalls them in the course of a day.

A seed tells a day whole, but for the salts of nonces, on which nothing depends.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import anyio

from appliance.call.cause import Cause
from appliance.call.exchange import Directory, Exchange
from appliance.call.leg_options import LegOptions
from appliance.call.record import CallRecord
from appliance.call.wire import Wire
from appliance.clock import Clock
from appliance.config.extension import Extension
from appliance.directory import Bindings, Credentials, Registrar
from appliance.media.relay import Relay
from appliance.sip.dialog import TimerPolicy
from appliance.sip.endpoint import Endpoint
from appliance.sip.message.digest import ha1
from tests.call.playbook import SilentSocket
from tests.simulation.attempt import Attempt
from tests.simulation.network import Network, Weather
from tests.simulation.phone import SimulatedPhone

__all__ = ["Office"]

EXCHANGE = ("10.0.0.1", 5060)
REALM = "branchbox"
PHONES = 24
"Of sixteen extensions: eight have a second phone. Every fourth speaks TCP; two of three are modern."
EXTENSIONS = [str(101 + at) for at in range(16)]
DYING = 3
"Phones whose power is cut during the day and never comes back."


@dataclass(eq=False, repr=False)
class Office:
    """One exchange and its phones."""

    seed: int
    weather: Weather
    calls: int
    "How many are made on a day."
    parting: float = 0.0
    "The share of calls with which a phone is cut off from the exchange for a while."
    records: list[CallRecord] = field(default_factory=list)
    dialled: list[tuple[str, str]] = field(default_factory=list)
    "The id of each call that was let in, or refused, and its caller's Call-ID."
    attempts: dict[str, Attempt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.clock = Clock()
        self.network = Network(self.clock, self.chance, self.weather)
        self.host = self.network.host(EXCHANGE)
        self.endpoint = Endpoint(self.clock, self.chance, self.host)
        self.relay = Relay((30_000, 34_999), self.clock, self.chance, lambda host, port: SilentSocket())
        self.bindings = Bindings(self.clock, self.endpoint.flow_to)
        self.endpoint.on_connection_lost = self.bindings.connection_lost
        self.exchange = self._exchange()
        self.phones = [self._phone(at) for at in range(PHONES)]
        self._serial = count(1)

    def _exchange(self) -> Exchange:
        extensions = {number: extension(number) for number in EXTENSIONS}
        credentials = Credentials(self.clock, REALM, extensions.get)
        registrar = Registrar(self.clock, credentials, self.bindings, lambda: 0.0)
        self.endpoint.serve("REGISTER", registrar.receive)
        wire = Wire(self.endpoint, self.clock, self.chance, self.relay)
        exchange = Exchange(wire, Directory(extensions.get, credentials, self.bindings), self.clock.now)
        exchange.options = LegOptions(timer=TimerPolicy(interval=120))
        exchange.on_record = self.records.append
        exchange.on_dialled = lambda call_id, dialled: self.dialled.append((call_id, dialled))
        return exchange

    def _phone(self, at: int) -> SimulatedPhone:
        return SimulatedPhone(
            self.network, self.clock, EXTENSIONS[at % len(EXTENSIONS)], (f"10.0.1.{at + 1}", 5060), EXCHANGE,
            self.attempts, transport="tcp" if at % 4 == 3 else "udp", modern=at % 3 != 1,
        )  # fmt: skip

    # --- the day

    async def day(self) -> None:
        """Register, call, and let everything run out."""
        before = len(anyio.get_running_tasks())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.clock.run, name="clock")
            await self.open()
            await self.work()
            await self.close()
            # The clock's is the one task there is.
            assert len(anyio.get_running_tasks()) == before + 1
            tasks.cancel_scope.cancel()

    async def open(self) -> None:
        """Let the phones register, in whatever weather there is."""
        for phone in self.phones:
            phone.register()
        await anyio.sleep(60)

    async def work(self) -> None:
        """Call, hang up, part and heal."""
        deaths = {self.calls * (at + 1) // (DYING + 1): self.phones[-1 - at] for at in range(DYING)}
        for at in range(self.calls):
            await anyio.sleep(self.chance.uniform(0, 1))
            self.somebody_calls()
            if self.chance.random() < self.parting:
                self.part(self.chance.choice(self.phones), self.chance.uniform(0.5, 40))
            if self.parting and at % 500 == 250:
                self.part_all(self.chance.uniform(5, 30))
            if self.chance.random() < 0.03:
                self.administrator_hangs_up()
            if at in deaths:
                self.die(deaths[at])

    def somebody_calls(self) -> None:
        alive = [phone for phone in self.phones if phone.alive]
        caller = self.chance.choice(alive)
        number = self.chance.choice(EXTENSIONS) if self.chance.random() < 0.97 else "999"
        called = self.call(caller, number)
        if called and self.chance.random() < 0.05:
            self.call(called[0], caller.number)  # the two call one another

    def call(self, caller: SimulatedPhone, number: str) -> list[SimulatedPhone]:
        """Let one phone call an extension; gives the phones that will ring."""
        own = number == caller.number
        callees = [phone for phone in self.phones if phone.number == number and phone.alive and not own]
        attempt = Attempt(str(next(self._serial)), self.chance, caller, callees)
        self.attempts[attempt.key] = attempt
        caller.call(number, attempt)
        return callees

    def administrator_hangs_up(self) -> None:
        calls = self.exchange.calls()
        if not calls:
            return
        chosen = self.chance.choice(calls).id
        call_id = dict(self.dialled)[chosen]
        next(attempt for attempt in self.attempts.values() if attempt.call_id == call_id).disturb()
        self.exchange.hang_up(chosen)

    def part(self, phone: SimulatedPhone, seconds: float) -> None:
        """Cut a phone off from the exchange for a while."""
        if phone.parted or not phone.alive:
            return
        phone.parted = True
        self.network.part(phone.host, self.host)
        self._disturb(phone)
        self.clock.after(seconds, lambda: self._heal(phone))

    def part_all(self, seconds: float) -> None:
        """Pull the exchange's cable for a while."""
        for phone in self.phones:
            self.part(phone, seconds)

    def _heal(self, phone: SimulatedPhone) -> None:
        phone.parted = False
        self.network.heal(phone.host, self.host)

    def die(self, phone: SimulatedPhone) -> None:
        """Cut a phone's power, in the middle of what it does."""
        self.network.remove(phone.host)
        self._disturb(phone)

    def _disturb(self, phone: SimulatedPhone) -> None:
        for attempt in self.attempts.values():
            if phone in attempt.parties:
                attempt.disturb()

    async def close(self) -> None:
        """Let everybody go home."""
        await anyio.sleep(120)
        # A phone without power has no call left: its sessions were not refreshed.
        dead = {"{}:{}".format(*phone.address) for phone in self.phones if not phone.alive}
        legs = {leg.address for call in self.exchange.calls() for leg in call.legs}
        assert legs & dead == set()
        for call in self.exchange.calls()[::2]:
            assert self.exchange.hang_up(call.id)
        for phone in self.phones:
            phone.switch_off()
        # 64*T1 for an INVITE, its CANCEL or BYE, and what absorbs their echoes; and what a registration lasts.
        await anyio.sleep(330)

    # --- what is left of it

    def check(self) -> None:
        """Nothing is left of the day but its records, one a call."""
        assert self.exchange.calls() == []
        assert len(self.bindings) == 0
        assert self.relay.open_ports == 0
        assert (self.endpoint.transactions, self.endpoint.dialogs) == (0, 0)
        assert self.clock.pending == 0
        # A phone whose power was cut never heard how its calls ended.
        left = [(phone.endpoint.transactions, phone.endpoint.dialogs) for phone in self.phones if phone.alive]
        assert set(left) == {(0, 0)}
        self.check_records()

    def check_records(self) -> None:
        """One record for each call that was let in, with a cause; one call for each attempt."""
        ids, call_ids = zip(*self.dialled, strict=True)
        assert Counter(record.id for record in self.records) == Counter(ids)
        assert max(Counter(call_ids).values()) == 1
        assert {record.cause for record in self.records} <= {cause.value for cause in Cause}
        causes = {record.id: record for record in self.records}
        records = {call_id: causes[known] for known, call_id in self.dialled}
        assert records.keys() <= {attempt.call_id for attempt in self.attempts.values()}
        for attempt in self.attempts.values():
            if attempt.established:
                assert records[attempt.call_id].answered_at is not None

    @property
    def wanted(self) -> list[Attempt]:
        """The attempts by which set-up success is measured."""
        return [attempt for attempt in self.attempts.values() if attempt.wanted]

    @property
    def success(self) -> float:
        """The share of them that became established at both ends."""
        return sum(attempt.established for attempt in self.wanted) / len(self.wanted)


def extension(number: str) -> Extension:
    md5, sha256 = (ha1(name, number, REALM, f"secret{number}") for name in ("MD5", "SHA-256"))
    return Extension(number=number, name=f"Phone {number}", ha1_md5=md5, ha1_sha256=sha256)
