"""appliance/sip/transport/tcp.py and connection.py on loopback: framing, limits, failures, reuse.

RFC 3261 §18.2.2, §18.3; RFC 5626 §3.5.1 (keep-alive).
"""

from __future__ import annotations

import socket
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from appliance.sip.endpoint import ClientEvent, Failed, ServerTransaction
from appliance.sip.message import Headers, Request, Response
from appliance.sip.transport import connection as connection_module
from appliance.sip.transport import guard as guard_module
from appliance.sip.transport import tcp as tcp_module
from appliance.sip.transport.flow import Address, TransportError
from appliance.sip.transport.guard import Guard
from tests.conftest import REAL_SOCKETS
from tests.sip.transport.exchange import Exchange, exchange, options


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


async def dial(address: Address) -> SocketStream:
    return await anyio.connect_tcp(*address)


async def read_answer(stream: Any) -> bytes:
    data = b""
    with anyio.fail_after(5):
        while b"\r\n\r\n" not in data:
            data += await stream.receive()
    return data


async def read_end(stream: Any) -> bytes:
    data = b""
    with anyio.fail_after(5):
        try:
            while True:
                data += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return data


async def no_connections(it: Exchange) -> None:
    with anyio.fail_after(5):
        while it.transports.connections:  # noqa: ASYNC110  # connections end by themselves and tell nobody
            await anyio.sleep(0.005)


def accept(transaction: ServerTransaction) -> None:
    transaction.reply(200)


def info() -> Request:
    headers = Headers(
        [("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>"), ("Call-ID", "c"), ("CSeq", "1 INFO")]
    )
    return Request("INFO", "sip:c@d", headers)


async def test_options_over_a_connection() -> None:
    async with exchange() as it, await dial(it.tcp) as stream:
        await stream.send(options(transport="TCP"))
        assert (await read_answer(stream)).startswith(b"SIP/2.0 200 OK\r\n")
        assert it.transports.connections == 1


async def test_a_message_split_at_every_octet() -> None:
    message = options(transport="TCP")
    async with exchange() as it, await dial(it.tcp) as stream:
        for octet in message:
            await stream.send(bytes([octet]))
        assert (await read_answer(stream)).startswith(b"SIP/2.0 200 OK\r\n")


async def test_many_messages_in_one_segment() -> None:
    async with exchange() as it, await dial(it.tcp) as stream:
        await stream.send(b"".join(options(number, "TCP") for number in range(50)))
        data = b""
        with anyio.fail_after(5):
            while data.count(b"SIP/2.0 200 OK") < 50:
                data += await stream.receive()


async def test_a_ping_gets_its_pong() -> None:
    async with exchange() as it, await dial(it.tcp) as stream:
        await stream.send(b"\r\n\r\n")
        with anyio.fail_after(5):
            assert await stream.receive() == b"\r\n"


async def test_half_a_message_and_a_hang_up_harms_nobody() -> None:
    async with exchange() as it:
        async with await dial(it.tcp) as stream:
            await stream.send(options(transport="TCP")[:100])
        await no_connections(it)
        async with await dial(it.tcp) as stream:
            await stream.send(options(transport="TCP"))
            assert (await read_answer(stream)).startswith(b"SIP/2.0 200")


@pytest.mark.parametrize("half", [b"", b"OPTIONS sip:a@b SIP/2.0\r\nVia: ", options()[:-2]])
async def test_half_a_message_or_none_times_out(half: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "HALF_MESSAGE_TIME", 0.05)
    async with exchange() as it, await dial(it.tcp) as stream:
        if half:
            await stream.send(half)
        assert await read_end(stream) == b""
        await no_connections(it)


async def test_a_silent_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "IDLE_TIME", 0.05)
    async with exchange() as it, await dial(it.tcp) as stream:
        await stream.send(options(transport="TCP"))
        assert (await read_end(stream)).startswith(b"SIP/2.0 200")
        await no_connections(it)


@pytest.mark.parametrize(
    ("garbage", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b""),
        (b"x" * 70_000, b""),
        (options(transport="TCP").replace(b"Length: 0", b"Length: x"), b"SIP/2.0 400"),
    ],
)
async def test_what_nobody_can_frame_ends_its_connection_alone(garbage: bytes, answer: bytes) -> None:
    async with exchange() as it, await dial(it.tcp) as neighbour, await dial(it.tcp) as stream:
        await stream.send(garbage)
        assert (await read_end(stream)).startswith(answer)
        await neighbour.send(options(transport="TCP"))
        assert (await read_answer(neighbour)).startswith(b"SIP/2.0 200")


