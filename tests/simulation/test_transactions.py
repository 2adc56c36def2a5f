"""Two endpoints under bad weather: every request ends, exactly once, and nothing is left behind.

RFC 3261 §17 as a whole. Not tested here: forks (several 2xx), which take a proxy between the two.
"""

from __future__ import annotations

import random
from collections import Counter

import anyio
import pytest

from appliance.clock import Clock
from appliance.errors import PeerError
from appliance.sip.endpoint import ClientEvent, ClientTransaction, Endpoint, Failed, ServerTransaction
from appliance.sip.message import Headers, Request, Response
from tests.simulation.network import Network, Weather

ALICE, BOB = ("10.0.0.1", 5060), ("10.0.0.2", 5060)
REQUESTS = 150
ROUGH = Weather(loss=0.3, duplication=0.1, reordering=0.2, delay=(0.001, 0.2))


class Phone:
    """A user of one endpoint: answers what comes in some way, and notes how its own requests end."""

    def __init__(self, endpoint: Endpoint, clock: Clock, chance: random.Random) -> None:
        self.endpoint, self.clock, self.chance = endpoint, clock, chance
        self.ends: dict[str, list[str]] = {}
        self.received: Counter[str] = Counter()
        self.acks: set[str] = set()
        endpoint.serve("INVITE", self.invited)
        endpoint.serve("MESSAGE", self.answer_late)
        endpoint.serve("PUBLISH", self.refuse)

    def refuse(self, transaction: ServerTransaction) -> None:
        raise PeerError(404, "Not Found")

    def answer_late(self, transaction: ServerTransaction) -> None:
        self.received[transaction.request.call_id] += 1
        self.clock.after(self.chance.uniform(0, 40), lambda: transaction.respond(late(transaction)))

    def invited(self, transaction: ServerTransaction) -> None:
        self.received[transaction.request.call_id] += 1
        transaction.on_cancel = lambda cancel: None if transaction.answered else final(transaction, 487)
        transaction.reply(180)
        status = self.chance.choice((200, 200, 486, 603))
        self.clock.after(self.chance.uniform(0, 3), lambda: self.answer(transaction, status))

    def answer(self, transaction: ServerTransaction, status: int) -> None:
        if transaction.answered:
            return
        request = transaction.request
        response = transaction.reply(status)
        if status == 200:
            Accepted(self, transaction, request, response).repeat()

    def send(self, method: str, number: int, flow_to: tuple[str, tuple[str, int]]) -> None:
        call_id = f"{method}-{number}"
        request = Request(
            method,
            "sip:bob@10.0.0.2",
            Headers([
                ("Max-Forwards", "70"),
                ("From", f"<sip:alice@10.0.0.1>;tag={self.endpoint.new_tag()}"),
                ("To", "<sip:bob@10.0.0.2>"),
                ("Call-ID", call_id),
                ("CSeq", f"1 {method}"),
            ]),
        )  # fmt: skip
        flow = self.endpoint.flow_to(*flow_to)
        client = self.endpoint.send_request(request, flow, lambda event: self.note(client, event))
        if method == "INVITE" and number % 4 == 0:
            self.clock.after(self.chance.uniform(0, 2), client.cancel)

    def note(self, client: ClientTransaction, event: ClientEvent) -> None:
        call_id = client.request.call_id
        if isinstance(event, Failed):
            self.ends.setdefault(call_id, []).append(event.cause)
        elif event.status >= 200:
            if client.request.method == "INVITE" and event.status < 300:
                self.send_ack(client, event)
                if call_id in self.ends:
                    return  # repeated until the ACK got through
            self.ends.setdefault(call_id, []).append(str(event.status))

    def send_ack(self, client: ClientTransaction, ok: Response) -> None:
        ack = Request("ACK", "sip:bob@10.0.0.2", Headers([
            ("From", ok.headers.get("From") or ""), ("To", ok.headers.get("To") or ""),
            ("Call-ID", ok.call_id), ("CSeq", "1 ACK"), ("Max-Forwards", "70"),
        ]))  # fmt: skip
        self.endpoint.send_ack(ack, client.flow)


def late(transaction: ServerTransaction) -> Response:
    return transaction.request.respond(202, to_tag=transaction.tag)


def final(transaction: ServerTransaction, status: int) -> None:
    if not transaction.answered:
        transaction.reply(status)


