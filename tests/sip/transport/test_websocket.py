"""SIP over WebSocket on loopback and alone: RFC 7118; RFC 6455 by a client of the tests' own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.streams.tls import TLSStream
from hypothesis import given
from hypothesis import strategies as st

from appliance.sip.endpoint import ClientEvent, ServerTransaction
from appliance.sip.message import BadMessage, Keepalive, Request, Response, parse_message
from appliance.sip.transport import connection as connection_module
from appliance.sip.transport.flow import Flow, TransportError
from appliance.sip.transport.own_address import contact_of, via_of
from appliance.sip.transport.websocket import MAX_PIECES, WebSocketFramer
from tests.conftest import REAL_SOCKETS
from tests.peers.authority import Authority
from tests.peers.web_phone import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    accepts,
    frame,
    take_frame,
    upgrade,
)
from tests.sip.transport.exchange import Exchange, exchange, options
from tests.sip.transport.test_tcp import dial, info, no_connections, read_answer, read_end

MESSAGE = options(transport="WS", host="df7jal23ls0d.invalid")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


class Phone:
    """A telephone in a browser."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.data = bytearray()

    async def open(self, **wishes: Any) -> None:
        await self.stream.send(upgrade(**wishes))
        answer = await read_answer(self.stream)
        assert accepts(answer), answer

    async def send(self, payload: bytes, kind: int = TEXT) -> None:
        await self.stream.send(frame(payload, kind))

    async def receive(self) -> tuple[int, bytes]:
        with anyio.fail_after(5):
            while (found := take_frame(self.data)) is None:
                self.data += await self.stream.receive()
        return found


@asynccontextmanager
async def phone(it: Exchange) -> AsyncIterator[Phone]:
    async with await dial(it.ws) as stream:
        it_phone = Phone(stream)
        await it_phone.open()
        yield it_phone


async def test_options_over_websocket() -> None:
    async with exchange(origins=()) as it, phone(it) as browser:
        for kind in (TEXT, BINARY):
            await browser.send(options(kind, "WS"), kind)
            what, answer = await browser.receive()
            assert what == TEXT
            response = parse_message(answer)
            assert isinstance(response, Response)
            assert (response.status, response.via.transport) == (200, "WS")


async def test_requests_go_back_over_the_same_connection() -> None:
    async with exchange(origins=()) as it, phone(it) as browser:
        flows: list[Flow] = []

        def receive(transaction: ServerTransaction) -> None:
            flows.append(transaction.flow)
            transaction.reply(200)

        it.endpoint.serve("INFO", receive)
        await browser.send(options(1, "WS", "a.invalid", "INFO"))
        await browser.receive()
        assert it.endpoint.contact(flows[0], "100") == f"<sip:100@127.0.0.1:{it.ws[1]};transport=ws>"
        answered = anyio.Event()
        events: list[ClientEvent] = []

        def note(event: ClientEvent) -> None:
            events.append(event)
            answered.set()

        it.endpoint.send_request(info(), flows[0], note)
        request = parse_message((await browser.receive())[1])
        assert isinstance(request, Request)
        assert (request.via.transport, request.via.host, request.via.port) == ("WS", *it.ws)
        await browser.send(request.respond(200, to_tag="x").encode())
        with anyio.fail_after(5):
            await answered.wait()
        assert isinstance(events[0], Response)
        # A browser cannot be called; what is gone stays so.
        with pytest.raises(TransportError, match="is gone"):
            it.endpoint.flow_to("ws", ("127.0.0.1", 9))


@pytest.mark.parametrize(
    ("wishes", "status"),
    [
        ({"protocol": None}, 400),
        ({"protocol": "xmpp"}, 400),
        ({"protocol": "msrp, sip"}, 101),
        ({"origin": "https://phone.example"}, 101),
        ({"origin": "HTTPS://Phone.example"}, 101),
        ({"origin": "http://phone.example"}, 403),
        ({"origin": "https://phone.example.evil.example"}, 403),
        ({"origin": "https://127.0.0.1:8443"}, 101),  # a page of this machine, from its console's port
        ({"origin": "null"}, 403),
        ({"origin": "https://[::1"}, None),
        ({"host": "\xff.example"}, None),
    ],
)
async def test_who_may_come_in(wishes: dict[str, Any], status: int | None) -> None:
    async with exchange(origins=("https://phone.example",)) as it, await dial(it.ws) as stream:
        await stream.send(upgrade(**wishes))
        if status == 101:
            assert accepts(await read_answer(stream))
        else:
            answer = await read_end(stream)
            assert answer.startswith(b"" if status is None else b"HTTP/1.1 %d " % status)
            assert not answer.startswith(b"HTTP/1.1 101")
            await no_connections(it)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 400 "),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 400 "),
        (MESSAGE, b"HTTP/1.1 400 "),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"HTTP/1.1 400 "),
        (upgrade().replace(b"Version: 13", b"Version: 8"), b"HTTP/1.1 426 "),
        (upgrade()[:-2] + b"X: " + b"x" * 9000, b""),
        (b"G" * 9000, b""),
    ],
)
async def test_what_is_no_handshake_ends_its_connection_alone(said: bytes, answer: bytes) -> None:
    async with exchange(origins=()) as it, phone(it) as neighbour:
        async with await dial(it.ws) as stream:
            await stream.send(said)
            assert (await read_end(stream)).startswith(answer)
        await neighbour.send(MESSAGE)
        assert (await neighbour.receive())[1].startswith(b"SIP/2.0 200")