async def test_requests_of_ours_open_a_connection_and_use_it_again() -> None:
    async with exchange() as caller, exchange() as callee:
        callee.endpoint.serve("INFO", accept)
        done = anyio.Event()
        events: list[ClientEvent] = []

        def note(event: ClientEvent) -> None:
            events.append(event)
            if len(events) == 2:
                done.set()

        for _ in range(2):
            flow = caller.endpoint.flow_to("tcp", callee.tcp)
            assert flow.local == caller.tcp
            request = info()
            request.headers.set("Call-ID", caller.endpoint.new_tag())
            caller.endpoint.send_request(request, flow, note)
        with anyio.fail_after(5):
            await done.wait()
        assert [event.status for event in events if isinstance(event, Response)] == [200, 200]
        assert caller.transports.connections == callee.transports.connections == 1


async def test_a_connection_from_an_address_that_is_gone_ends_and_is_not_used_again() -> None:
    async with exchange() as it:
        lost: list[int] = []
        it.endpoint.on_connection_lost = lambda flow: lost.append(flow.connection)
        with socket.create_server(("127.0.0.2", 0)) as server:
            address: Address = server.getsockname()
            first = it.endpoint.flow_to("tcp", address)
            it.transports.addresses_changed({"192.0.2.1"})
            assert it.endpoint.flow_to("tcp", address) == first, "it comes from another one of ours"
            it.transports.addresses_changed({it.tcp[0]})
            second = it.endpoint.flow_to("tcp", address)
            assert second != first
            with anyio.fail_after(5):
                while not lost:  # noqa: ASYNC110  # connections end by themselves
                    await anyio.sleep(0.005)
            assert lost == [first.connection]
            assert it.endpoint.flow_to("tcp", address) == second


async def fail_to(it: Exchange, remote: Address) -> ClientEvent:
    told = anyio.Event()
    events: list[ClientEvent] = []
    flow = it.endpoint.flow_to("tcp", remote)

    def note(event: ClientEvent) -> None:
        events.append(event)
        told.set()

    it.endpoint.send_request(info(), flow, note)
    with anyio.fail_after(5):
        await told.wait()
    await no_connections(it)
    with pytest.raises(TransportError, match="gone"):
        it.transports.send(flow, b"late")
    return events[0]


async def test_a_refused_connection_fails_what_waits_for_it() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        deserted = sock.getsockname()
    async with exchange() as it:
        assert await fail_to(it, deserted) == Failed("transport")


async def test_a_connection_that_never_opens_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "CONNECT_TIME", 0.05)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        # The backlog is full after these: the next one's SYN stays unanswered.
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(sock.getsockname())
        async with exchange() as it:
            assert await fail_to(it, sock.getsockname()) == Failed("transport")
        for filler in fillers:
            filler.close()


async def test_a_peer_that_hangs_up_fails_what_waits_on_it() -> None:
    async with exchange() as it:
        got: list[ServerTransaction] = []
        arrived = anyio.Event()

        def receive(transaction: ServerTransaction) -> None:
            got.append(transaction)
            arrived.set()

        it.endpoint.serve("INFO", receive)
        async with await dial(it.tcp) as stream:
            await stream.send(options(transport="TCP", method="INFO"))
            with anyio.fail_after(5):
                await arrived.wait()
            events: list[ClientEvent] = []
            it.endpoint.send_request(info(), got[0].flow, events.append)
        await no_connections(it)
        assert events == [Failed("transport")]


async def test_a_peer_that_does_not_read_is_dropped() -> None:
    async with exchange() as it, await dial(it.tcp) as stream:
        await stream.send(options(transport="TCP"))
        await read_answer(stream)
        flow = next(iter(it.transports._connections.values())).flow
        with pytest.raises(TransportError, match="does not read"):
            for _ in range(1000):
                it.transports.send(flow, b"x" * 65_536)
        await no_connections(it)


async def test_a_slow_reader_gets_all_of_it() -> None:
    async with exchange() as it, await dial(it.tcp) as stream:
        await stream.send(options(transport="TCP"))
        await read_answer(stream)
        connection = next(iter(it.transports._connections.values()))
        sent = 0
        while not connection._out:
            it.transports.send(connection.flow, b"x" * 65_536)
            sent += 65_536
        received = 0
        with anyio.fail_after(10):
            while received < sent:
                received += len(await stream.receive())
        assert received == sent


