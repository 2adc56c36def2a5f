"""DNS as it is really asked, by both event loops, from a server of our own. RFC 3263 §4, RFC 2308."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import anyio
import dns.rcode
import dns.resolver
import pytest

from appliance.sip.message import Uri
from appliance.sip.transport import name_servers, resolve
from appliance.sip.transport.locate import Abilities, DnsFailure, LocationError, Naptr, Srv
from appliance.sip.transport.resolve import Locator, Resolver
from tests.peers.name_server import NameServer, name_server
from tests.sip.wire import HandTimers


@pytest.fixture(params=["asyncio", "uvloop", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    loop = str(request.param)
    return ("trio", {}) if loop == "trio" else ("asyncio", {"use_uvloop": loop == "uvloop"})


def office(server: NameServer) -> None:
    """The zone of a provider."""
    server.add(
        "voip.example", "NAPTR",
        '20 0 "s" "SIP+D2U" "" _sip._udp.voip.example.', '10 0 "s" "SIP+D2T" "" _sip._tcp.voip.example.',
    )  # fmt: skip
    server.add("_sip._tcp.voip.example", "SRV", "1 5 5070 Edge.voip.example.")
    server.add("_sip._udp.voip.example", "SRV", "1 5 5060 edge.voip.example.", "0 0 0 .")
    server.add("edge.voip.example", "A", "192.0.2.1", "192.0.2.2")
    server.add("edge.voip.example", "AAAA", "2001:db8::1")
    server.add("alias.example", "CNAME", "edge.voip.example.")


async def test_records_of_each_kind() -> None:
    async with name_server() as server:
        office(server)
        resolver = Resolver(HandTimers(), [server.address])
        assert sorted(await resolver.naptr("voip.example")) == [
            Naptr(10, 0, "s", "SIP+D2T", "_sip._tcp.voip.example"),
            Naptr(20, 0, "s", "SIP+D2U", "_sip._udp.voip.example"),
        ]
        assert await resolver.srv("_sip._tcp.voip.example") == [Srv(1, 5, 5070, "edge.voip.example")]
        assert Srv(0, 0, 0, "") in await resolver.srv("_sip._udp.voip.example")
        assert sorted(await resolver.addresses("alias.example", 4)) == ["192.0.2.1", "192.0.2.2"]
        assert await resolver.addresses("edge.voip.example", 6) == ["2001:db8::1"]


async def test_ttls_are_obeyed_also_for_what_is_not_there() -> None:
    async with name_server() as server:
        office(server)
        timers = HandTimers()
        resolver = Resolver(timers, [server.address])
        for _ in range(2):
            assert await resolver.addresses("edge.voip.example", 6) == ["2001:db8::1"]
            assert await resolver.addresses("none.example", 4) == []
            assert await resolver.srv("edge.voip.example") == []
        assert server.asked == ["AAAA edge.voip.example", "A none.example", "SRV edge.voip.example"]
        timers.wait(20)
        await resolver.addresses("EDGE.voip.example", 6)
        await resolver.addresses("none.example", 4)
        timers.wait(40)
        await resolver.addresses("edge.voip.example", 6)
        assert server.asked[3:] == ["A none.example", "AAAA edge.voip.example"]


async def test_asked_anew_whatever_is_kept_which_serves_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resolve, "RENEW_WITHIN", 0.05)
    async with name_server() as server:
        office(server)
        it, uri = locator(server), Uri.parse("sip:edge.voip.example:5070;transport=udp")
        before = await it.locate(uri)
        server.add("edge.voip.example", "A", "192.0.2.9")
        assert await it.locate(uri) == before
        (moved, *_) = await it.locate(uri, fresh=True)
        assert moved.address == ("192.0.2.9", 5070)
        server.silent = True
        assert (await it.locate(uri, fresh=True))[0] == moved
        server.silent, server.rcode = False, dns.rcode.SERVFAIL
        assert (await it.locate(uri, fresh=True))[0] == moved
        with pytest.raises(LocationError):
            await it.locate(Uri.parse("sip:other.example:5070"), fresh=True)


async def test_a_long_answer_comes_by_tcp() -> None:
    async with name_server() as server:
        server.truncates = True
        server.add("big.example", "A", "192.0.2.1")
        assert await Resolver(HandTimers(), [server.address]).addresses("big.example", 4) == ["192.0.2.1"]
        assert server.asked == ["A big.example"] * 2


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example", "ü" * 70, "\udcff.example"])
async def test_names_that_cannot_be(name: str) -> None:
    async with name_server() as server:
        with pytest.raises(DnsFailure):
            await Resolver(HandTimers(), [server.address]).addresses(name, 4)
        assert server.asked == []


async def test_a_broken_server_is_asked_again_next_time() -> None:
    async with name_server() as server:
        office(server)
        server.rcode = dns.rcode.REFUSED
        resolver = Resolver(HandTimers(), [server.address])
        with pytest.raises(DnsFailure):
            await resolver.addresses("edge.voip.example", 6)
        server.rcode = dns.rcode.NOERROR
        assert await resolver.addresses("edge.voip.example", 6) == ["2001:db8::1"]


async def test_the_second_server_is_asked_when_the_first_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_servers, "SERVER_WITHIN", 0.1)
    async with name_server() as dead, name_server() as server:
        dead.silent = True
        office(server)
        resolver = Resolver(HandTimers(), [dead.address, server.address])
        assert await resolver.addresses("edge.voip.example", 6) == ["2001:db8::1"]


def locator(server: NameServer) -> Locator:
    timers = HandTimers()
    abilities = Abilities(("udp", "tcp"), (4,))
    return Locator(timers, random.Random(1), Resolver(timers, [server.address]), abilities)


async def test_a_provider_is_found_and_what_failed_comes_last() -> None:
    async with name_server() as server:
        office(server)
        known = locator(server)
        uri = Uri.parse("sip:voip.example")
        first, *others = await known.locate(uri)
        assert [target.transport for target in (first, *others)] == ["tcp", "tcp", "udp", "udp"]
        known.failed.note(first, 1000.0)
        assert await known.locate(uri) == [*others, first]
        assert len(server.asked) == 4, "the second time nobody was asked"


async def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "LOCATE_WITHIN", 0.1)
    async with name_server() as server:
        server.silent = True
        with pytest.raises(LocationError):
            await locator(server).locate(Uri.parse("sip:voip.example"))


async def test_the_systems_servers_are_looked_up_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with name_server() as server:
        server.add("a.example", "A", "192.0.2.1")
        server.ttl = 0
        settings = tmp_path / "resolv.conf"
        settings.write_text("nameserver 127.0.0.1\n")
        opened = []
        read = dns.resolver.BaseResolver.read_resolv_conf

        def read_ours(self: dns.resolver.BaseResolver, _: object) -> None:
            opened.append(settings.read_text())
            self.port = server.address[1]
            read(self, str(settings))

        monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", read_ours)
        timers = HandTimers()
        resolver = Resolver(timers)
        for _ in range(2):
            assert await resolver.addresses("a.example", 4) == ["192.0.2.1"]
        assert len(opened) == 1
        timers.wait(1)
        resolver.network_changed()
        assert await resolver.addresses("a.example", 4) == ["192.0.2.1"]
        assert len(opened) == 2, "another network has other servers"
        timers.wait(resolve.REREAD + 1)
        settings.write_text("# no name server\n")
        with pytest.raises(DnsFailure):
            await resolver.addresses("a.example", 4)
        assert len(opened) == 3


async def test_the_loop_turns_while_a_server_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_servers, "QUESTION_WITHIN", 0.2)
    async with name_server() as server, anyio.create_task_group() as tasks:
        server.silent = True
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await anyio.sleep(0.01)

        tasks.start_soon(turn)
        with pytest.raises(DnsFailure):
            await Resolver(HandTimers(), [server.address]).addresses("a.example", 4)
        assert turns > 3
        tasks.cancel_scope.cancel()