class Accepted:
    """Repeats a 2xx until its ACK comes, as §13.3.1.4 wants of an INVITE's user."""

    def __init__(
        self, phone: Phone, transaction: ServerTransaction, request: Request, response: Response
    ) -> None:
        self.phone, self.transaction, self.response = phone, transaction, response
        self.dialog_id = (request.call_id, transaction.tag, request.from_.tag or "")
        self.left = 16  # every 2 s, for 32 s
        phone.endpoint.add_dialog(self.dialog_id, self)

    def repeat(self) -> None:
        if self.left and self.dialog_id[0] not in self.phone.acks:
            self.left -= 1
            self.transaction.respond(self.response)
            self.phone.clock.after(2, self.repeat)
        else:
            self.phone.endpoint.remove_dialog(self.dialog_id)

    def receive(self, transaction: ServerTransaction) -> None:
        raise PeerError(501, "Not Implemented")

    def receive_ack(self, ack: Request) -> None:
        self.phone.acks.add(ack.call_id)


async def run(seed: int, weather: Weather, transport: str) -> tuple[Phone, Phone, Network, Clock]:
    print(f"seed {seed}")  # noqa: T201  # pytest shows it when the run fails
    chance = random.Random(seed)
    clock = Clock()
    network = Network(clock, chance, weather)
    phones = [
        Phone(Endpoint(clock, chance, network.host(address)), clock, chance) for address in (ALICE, BOB)
    ]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.run, name="clock")
        for number in range(REQUESTS):
            method = ("OPTIONS", "INVITE", "MESSAGE", "PUBLISH")[number % 4]
            phones[0].send(method, number // 4, (transport, BOB))
            await anyio.sleep(chance.uniform(0, 0.2))
        await anyio.sleep(200)  # 64*T1 for the slowest request, its CANCEL, its answer, and what absorbs them
        tasks.cancel_scope.cancel()
    return phones[0], phones[1], network, clock


@pytest.mark.parametrize("seed", range(8))
async def test_every_request_ends_once_and_nothing_is_left(seed: int) -> None:
    alice, bob, network, clock = await run(seed, ROUGH, "udp")
    assert network.lost > network.sent / 5
    assert len(alice.ends) == REQUESTS
    assert [ends for ends in alice.ends.values() if len(ends) != 1] == []
    # §17.2: however often a request is repeated or doubled, its user sees it once.
    assert set(bob.received.values()) == {1}
    assert alice.endpoint.transactions == bob.endpoint.transactions == 0
    assert clock.pending == 0


async def test_on_fair_days_nothing_fails_by_tcp_either() -> None:
    alice, bob, _, clock = await run(1, Weather(), "tcp")
    ends = Counter(end for ends in alice.ends.values() for end in ends)
    # RFC 4320: only a MESSAGE that is answered after more than 32 s ends without a response.
    assert set(ends) <= {"200", "202", "404", "486", "487", "603", "timeout"}
    assert {call_id[:7] for call_id, end in alice.ends.items() if end == ["timeout"]} <= {"MESSAGE"}
    assert alice.endpoint.transactions == bob.endpoint.transactions == 0
    assert clock.pending == 0


async def test_a_dead_peer_ends_every_request_by_a_timeout() -> None:
    alice, bob, _, clock = await run(2, Weather(loss=1.0), "udp")
    assert {tuple(ends) for ends in alice.ends.values()} == {("timeout",)}
    assert len(alice.ends) == REQUESTS
    assert not bob.received
    assert alice.endpoint.transactions == 0
    assert clock.pending == 0


async def test_a_connection_that_breaks_fails_what_waits_on_it() -> None:
    clock = Clock()
    network = Network(clock, random.Random(3))
    host = network.host(ALICE)
    alice = Phone(Endpoint(clock, random.Random(3), host), clock, random.Random(3))
    bob = Phone(Endpoint(clock, random.Random(4), network.host(BOB)), clock, random.Random(4))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.run, name="clock")
        alice.send("MESSAGE", 0, ("tcp", BOB))
        await anyio.sleep(0.1)
        host.close(alice.endpoint.flow_to("tcp", BOB))
        assert alice.ends == {"MESSAGE-0": ["transport"]}
        # §18.2.2: the answer comes by a new connection, to nobody who still waits for it.
        await anyio.sleep(100)
        tasks.cancel_scope.cancel()
    assert bob.received == {"MESSAGE-0": 1}
    assert alice.endpoint.transactions == bob.endpoint.transactions == 0
    assert clock.pending == 0
