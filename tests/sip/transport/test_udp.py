"""appliance/sip/transport/udp.py on loopback sockets: batches, garbage, ICMP errors, IPv6, full send buffers.

RFC 3261 §18.1, §18.2, §18.4.
"""

from __future__ import annotations

import socket
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from appliance.clock import Clock
from appliance.sip.endpoint import ClientEvent, Failed
from appliance.sip.message import Headers, Request
from appliance.sip.transport import udp as udp_module
from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.guard import Guard
from appliance.sip.transport.listening import bind_sockets
from appliance.sip.transport.udp import UdpTransport
from tests.conftest import REAL_SOCKETS
from tests.sip.transport.exchange import exchange, options

GARBAGE = [b"", b"\r\n\r\n", b"\0" * 4, b"x" * 65_000, b"INVITE", b"\xff\xfe" * 500, b"A B SIP/2.0\r\n\r\n"]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


async def ask(sock: socket.socket, data: bytes) -> bytes:
    sock.send(data)
    with anyio.fail_after(5):
        await anyio.wait_readable(sock)
    return sock.recv(65_535)


def peer(host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((host, 0))
    return sock


async def test_options_is_answered_and_garbage_is_not() -> None:
    async with exchange() as it:
        with peer() as sock:
            sock.connect(it.udp)
            for noise in GARBAGE:
                sock.send(noise)
            answer = await ask(sock, options())
            port = sock.getsockname()[1]
            assert answer.startswith(b"SIP/2.0 200 OK\r\n")
            assert f";rport={port};received=127.0.0.1\r\n".encode() in answer
            with pytest.raises(BlockingIOError):
                sock.recv(65_535)


async def test_more_datagrams_than_a_batch_are_all_answered() -> None:
    async with exchange() as it:
        with peer() as sock:
            sock.connect(it.udp)
            asked = udp_module.BATCH + 20  # more would not fit the receive buffer of this test's own socket
            for number in range(asked):
                sock.send(options(number))
            with anyio.fail_after(10):
                for _ in range(asked):
                    await anyio.wait_readable(sock)
                    assert sock.recv(65_535).startswith(b"SIP/2.0 200")


@pytest.mark.parametrize(("bound", "seen"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
async def test_bound_to_all_addresses_we_know_the_one_the_peer_sees(bound: str, seen: str) -> None:
    async with exchange(bound) as it:
        flow = it.endpoint.flow_to("udp", (seen, 5070))
        assert flow.local == (seen, it.udp[1])
        with peer(seen) as sock:
            sock.connect((seen, it.udp[1]))
            assert (await ask(sock, options(host=f"[{seen}]" if ":" in seen else seen))).startswith(
                b"SIP/2.0 200"
            )


async def test_nobody_listening_is_told_by_icmp() -> None:
    with peer() as sock:
        deserted = sock.getsockname()
    async with exchange() as it:
        events: list[ClientEvent] = []
        told = anyio.Event()
        headers = Headers(
            [("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>"), ("Call-ID", "c"), ("CSeq", "1 INFO")]
        )
        request = Request("INFO", "sip:c@d", headers)

        def note(event: ClientEvent) -> None:
            events.append(event)
            told.set()

        it.endpoint.send_request(request, it.endpoint.flow_to("udp", deserted), note)
        with anyio.fail_after(5):
            await told.wait()
        assert events == [Failed("transport")]
        assert it.endpoint.transactions == 0
        # The socket serves on.
        with peer() as sock:
            sock.connect(it.udp)
            assert (await ask(sock, options())).startswith(b"SIP/2.0 200")


async def test_an_error_about_one_peer_does_not_cost_the_next_its_message() -> None:
    with peer() as sock:
        deserted = sock.getsockname()
    async with exchange() as it:
        with peer() as sock:
            lost, good = it.endpoint.flow_to("udp", deserted), it.endpoint.flow_to("udp", sock.getsockname())
            for _ in range(5):
                it.transports.send(lost, b"to nobody")
                it.transports.send(good, b"to somebody")
            with anyio.fail_after(5):
                for _ in range(5):
                    await anyio.wait_readable(sock)
                    assert sock.recv(100) == b"to somebody"


@pytest.mark.parametrize(
    "remote", [("224.0.1.75", 5060), ("127.0.0.1", 0), ("255.255.255.255", 5060), ("a.b", 1)]
)
async def test_there_is_no_flow_to_many_or_nobody(remote: tuple[str, int]) -> None:
    async with exchange() as it:
        with pytest.raises(TransportError):
            it.endpoint.flow_to("udp", remote)


async def test_a_message_too_large_for_a_datagram_fails() -> None:
    async with exchange() as it:
        with pytest.raises(TransportError, match="too long"):
            it.transports.send(it.endpoint.flow_to("udp", ("127.0.0.1", 5070)), b"x" * 70_000)


async def test_a_busy_source_is_left_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.sip.transport.guard._is_loopback", lambda _: False)
    async with exchange(guard=Guard(messages=2)) as it:
        with peer() as sock:
            sock.connect(it.udp)
            for number in range(5):
                sock.send(options(number))
            await anyio.wait_readable(sock)
            await anyio.lowlevel.checkpoint()
            assert it.endpoint.transactions <= 2


class FullSocket:
    """A socket whose send buffer is full until it is told otherwise."""

    def __init__(self, sock: socket.socket) -> None:
        self.real = sock
        self.full = True
        self.broken = False

    def sendto(self, data: bytes, remote: tuple[str, int]) -> int:
        if self.full:
            raise BlockingIOError
        if self.broken:
            self.broken = False
            raise OSError(101, "unreachable")
        return self.real.sendto(data, remote)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


async def test_what_the_kernel_has_no_room_for_waits_within_bounds() -> None:
    full = FullSocket(bind_sockets("udp", ("127.0.0.1", 0))[0])
    transport = UdpTransport(full, Clock(), Guard())  # type: ignore[arg-type]  # a socket in all that is used
    with peer() as sock:
        for number in range(udp_module.MAX_QUEUED + 10):
            transport.send(sock.getsockname(), str(number).encode())
        # The oldest are lost, as UDP may.
        full.full, full.broken = False, True
        transport._flush()
        assert sock.recv(100) == b"11"
        assert not transport._queue
    transport.close()


async def test_flows_are_bounded_and_looked_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp_module, "MAX_FLOWS", 4)
    transport = UdpTransport(bind_sockets("udp", ("127.0.0.1", 0))[0], Clock(), Guard())
    for port in range(1, 11):
        transport.flow_to(("127.0.0.1", port))
    assert len(transport._flows) <= 4
    transport._flows_since = -1000.0
    transport._read_batch()
    assert not transport._flows
    transport.flow_to(("127.0.0.1", 1))
    transport.forget_flows()
    assert not transport._flows
    transport.close()


async def test_a_keep_alive_is_answered() -> None:
    request = bytes.fromhex("000100002112a442") + b"transaction!"
    async with exchange() as it:
        with peer() as sock:
            sock.connect(it.udp)
            sock.send(b"\0" * 20)
            answer = await ask(sock, request)
            port = int.from_bytes(answer[26:28], "big") ^ 0x2112
            assert (answer[:2], answer[8:20], port) == (b"\1\1", b"transaction!", sock.getsockname()[1])
