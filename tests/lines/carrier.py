"""A carrier on a wire: what a line sends is read, what the carrier says is written, and time is turned by hand."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from appliance.lines import Account, Registration, RegistrationState
from appliance.sip.endpoint import KEEP_OPEN
from appliance.sip.located import Sender
from appliance.sip.message import Authorization, Request
from appliance.sip.message.digest import digest_response, ha1
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.locate import Abilities, DnsFailure, Naptr, Srv
from appliance.sip.transport.resolve import Locator
from tests.sip.wire import Wire

__all__ = ["PASSWORD", "Carrier", "Zone", "account", "carrier", "challenge", "proven"]

PASSWORD = 'a pass,"word\\'
OURS = ("192.0.2.1", 5060)


def account(**fields: Any) -> Account:
    usual: dict[str, Any] = {
        "name": "l1",
        "server": "carrier.example",
        "account": "101",
        "password": PASSWORD,
    }
    return Account(**(usual | fields))


def challenge(nonce: str = "n1", **fields: str) -> tuple[str, str]:
    """A WWW-Authenticate of the carrier."""
    header = "Proxy-Authenticate" if fields.pop("proxy", "") else "WWW-Authenticate"
    usual = {"realm": '"carrier.example"', "nonce": f'"{nonce}"', "qop": '"auth"'} | fields
    return header, "Digest " + ", ".join(f"{name}={value}" for name, value in usual.items() if value)


class Zone:
    """A `Dns`: three hosts in the order of their SRV records."""

    def __init__(self) -> None:
        self.srvs = {
            "_sip._udp.carrier.example": [Srv(n, 0, 5060, f"s{n}.carrier.example") for n in (1, 2, 3)]
        }
        self.hosts = {f"s{n}.carrier.example": [f"198.51.100.{n}"] for n in (1, 2, 3)}
        self.gone = False
        self.asked = 0

    async def naptr(self, name: str) -> list[Naptr]:
        await checkpoint()
        return []

    async def srv(self, name: str) -> list[Srv]:
        self.asked += 1
        if self.gone:
            raise DnsFailure(name)
        return self.srvs.get(name, [])

    async def addresses(self, name: str, family: int) -> list[str]:
        if self.gone:
            raise DnsFailure(name)
        return self.hosts.get(name, [])


class Carrier:
    """One line and its carrier."""

    def __init__(self, account: Account, zone: Zone, seed: int) -> None:
        self.wire, self.zone = Wire(), zone
        self.timers = self.wire.timers
        locator = Locator(self.timers, random.Random(1), zone, Abilities(("udp", "tcp", "tls"), (4,)))
        self.sender = Sender(self.wire.endpoint, locator)
        self.told: list[RegistrationState] = []
        self.line = Registration(self.sender, self.timers, random.Random(seed), account, self)
        self.flow = Flow("udp", OURS, ("", 0))
        "The way that the newest message came."
        self.kept: list[tuple[float, Flow]] = []
        "When and over which way octets went that only keep it open."

    def changed(self, registration: Registration) -> None:
        self.told.append(registration.state)

    @property
    def status(self) -> str:
        return self.line.state.status

    @property
    def cause(self) -> str:
        return self.line.state.cause

    @property
    def known(self) -> bool:
        """Whether the carrier knows where the line is."""
        return self.line.flow is not None and self.line.state.expires_at is not None

    async def start(self) -> Request:
        self.line.start()
        return await self.request()

    async def settle(self) -> None:
        """Let DNS answer, and what is due at this moment happen."""
        for _ in range(3):
            await anyio.wait_all_tasks_blocked()
            self.timers.wait(0)

    async def wait(self, seconds: float) -> None:
        """Let time pass; DNS answers within it."""
        end = self.timers.time + seconds
        await self.settle()
        while (due := self.timers.heap.next_due()) is not None and due <= end:
            self.timers.wait(max(0.0, due - self.timers.time))
            await self.settle()
            self._note_kept()
        self.timers.wait(end - self.timers.time)

    def _note_kept(self) -> None:
        self.kept += [(self.timers.time, flow) for flow, data in self.wire.out if data == KEEP_OPEN]
        self.wire.out = [(flow, data) for flow, data in self.wire.out if data != KEEP_OPEN]

    def take(self) -> list[Request]:
        """What the line sent since the last time, without retransmissions."""
        if self.wire.out:
            self.flow = self.wire.out[-1][0]
        sent = [each for each in self.wire.take() if isinstance(each, Request)]
        return list({each.via.branch: each for each in sent}.values())

    async def request(self) -> Request:
        """The one request that it sends at this moment."""
        await self.settle()
        (request,) = self.take()
        return request

    async def nothing(self) -> bool:
        """Whether it sends nothing at this moment."""
        await self.settle()
        return not self.wire.out

    async def next_try(self) -> float:
        """Wait until it tries again; seconds that it took."""
        due = self.line.state.next_try_at
        assert due is not None
        pause = due - self.timers.time
        await self.wait(pause)
        return pause

    async def say(self, request: Request, status: int, *headers: tuple[str, str], **noted: Any) -> None:
        """The carrier answers."""
        response = request.respond(status, to_tag="t", headers=headers)
        if noted:
            via = response.headers.get("Via") or ""
            seen = f"received={noted['received']};rport={noted['rport']}"
            response.headers.set("Via", via.replace("rport", seen))
        self.wire.receive(response, self.flow)
        await self.settle()

    async def accept(
        self, request: Request, expires: int = 600, *headers: tuple[str, str], **noted: Any
    ) -> None:
        contact = f"{request.headers.get('Contact')};expires={expires}"
        await self.say(request, 200, ("Contact", contact), *headers, **noted)


@asynccontextmanager
async def carrier(
    it: Account | None = None, zone: Zone | None = None, seed: int = 1
) -> AsyncIterator[Carrier]:
    made = Carrier(it or account(), zone or Zone(), seed)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(made.sender.run)
        await anyio.wait_all_tasks_blocked()
        yield made
        # Whatever happened: after its end nothing is left of it.
        made.line.stop()
        await made.wait(600)
        assert made.line.state.status == "unregistered"
        assert (made.wire.endpoint.transactions, len(made.timers.heap)) == (0, 0)
        tasks.cancel_scope.cancel()


def proven(
    request: Request, header: str = "Authorization", user: str = "101", password: str = PASSWORD
) -> Authorization:
    """The proof in a request, which is right."""
    proof = Authorization.parse(request.headers.get(header) or "")
    secret = ha1(proof.algorithm, user, proof.realm, password)
    assert proof.username == user
    assert digest_response(secret, request.method, proof, request.body) == proof.response
    return proof
