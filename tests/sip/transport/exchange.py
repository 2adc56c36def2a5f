"""An endpoint on real loopback sockets, for the tests of transports: it answers OPTIONS."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel

from appliance.clock import Clock
from appliance.sip.endpoint import Endpoint
from appliance.sip.transport.flow import Address
from appliance.sip.transport.guard import Guard
from appliance.sip.transport.sockets import SocketTransports
from appliance.sip.transport.tls_contexts import TlsContexts

__all__ = ["Exchange", "exchange", "options"]


class Exchange:
    """The parts, and the addresses that were bound."""

    def __init__(self, guard: Guard | None = None) -> None:
        self.clock = Clock()
        self.transports = SocketTransports(self.clock, guard)
        self.endpoint = Endpoint(self.clock, random.Random(1), self.transports)
        self.udp: Address = ("", 0)
        self.tcp: Address = ("", 0)
        self.tls: Address = ("", 0)
        self.ws: Address = ("", 0)
        self.wss: Address = ("", 0)


@asynccontextmanager
async def exchange(
    host: str = "127.0.0.1",
    *,
    contexts: TlsContexts | None = None,
    guard: Guard | None = None,
    origins: Sequence[str] | None = None,
) -> AsyncIterator[Exchange]:
    it = Exchange(guard)
    it.udp = it.transports.listen("udp", (host, 0))
    it.tcp = it.transports.listen("tcp", (host, 0))
    if contexts is not None:
        it.tls = it.transports.listen("tls", (host, 0), contexts)
    if origins is not None:
        it.ws = it.transports.listen("ws", (host, 0), origins=origins)
        if contexts is not None:
            it.wss = it.transports.listen("wss", (host, 0), contexts, origins)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(it.clock.run, name="clock")
        tasks.start_soon(it.transports.run, name="transports")
        await anyio.lowlevel.checkpoint()
        try:
            yield it
        finally:
            tasks.cancel_scope.cancel()


def options(
    number: int = 1, transport: str = "UDP", host: str = "127.0.0.1", method: str = "OPTIONS"
) -> bytes:
    return (
        f"{method} sip:100@{host} SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {host}:5099;branch=z9hG4bK{number};rport\r\n"
        f"From: <sip:101@{host}>;tag=f{number}\r\n"
        f"To: <sip:100@{host}>\r\n"
        f"Call-ID: c{number}\r\n"
        f"CSeq: 1 {method}\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
