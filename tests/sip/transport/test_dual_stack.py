"""IPv4 and IPv6 side by side on loopback: `0.0.0.0` and `::` both mean all our addresses."""

from __future__ import annotations

import socket
from typing import Any

import anyio
import pytest

from appliance.sip.endpoint import ClientEvent, ServerTransaction
from appliance.sip.message import Response, parse_message
from appliance.sip.transport.flow import Flow
from tests.conftest import REAL_SOCKETS
from tests.sip.transport.exchange import Exchange, exchange, options
from tests.sip.transport.test_tcp import dial, info, read_answer

HOSTS = ("127.0.0.1", "::1")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def ask_by_udp(it: Exchange, host: str, number: int = 1) -> Response:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect((host, it.udp[1]))
        sock.send(options(number, host=bracketed(host)))
        with anyio.fail_after(5):
            await anyio.wait_readable(sock)
        response = parse_message(sock.recv(65_535))
        assert isinstance(response, Response)
        # RFC 3581 §4: each is told its own address, in its own family.
        assert (response.via.received, response.via.rport) == (host, sock.getsockname()[1])
        return response


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
async def test_both_families_are_answered_at_the_same_port(wildcard: str) -> None:
    async with exchange(wildcard) as it:
        assert {(transport, address[0]) for transport, address in it.transports.addresses} == {
            (transport, host) for transport in ("udp", "tcp") for host in ("0.0.0.0", "::")
        }
        for number, host in enumerate(HOSTS):
            assert (await ask_by_udp(it, host, number)).status == 200
            async with await dial((host, it.tcp[1])) as stream:
                await stream.send(options(10 + number, "TCP", bracketed(host)))
                assert (await read_answer(stream)).startswith(b"SIP/2.0 200")


async def test_one_address_is_one_family() -> None:
    async with exchange("::1") as it:
        assert (await ask_by_udp(it, "::1")).status == 200
        with pytest.raises(OSError, match="attempts failed"):
            await dial(("127.0.0.1", it.tcp[1]))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", HOSTS)
async def test_requests_of_ours_go_out_in_the_callees_family(transport: str, host: str) -> None:
    flows: list[Flow] = []

    def accept(transaction: ServerTransaction) -> None:
        flows.append(transaction.flow)
        transaction.reply(200)

    async with exchange("0.0.0.0") as caller, exchange("::") as callee:
        callee.endpoint.serve("INFO", accept)
        flow = caller.endpoint.flow_to(transport, (host, getattr(callee, transport)[1]))
        assert flow.local == (host, getattr(caller, transport)[1])
        assert f"@{bracketed(host)}:" in caller.endpoint.contact(flow, "100")
        answered = anyio.Event()
        events: list[ClientEvent] = []

        def note(event: ClientEvent) -> None:
            events.append(event)
            answered.set()

        caller.endpoint.send_request(info(), flow, note)
        with anyio.fail_after(5):
            await answered.wait()
        assert isinstance(events[0], Response)
        assert flows[0].remote[0] == host
