"""Requests to URIs, from one target to the next. RFC 3263 §4.3, RFC 3261 §8.1.2."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.lowlevel import checkpoint

from appliance.errors import PeerError
from appliance.sip import located
from appliance.sip.endpoint import ClientEvent
from appliance.sip.located import ANYHOW, LocatedRequest, Sender, Way, next_hop
from appliance.sip.message import Headers, Request, Response, Uri
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.locate import Abilities, DnsFailure, Naptr, Srv
from appliance.sip.transport.resolve import Locator
from tests.sip.wire import Wire

HOSTS = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


class Hosts:
    """A `Dns` with addresses alone."""

    def __init__(self) -> None:
        self.hosts: dict[str, list[str]] = {"example.com": HOSTS}

    async def naptr(self, name: str) -> list[Naptr]:
        await checkpoint()
        return []

    async def srv(self, name: str) -> list[Srv]:
        return []

    async def addresses(self, name: str, family: int) -> list[str]:
        if name == "silent.example":
            await anyio.sleep(5)
            raise DnsFailure(name)
        if name == "defect.example":
            raise KeyError(name)
        return self.hosts.get(name, [])


class Trunk:
    """An endpoint that sends to URIs."""

    def __init__(self) -> None:
        self.wire = Wire()
        abilities = Abilities(("udp", "tcp", "tls"), (4,))
        self.locator = Locator(self.wire.timers, random.Random(1), Hosts(), abilities)
        self.sender = Sender(self.wire.endpoint, self.locator)
        self.events: list[ClientEvent] = []

    def request(self, uri: str = "sip:101@example.com", method: str = "OPTIONS", route: str = "") -> Request:
        headers = [("Route", route)] if route else []
        headers += [
            ("From", "<sip:a@b>;tag=f"), ("To", f"<{uri}>"), ("Call-ID", "c"), ("CSeq", f"1 {method}"), ("Max-Forwards", "70"),
        ]  # fmt: skip
        return Request(method, uri, Headers(headers), b"body")

    async def send(
        self,
        request: Request,
        prepare: Callable[[Request, Flow], None] | None = None,
        way: Way = ANYHOW,
    ) -> LocatedRequest:
        sent = self.sender.send(request, self.events.append, prepare=prepare, way=way)
        assert self.events == [], "never before send has returned"
        await anyio.wait_all_tasks_blocked()
        return sent

    def sent_to(self) -> list[tuple[str, str, int]]:
        """Where the messages went since the last time, without repeated ones."""
        ways = [(flow.transport, *flow.remote) for flow, _ in self.wire.out]
        self.wire.out.clear()
        return list(dict.fromkeys(ways))

    def answer(self, status: int, *headers: tuple[str, str]) -> None:
        """The peer answers what was sent last."""
        (request, *_) = [each for each in self.wire.take()[::-1] if isinstance(each, Request)]
        self.wire.receive(request.respond(status, to_tag="t", headers=headers))

    def statuses(self) -> list[object]:
        told: list[object] = [
            each.status if isinstance(each, Response) else each.cause for each in self.events
        ]
        self.events.clear()
        return told


@asynccontextmanager
async def running() -> AsyncIterator[Trunk]:
    trunk = Trunk()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(trunk.sender.run)
        await anyio.wait_all_tasks_blocked()
        yield trunk
        tasks.cancel_scope.cancel()
    trunk.wire.timers.wait(64)
    assert trunk.wire.endpoint.transactions == 0


def silence(trunk: Trunk) -> None:
    trunk.wire.timers.wait(32)


async def test_the_first_that_answers() -> None:
    async with running() as trunk:
        await trunk.send(trunk.request())
        trunk.answer(200)
        assert trunk.statuses() == [200]


async def test_silence_refusal_and_errors_lead_to_the_next() -> None:
    async with running() as trunk:
        await trunk.send(trunk.request())
        branches = {trunk.wire.take()[0].via.branch}
        silence(trunk)
        second = next(each for each in trunk.wire.take() if each.via.branch not in branches)
        branches.add(second.via.branch)
        assert second.body == b"body"
        assert len(second.vias) == 1
        trunk.wire.receive(second.respond(503, to_tag="t", headers=(("Retry-After", "300"),)))  # type: ignore[union-attr]
        assert trunk.sent_to() == [("udp", "192.0.2.3", 5060)]
        assert trunk.statuses() == []
        trunk.wire.endpoint.flow_failed(Flow("udp", ("192.0.2.1", 5060), ("192.0.2.3", 5060)))
        assert trunk.statuses() == ["transport"]


async def test_what_failed_comes_last_for_a_while() -> None:
    async with running() as trunk:
        await trunk.send(trunk.request())
        trunk.answer(503, ("Retry-After", "300"))
        trunk.answer(200)
        assert trunk.statuses() == [200]
        await trunk.send(trunk.request())
        assert trunk.sent_to() == [("udp", "192.0.2.2", 5060)]
        silence(trunk)
        assert trunk.sent_to()[-1] == ("udp", "192.0.2.3", 5060)
        silence(trunk)
        assert trunk.sent_to()[-1] == ("udp", "192.0.2.1", 5060), "the last resort"
        silence(trunk)
        assert trunk.statuses() == ["timeout"]


async def test_the_last_503_is_told() -> None:
    async with running() as trunk:
        await trunk.send(trunk.request("sip:192.0.2.1", "INVITE"))
        trunk.answer(503)
        assert trunk.statuses() == [503]


@pytest.mark.parametrize("status", [302, 404, 408, 480, 500, 600])
async def test_any_other_answer_stands(status: int) -> None:
    async with running() as trunk:
        await trunk.send(trunk.request())
        trunk.answer(status)
        assert trunk.statuses() == [status]
        assert trunk.sent_to() == []


async def test_once_somebody_rings_the_request_is_theirs() -> None:
    async with running() as trunk:
        await trunk.send(trunk.request(method="INVITE"))
        trunk.answer(180)
        trunk.wire.endpoint.flow_failed(Flow("udp", ("192.0.2.1", 5060), ("192.0.2.1", 5060)))
        assert trunk.statuses() == [180, "transport"]
        assert trunk.sent_to() == []


@pytest.mark.parametrize("ringing", [True, False])
async def test_a_cancelled_invite_goes_nowhere_else(ringing: bool) -> None:
    async with running() as trunk:
        sent = await trunk.send(trunk.request(method="INVITE"))
        if ringing:
            (invite,) = trunk.wire.take()
            assert isinstance(invite, Request)
            trunk.wire.receive(invite.respond(180, to_tag="t"))
            sent.cancel([("Reason", "SIP;cause=200")])
            cancel = trunk.wire.request()
            assert (cancel.method, cancel.headers.get("Reason")) == ("CANCEL", "SIP;cause=200")
            trunk.wire.receive(cancel.respond(200))
            trunk.wire.receive(invite.respond(487, to_tag="t"))
            assert trunk.statuses() == [180, 487]
        else:
            sent.cancel()
            silence(trunk)
            assert trunk.statuses() == ["timeout"]
            assert trunk.sent_to() == [("udp", "192.0.2.1", 5060)]


async def test_cancelled_before_anybody_knew_where() -> None:
    async with running() as trunk:
        sent = trunk.sender.send(trunk.request(method="INVITE"), trunk.events.append)
        sent.cancel()
        await anyio.wait_all_tasks_blocked()
        assert trunk.statuses() == ["transport"]
        assert trunk.sent_to() == []


@pytest.mark.parametrize(
    "uri",
    ["sip:nowhere.example", "sip:silent.example", "sip:defect.example", "sip:a;transport=sctp", "tel:+1"],
)
async def test_nobody_knows_where(uri: str) -> None:
    async with running() as trunk:
        await trunk.send(trunk.request(uri))
        await anyio.sleep(6)
        assert trunk.statuses() == ["transport"]


async def test_what_cannot_be_sent_at_once_is_told_later() -> None:
    async with running() as trunk:
        await trunk.send(trunk.request("sip:192.0.2.1:9;transport=tcp"))
        assert trunk.statuses() == ["transport"]


async def test_each_copy_is_completed_for_its_way() -> None:
    def prepare(request: Request, flow: Flow) -> None:
        request.headers.add("Contact", trunk.wire.endpoint.contact(flow, "line"))

    async with running() as trunk:
        await trunk.send(trunk.request("sip:example.com;transport=udp"), prepare, Way("tcp"))
        assert [str(each.uri) for each in trunk.wire.request().contacts] == [
            "sip:line@192.0.2.1:5060;transport=tcp"
        ]
        silence(trunk)
        again = trunk.wire.take()[-1]
        assert len(again.contacts) == 1
        assert trunk.statuses() == []


async def test_a_route_goes_before_the_request_uri() -> None:
    async with running() as trunk:
        await trunk.send(trunk.request("sip:101@nowhere.example", route="<sip:192.0.2.8;lr>"))
        assert trunk.sent_to() == [("udp", "192.0.2.8", 5060)]
    assert next_hop(trunk.request("sip:a@b")) == Uri.parse("sip:a@b")


async def test_a_next_hop_that_the_request_does_not_name() -> None:
    async with running() as trunk:
        way = Way(next_hop=Uri.parse("sip:192.0.2.8:5070"))
        await trunk.send(trunk.request("sip:101@nowhere.example"), way=way)
        assert trunk.wire.out[0][1].startswith(b"OPTIONS sip:101@nowhere.example ")
        assert trunk.sent_to() == [("udp", "192.0.2.8", 5070)]


@pytest.mark.parametrize(
    ("uri", "kept", "first"),
    [
        ("sip:example.com", "192.0.2.3", "192.0.2.3"),
        ("sip:example.com", "192.0.2.9", "192.0.2.1"),  # the domain has moved
        ("sip:nowhere.example", "192.0.2.9", "192.0.2.9"),
    ],
)
async def test_a_flow_is_kept_to_while_dns_does_not_speak_against_it(uri: str, kept: str, first: str) -> None:
    async with running() as trunk:
        flow = Flow("udp", ("192.0.2.1", 5060), (kept, 5060))
        sent = await trunk.send(trunk.request(uri), way=Way(keep_to=flow))
        assert trunk.sent_to() == [("udp", first, 5060)]
        trunk.wire.timers.wait(96)
        assert bool(sent.unlocated) == (uri == "sip:nowhere.example")


async def test_what_its_user_says_to_avoid_comes_last() -> None:
    async with running() as trunk:
        uri = Uri.parse("sip:example.com")
        trunk.sender.avoid(Flow("udp", ("192.0.2.1", 5060), ("192.0.2.1", 5060)), uri)
        await trunk.send(trunk.request(str(uri)))
        assert trunk.sent_to() == [("udp", "192.0.2.2", 5060)]
        trunk.wire.timers.wait(96)


def test_a_next_hop_that_cannot_be_read() -> None:
    trunk = Trunk()
    with pytest.raises(PeerError):
        trunk.sender.send(trunk.request(route="<sip:"), trunk.events.append)


async def test_so_many_wait_for_dns_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(located, "MAX_LOCATING", 1)
    async with running() as trunk:
        for _ in range(2):
            trunk.sender.send(trunk.request("sip:silent.example"), trunk.events.append)
        trunk.wire.timers.wait(0)
        assert trunk.statuses() == ["transport"]
        await anyio.sleep(6)
        assert trunk.statuses() == ["transport"]
        await trunk.send(trunk.request())
        trunk.answer(200)
        assert trunk.statuses() == [200], "there is room again"


def test_nothing_is_located_before_it_runs() -> None:
    trunk = Trunk()
    trunk.sender.send(trunk.request(), trunk.events.append)
    trunk.wire.timers.wait(0)
    assert trunk.statuses() == ["transport"]
