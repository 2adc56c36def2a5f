"""TLS on loopback: tls.py, and the connections over it, against the TLS of anyio and against each other.

RFC 3261 §26.3.1; RFC 5922 (names); RFC 5923 (alias).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.streams.tls import TLSStream

from appliance.sip.endpoint import ClientEvent, Failed, ServerTransaction
from appliance.sip.message import Response
from appliance.sip.transport import connection as connection_module
from appliance.sip.transport import strangers as strangers_module
from appliance.sip.transport.flow import Flow, TransportError
from appliance.sip.transport.tls import TlsLayer
from appliance.sip.transport.tls_contexts import Contexts, KeyPair
from tests.conftest import REAL_SOCKETS
from tests.peers.authority import Authority
from tests.sip.transport.exchange import Exchange, exchange, options
from tests.sip.transport.test_tcp import info, no_connections, read_answer, read_end

NAME = "pbx.example"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> KeyPair:
    return authority.certify(NAME, dns=[NAME])


@pytest.fixture(scope="module")
def contexts(authority: Authority, pair: KeyPair) -> Contexts:
    return authority.contexts(pair)


@asynccontextmanager
async def dial(
    it: Exchange, client: ssl.SSLContext, name: str = NAME, port: int | None = None
) -> AsyncIterator[TLSStream]:
    stream = await anyio.connect_tcp(it.tls[0], port or it.tls[1])
    async with stream:
        yield await TLSStream.wrap(stream, hostname=name, ssl_context=client, standard_compatible=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_options_over_tls(version: ssl.TLSVersion, authority: Authority, contexts: Contexts) -> None:
    client = authority.client()
    client.minimum_version = client.maximum_version = version
    async with exchange(contexts=contexts) as it:
        async with dial(it, client) as tls:
            await tls.send(options(transport="TLS"))
            assert (await read_answer(tls)).startswith(b"SIP/2.0 200 OK\r\n")
            # A message larger than a record, in both directions' framing.
            await tls.send(b"\r\n" * 20_000 + options(2, "TLS"))
            answers = b""
            with anyio.fail_after(5):
                while b"SIP/2.0 200" not in answers:
                    answers += await tls.receive()
        await no_connections(it)


async def test_older_versions_are_refused(authority: Authority, contexts: Contexts) -> None:
    client = authority.client()
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    async with exchange(contexts=contexts) as it:
        with pytest.raises(ssl.SSLError):
            async with dial(it, client):
                pass
        await no_connections(it)


async def test_plain_text_to_the_tls_port_is_dropped(contexts: Contexts) -> None:
    async with exchange(contexts=contexts) as it:
        async with await anyio.connect_tcp(*it.tls) as stream:
            await stream.send(options(transport="TLS"))
            assert b"SIP/2.0" not in await read_end(stream)
        await no_connections(it)


@pytest.mark.parametrize("half", [b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01"])
async def test_half_a_handshake_times_out(
    half: bytes, contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "HANDSHAKE_TIME", 0.05)
    async with exchange(contexts=contexts) as it, await anyio.connect_tcp(*it.tls) as stream:
        if half:
            await stream.send(half)
        assert await read_end(stream) == b""
        await no_connections(it)


async def test_a_handshake_alone_is_no_introduction(
    authority: Authority, contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "HALF_MESSAGE_TIME", 0.05)
    async with exchange(contexts=contexts) as it, dial(it, authority.client()) as tls:
        await tls.send(b"\r\n\r\n")
        assert await read_end(tls) == b"\r\n"
        await no_connections(it)


async def test_of_too_many_silent_connections_the_oldest_goes(
    authority: Authority, contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers_module, "STRANGERS", 2)
    async with exchange(contexts=contexts) as it, dial(it, authority.client()) as known:
        await known.send(options(transport="TLS"))
        await read_answer(known)
        silent = [await anyio.connect_tcp(*it.tls) for _ in range(3)]
        assert await read_end(silent[0]) == b""
        # Whoever has said something is not touched, and another newcomer comes in.
        await known.send(options(2, "TLS"))
        assert (await read_answer(known)).startswith(b"SIP/2.0 200")
        async with dial(it, authority.client()) as late:
            await late.send(options(3, "TLS"))
            assert (await read_answer(late)).startswith(b"SIP/2.0 200")
        for stream in silent:
            await stream.aclose()


# Outgoing connections.


async def ask(it: Exchange, flow: Flow) -> ClientEvent:
    """What becomes of an INFO over that flow."""
    told = anyio.Event()
    events: list[ClientEvent] = []

    def note(event: ClientEvent) -> None:
        events.append(event)
        told.set()

    request = info()
    request.headers.set("Call-ID", it.endpoint.new_tag())
    it.endpoint.send_request(request, flow, note)
    with anyio.fail_after(5):
        await told.wait()
    return events[0]


def accept(transaction: ServerTransaction) -> None:
    transaction.reply(200)


@pytest.mark.parametrize(
    ("dns", "uris", "name", "right"),
    [
        ([NAME], [], NAME, True),
        ([NAME], [], "PBX.example.", True),
        (["host.example"], [f"sip:{NAME}"], NAME, True),
        (["other.example"], [], NAME, False),
        (["*.example"], [], NAME, False),
        ([], [f"sip:alice@{NAME}"], NAME, False),
        ([NAME], [], None, False),  # the address alone, which it does not hold
    ],
)
async def test_a_server_must_prove_its_name(
    dns: list[str], uris: list[str], name: str | None, right: bool, authority: Authority
) -> None:
    server = authority.contexts(authority.certify("server.example", dns=dns, uris=uris))
    async with exchange(contexts=server) as caller, exchange(contexts=server) as callee:
        callee.endpoint.serve("INFO", accept)
        flow = caller.transports.flow_to("tls", callee.tls, name)
        event = await ask(caller, flow)
        if right:
            assert isinstance(event, Response)
            assert event.status == 200
            assert caller.transports.flow_to("tls", callee.tls, name) == flow
            # Whoever wants another name does not get this connection.
            assert caller.transports.flow_to("tls", callee.tls, "else.example") != flow
        else:
            assert event == Failed("transport")
            await no_connections(caller)


async def test_a_server_without_a_name_must_prove_its_address(authority: Authority) -> None:
    server = authority.contexts(authority.certify("ip", addresses=["127.0.0.1"]))
    async with exchange(contexts=server) as caller, exchange(contexts=server) as callee:
        callee.endpoint.serve("INFO", accept)
        event = await ask(caller, caller.endpoint.flow_to("tls", callee.tls))
        assert isinstance(event, Response)


async def test_a_server_that_nobody_trusts_is_refused(
    authority: Authority, contexts: Contexts, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path).contexts(Authority(tmp_path).certify(NAME, dns=[NAME]))
    async with exchange(contexts=contexts) as caller, exchange(contexts=stranger) as callee:
        assert await ask(caller, caller.transports.flow_to("tls", callee.tls, NAME)) == Failed("transport")
        await no_connections(caller)
        await no_connections(callee)


async def test_nothing_opens_before_trust_is_read(contexts: Contexts) -> None:
    async with exchange(contexts=replace(contexts, client=None)) as it:
        with pytest.raises(TransportError, match="no certificates"):
            it.endpoint.flow_to("tls", ("127.0.0.1", 5061))


async def test_a_proven_peer_is_called_back_over_its_own_connection(authority: Authority) -> None:
    theirs = authority.certify("peer", dns=["peer.example"])
    ours = authority.contexts(authority.certify("pbx", dns=[NAME]), ask_clients=True)
    async with exchange(contexts=ours) as it, dial(it, authority.client(theirs)) as tls:
        request = options(transport="TLS").replace(b"127.0.0.1:5099", b"peer.example:5099")
        await tls.send(request.replace(b";rport", b";rport;alias"))
        await read_answer(tls)
        flow = it.transports.flow_to("tls", ("127.0.0.1", 5099), "peer.example")
        assert it.transports.connections == 1
        it.transports.send(flow, b"hello")
        assert await tls.receive() == b"hello"


@pytest.mark.parametrize("shown", [None, "other.example"])
async def test_nobody_is_called_back_by_a_name_that_was_not_proven(
    shown: str | None, authority: Authority
) -> None:
    theirs = None if shown is None else authority.certify("peer", dns=[shown])
    ours = authority.contexts(authority.certify("pbx", dns=[NAME]), ask_clients=True)
    async with exchange(contexts=ours) as it, dial(it, authority.client(theirs)) as tls:
        request = options(transport="TLS").replace(b"127.0.0.1:5099", b"peer.example:5099")
        await tls.send(request.replace(b";rport", b";rport;alias"))
        await read_answer(tls)
        before = it.transports.connections
        it.transports.flow_to("tls", ("127.0.0.1", 5099), "peer.example")
        assert it.transports.connections == before + 1  # a new one


async def test_a_client_certificate_of_a_stranger_is_refused(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    ours = authority.contexts(authority.certify("pbx", dns=[NAME]), ask_clients=True)
    async with exchange(contexts=ours) as it:
        client = authority.client(stranger.certify("peer", dns=["peer.example"]))
        with pytest.raises((ssl.SSLError, anyio.BrokenResourceError, anyio.EndOfStream)):
            async with dial(it, client) as tls:
                await tls.send(options(transport="TLS"))
                await tls.receive()
        await no_connections(it)


def test_two_layers_talk(contexts: Contexts) -> None:
    assert contexts.client is not None
    server = TlsLayer(contexts.server)
    client = TlsLayer(contexts.client, NAME)
    client.send(b"said before the handshake")
    server.send(b"welcome")
    assert (client.waiting, server.waiting) == (25, 7)
    heard: list[bytes] = []
    for _ in range(4):
        heard += [server.receive(client.take()), client.receive(server.take())]
    assert server.shaken
    assert client.shaken
    assert client.peer_names == {NAME}
    assert server.peer_names == frozenset()
    assert b"".join(heard) in (b"said before the handshakewelcome", b"welcomesaid before the handshake")
    assert (client.waiting, server.waiting) == (0, 0)
    big = bytes(200_000)
    server.send(big)
    assert client.receive(server.take()) == big
    assert not client.ended