async def test_half_a_handshake_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "HANDSHAKE_TIME", 0.05)
    async with exchange(origins=()) as it, await dial(it.ws) as stream:
        await stream.send(upgrade()[:40])
        assert await read_end(stream) == b""
        await no_connections(it)


async def test_pings_in_both_languages() -> None:
    async with exchange(origins=()) as it, phone(it) as browser:
        await browser.send(b"are you there", PING)
        assert await browser.receive() == (PONG, b"are you there")
        await browser.send(b"\r\n\r\n")
        assert await browser.receive() == (TEXT, b"\r\n")
        await browser.send(b"\r\n")
        await browser.send(b"", PONG)
        await browser.send(MESSAGE)
        assert (await browser.receive())[1].startswith(b"SIP/2.0 200")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (frame(MESSAGE, masked=False), 1002),
        (frame(MESSAGE, CONTINUATION), 1002),
        (frame(MESSAGE, 3), 1002),
        (frame(MESSAGE, last=False) + frame(MESSAGE), 1002),
        (frame(b"x" * 126, PING), 1002),
        (frame(b"\xff\xfe"), 1007),
        (frame(b"x" * 65_536), 1009),
        (frame(b"x", last=False) + frame(b"", CONTINUATION, last=False) * MAX_PIECES, 1009),
        (frame(b"\x03\xe8bye", CLOSE), 1000),
    ],
)
async def test_frames_nobody_may_send_and_goodbyes(said: bytes, code: int) -> None:
    async with exchange(origins=()) as it, phone(it) as neighbour:
        async with phone(it) as browser:
            await browser.stream.send(said)
            what, payload = await browser.receive()
            assert (what, int.from_bytes(payload[:2], "big")) == (CLOSE, code)
            assert await read_end(browser.stream) == b""
        await neighbour.send(MESSAGE)
        assert (await neighbour.receive())[1].startswith(b"SIP/2.0 200")


async def test_a_bad_message_is_answered_and_the_connection_stays() -> None:
    async with exchange(origins=()) as it, phone(it) as browser:
        await browser.send(b"not SIP at all")
        await browser.send(MESSAGE.replace(b"CSeq: 1", b"CSeq: x"))
        assert (await browser.receive())[1].startswith(b"SIP/2.0 400")
        await browser.send(MESSAGE)
        assert (await browser.receive())[1].startswith(b"SIP/2.0 200")


async def test_options_over_secure_websocket(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    contexts = authority.contexts(authority.certify("pbx", dns=["pbx.example"]))
    async with exchange(contexts=contexts, origins=()) as it, await anyio.connect_tcp(*it.wss) as stream:
        tls = await TLSStream.wrap(stream, hostname="pbx.example", ssl_context=authority.client())
        browser = Phone(tls)
        await browser.open()
        await browser.send(options(1, "WSS", "a.invalid"))
        assert (await browser.receive())[1].startswith(b"SIP/2.0 200")


def test_names_of_the_transport() -> None:
    flow = Flow("wss", ("192.0.2.1", 8443), ("192.0.2.9", 40000), 1)
    assert via_of(flow, "z9hG4bK1") == "SIP/2.0/WSS 192.0.2.1:8443;branch=z9hG4bK1;rport"
    assert contact_of(flow, "100") == "<sip:100@192.0.2.1:8443;transport=ws>"  # RFC 7118: `ws` for both


def opened() -> WebSocketFramer:
    framer = WebSocketFramer()
    (answer,) = framer.feed(upgrade())
    assert isinstance(answer, Keepalive)
    assert accepts(answer.answer)
    return framer


@given(st.lists(st.integers(1, 400), max_size=6), st.lists(st.integers(1, 300), max_size=4))
def test_any_split_gives_the_same_messages(reads: list[int], fragments: list[int]) -> None:
    pieces, rest = [], MESSAGE
    for size in fragments:
        pieces.append(rest[:size])
        rest = rest[size:]
    pieces.append(rest)
    stream = b"".join(
        frame(piece, CONTINUATION if at else TEXT, last=at == len(pieces) - 1)
        for at, piece in enumerate(pieces)
    )
    framer, found = opened(), list[Any]()
    for size in reads:
        found += framer.feed(stream[:size])
        stream = stream[size:]
    found += framer.feed(stream)
    (message,) = found
    assert message.encode() == MESSAGE
    assert not framer.pending
    assert not framer.lost


@given(st.binary(max_size=200), st.booleans())
def test_any_octets_are_survived(data: bytes, begun: bool) -> None:
    framer = opened() if begun else WebSocketFramer()
    for item in framer.feed(data):
        assert isinstance(item, Request | Response | BadMessage | Keepalive)


def test_what_is_no_text_goes_as_octets() -> None:
    framer = opened()
    data = bytearray(framer.wrap(b"caf\xe9"))
    assert take_frame(data) == (BINARY, b"caf\xe9")
