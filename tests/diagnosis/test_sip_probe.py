"""OPTIONS on loopback: to who answers, to who refuses, to nobody. RFC 3261 §11."""

from __future__ import annotations

import socket
from typing import Any

import anyio
import pytest

from appliance.diagnosis import sip_probe
from appliance.diagnosis.sip_probe import OptionsProbe
from tests.conftest import REAL_SOCKETS
from tests.sip.transport.exchange import exchange


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_probe, "ANSWER_WITHIN", 0.2)


async def test_who_answers_is_there() -> None:
    async with exchange() as provider, exchange() as us:
        assert await OptionsProbe(us.endpoint)(*provider.udp)


async def test_a_refusal_is_an_answer_and_a_provisional_one_is_not() -> None:
    async with exchange() as us, await anyio.create_udp_socket(local_host="127.0.0.1") as peer:
        port = peer.extra(anyio.abc.SocketAttribute.local_port)
        for status, counts in (("100 Trying", False), ("403 Forbidden", True)):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_answer, peer, status)
                assert await OptionsProbe(us.endpoint)("127.0.0.1", port) is counts
                tasks.cancel_scope.cancel()


async def _answer(peer: anyio.abc.UDPSocket, status: str) -> None:
    async for data, (host, port) in peer:
        _, _, rest = data.partition(b"\r\n")
        await peer.sendto(f"SIP/2.0 {status}\r\n".encode() + rest, host, port)


async def test_silence_and_a_closed_port_and_no_way_there_are_nobody() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = int(silent.getsockname()[1])
        async with exchange() as us:
            probe = OptionsProbe(us.endpoint)
            assert not await probe("127.0.0.1", port)
            silent.close()
            assert not await probe("127.0.0.1", port)
            assert not await probe("2001:db8::1", 5060)
