"""Subscribers and a notifier under bad weather: in the end both sides know the same, and nothing is left behind.

RFC 6665 on virtual time. A subscription may be lost on the way; then it comes back by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import anyio
import pytest

from appliance.clock import Clock
from appliance.sip.dialog.subscription import Lifetime
from appliance.sip.endpoint import Endpoint, ServerTransaction
from appliance.sip.message import Event, SubscriptionState, Uri
from appliance.sip.subscriber import Subscriber, Wish
from appliance.sip.subscriptions import Notifier
from tests.simulation.network import FAIR, Network, Weather

PBX = ("10.0.0.1", 5060)
PHONES = 8
ROUGH = Weather(loss=0.3, duplication=0.1, reordering=0.2, delay=(0.001, 0.2))


class Counter:
    """A package that counts: the state is a number that grows."""

    name = "count"
    content_type = "text/plain"
    lifetime = Lifetime(60, 120, 120)

    def __init__(self) -> None:
        self.value = 0
        self.pace = 0.0
        "Seconds."

    def accept(self, subscriber: str, resource: Uri) -> Callable[[bool], bytes]:
        return lambda _: str(self.value).encode()


class Phone:
    """Watches the counter, and notes what it sees."""

    def __init__(self, number: int, network: Network, clock: Clock, chance: random.Random) -> None:
        self.endpoint = Endpoint(clock, chance, network.host((f"10.0.1.{number}", 5060)))
        self.seen: list[int] = []
        self.states: list[str] = []
        self.ends: list[str] = []
        wish = Wish(
            "sip:100@10.0.0.1",
            f"<sip:{200 + number}@10.0.0.1>",
            str(200 + number),
            Event.of("count"),
            ("text/plain",),
            120,
        )
        way = partial(self.endpoint.flow_to, "udp", PBX)
        self.subscriber = Subscriber(self.endpoint, chance, wish, way, self)

    def notified(self, state: SubscriptionState, content_type: str | None, body: bytes) -> None:
        self.seen.append(int(body))
        self.states.append(state.state)

    def lost(self, reason: str) -> None:
        self.ends.append(f"lost {reason}")

    def over(self, reason: str) -> None:
        self.ends.append(f"over {reason}")


class Office:
    """One exchange that counts, and phones that watch."""

    def __init__(self, seed: int, weather: Weather) -> None:
        print(f"seed {seed}")  # noqa: T201  # pytest shows it when the run fails
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.network = Network(self.clock, self.chance, weather)
        self.endpoint = Endpoint(self.clock, self.chance, self.network.host(PBX))
        self.counter = Counter()
        self.open()
        self.phones = [Phone(number, self.network, self.clock, self.chance) for number in range(PHONES)]

    def open(self) -> None:
        """Begin, or begin anew as after a restart."""
        self.notifier = Notifier(self.endpoint, self._identify)
        self.notifier.serve(self.counter)

    @staticmethod
    def _identify(transaction: ServerTransaction) -> str:
        return transaction.request.from_.uri.number or ""

    async def count(self, seconds: float) -> None:
        """Let the number grow, now and then in bursts."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.counter.value += 1
            self.notifier.notify("count", "100")
            await anyio.sleep(self.chance.choice((0.01, 0.3, 20)))

    @property
    def left(self) -> tuple[int, ...]:
        endpoints = [self.endpoint, *(phone.endpoint for phone in self.phones)]
        return (
            len(self.notifier),
            sum(endpoint.dialogs for endpoint in endpoints),
            sum(endpoint.transactions for endpoint in endpoints),
            self.clock.pending,
        )


@pytest.mark.parametrize("pace", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
async def test_all_see_the_same_in_the_end(seed: int, pace: float) -> None:
    office = Office(seed, ROUGH)
    office.counter.pace = pace
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(office.clock.run, name="clock")
        for phone in office.phones:
            phone.subscriber.start()
        await office.count(900)  # seven refreshes
        await anyio.sleep(400)  # long enough for one that was lost to come back, whatever is lost again
        assert {phone.seen[-1] for phone in office.phones} == {office.counter.value}
        assert all(phone.states[-1] == "active" for phone in office.phones)
        # Nobody sees an older number after a newer one.
        assert all(phone.seen == sorted(phone.seen) for phone in office.phones)
        assert not any(end.startswith("over") for phone in office.phones for end in phone.ends)
        for phone in office.phones:
            phone.subscriber.stop()
        await anyio.sleep(300)
        assert all(phone.ends[-1].startswith("over") for phone in office.phones)
        assert office.network.lost > office.network.sent / 5
        assert office.left == (0, 0, 0, 0)
        tasks.cancel_scope.cancel()


async def test_on_a_fair_day_nothing_is_lost() -> None:
    office = Office(1, FAIR)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(office.clock.run, name="clock")
        for phone in office.phones:
            phone.subscriber.start()
        await office.count(600)
        await anyio.sleep(5)
        assert len(office.notifier) == PHONES
        assert [phone.ends for phone in office.phones] == [[]] * PHONES
        # The exchange is restarted: all come back, in new subscriptions.
        office.notifier.shut_down()
        await anyio.sleep(5)
        assert len(office.notifier) == 0
        office.open()
        await anyio.sleep(10)
        assert [phone.ends for phone in office.phones] == [["lost probation"]] * PHONES
        assert len(office.notifier) == PHONES
        tasks.cancel_scope.cancel()


async def test_phones_that_lose_their_power_are_forgotten() -> None:
    office = Office(2, FAIR)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(office.clock.run, name="clock")
        for phone in office.phones:
            phone.subscriber.start()
        await anyio.sleep(1)
        for address in [address for address in office.network.hosts if address != PBX]:
            office.network.remove(office.network.hosts[address])
        office.notifier.notify("count", "100")
        await anyio.sleep(40)
        assert (len(office.notifier), office.endpoint.dialogs, office.endpoint.transactions) == (0, 0, 0)
        tasks.cancel_scope.cancel()