async def test_a_slow_reader_that_talks_nonsense_gets_all_of_it_and_the_answer_to_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with exchange() as it, await dial(it.tcp) as stream:
        await stream.send(options(1, "TCP"))
        await read_answer(stream)
        connection = next(iter(it.transports._connections.values()))
        while not connection._out:
            it.transports.send(connection.flow, b"x" * 65_536)
        await stream.send(options(2, "TCP").replace(b"Length: 0", b"Length: x"))
        with anyio.fail_after(5):
            while not connection._framer.lost:  # noqa: ASYNC110  # nobody is told what was read
                await anyio.sleep(0.005)
        assert b"xSIP/2.0 400" in await read_end(stream)
        assert "failed" not in caplog.text


async def test_too_many_connections_are_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "CONNECTIONS", 1)
    async with exchange() as it, await dial(it.tcp) as first:
        await first.send(options(transport="TCP"))
        assert (await read_answer(first)).startswith(b"SIP/2.0 200")
        async with await dial(it.tcp) as second:
            assert await read_end(second) == b""
        with pytest.raises(TransportError, match="too many"):
            it.endpoint.flow_to("tcp", ("127.0.0.1", 5070))


async def test_a_busy_source_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "_is_loopback", lambda _: False)
    monkeypatch.setattr(guard_module, "WINDOW", 0.1)
    async with exchange(guard=Guard(messages=1)) as it, await dial(it.tcp) as stream:
        # Nothing is lost on a stream: it is read later.
        for number in range(4):
            await stream.send(options(number, "TCP"))
            assert (await read_answer(stream)).startswith(b"SIP/2.0 200")


async def test_no_file_left_for_a_connection_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_module, "PAUSE", 0.01)
    async with exchange() as it:
        listener = it.transports._listeners[0]
        monkeypatch.setattr(listener, "_sock", Exhausted(listener._sock))
        async with await dial(it.tcp) as stream:
            await stream.send(options(transport="TCP"))
            assert (await read_answer(stream)).startswith(b"SIP/2.0 200")


class Exhausted:
    """A listening socket that fails twice: no file is left, and the caller is gone."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.failures = [OSError(24, "Too many open files"), ConnectionAbortedError()]

    def accept(self) -> tuple[socket.socket, Any]:
        if self.failures:
            raise self.failures.pop(0)
        return self.sock.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


async def test_a_defect_in_accepting_costs_one_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(sock: socket.socket, _: object) -> None:
        sock.close()
        raise ZeroDivisionError

    monkeypatch.setattr(tcp_module, "PAUSE", 0.01)
    async with exchange() as it:
        with monkeypatch.context() as patch:
            patch.setattr(it.transports._listeners[0], "_welcome", fail)
            async with await dial(it.tcp):
                while "ZeroDivisionError" not in caplog.text:
                    await anyio.lowlevel.checkpoint()
        async with await dial(it.tcp) as stream:
            await stream.send(options(transport="TCP"))
            assert (await read_answer(stream)).startswith(b"SIP/2.0 200")


async def test_there_is_no_connection_to_many_or_nobody() -> None:
    async with exchange() as it:
        for remote in (("224.0.1.75", 5060), ("127.0.0.1", 0), ("a.b", 5060), ("::1", 5060)):
            with pytest.raises(TransportError):
                it.endpoint.flow_to("tcp", remote)
        with pytest.raises(TransportError):
            it.endpoint.flow_to("tls", ("127.0.0.1", 5061))


async def test_a_defect_in_one_connection_is_logged_and_ends_it_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with exchange() as it, await dial(it.tcp) as neighbour, await dial(it.tcp) as stream:
        await neighbour.send(options(1, "TCP"))
        await read_answer(neighbour)
        with monkeypatch.context() as patch:
            patch.setattr(it.transports, "receiver", None)
            patch.setattr(Guard, "admits", lambda *_: 1 / 0)
            await stream.send(options(2, "TCP"))
            assert await read_end(stream) == b""
        assert "ZeroDivisionError" in caplog.text
        await neighbour.send(options(3, "TCP"))
        assert (await read_answer(neighbour)).startswith(b"SIP/2.0 200")


def test_a_peer_that_vanished_is_not_waited_for_longer_than_its_transaction() -> None:
    with socket.socket() as plain:
        tcp_module._prepare(plain)
        silence = plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert silence == tcp_module.SILENCE_MS < 32_000
