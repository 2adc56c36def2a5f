"""A name server on loopback with one small zone, which counts what it is asked, and lies as told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

__all__ = ["NameServer", "name_server"]

SOA = "ns.example. admin.example. 1 3600 600 86400 {negative}"


class NameServer:
    """Records by name and type; every name below `example.` that has none does not exist."""

    def __init__(self) -> None:
        self.address = ("127.0.0.1", 0)
        self.records: dict[tuple[str, str], list[str]] = {}
        self.asked: list[str] = []
        self.ttl = 60
        self.negative = 20
        self.silent = False
        self.rcode = dns.rcode.NOERROR
        self.truncates = False
        self.forged: bytes | None = None
        "What goes out by UDP in place of every answer."
        self.lies: dict[tuple[str, str], list[str]] = {}
        "What somebody on the way answers by UDP in place of records."
        self.serves_tcp = True

    def add(self, name: str, kind: str, *values: str) -> None:
        self.records[name, kind] = list(values)

    def answer(self, data: bytes, *, by_tcp: bool = False) -> bytes:
        query = dns.message.from_wire(data)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append(f"{kind} {name}")
        response = dns.message.make_response(query)
        response.set_rcode(self.rcode)
        if self.truncates and not by_tcp:
            response.flags |= dns.flags.TC
            return response.to_wire()
        owner = name
        for alias in self.records.get((name, "CNAME"), []):
            response.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", "CNAME", alias))
            owner = alias.removesuffix(".")
        records = self.records if by_tcp else self.records | self.lies
        values = records.get((owner, kind))
        if values:
            response.answer.append(dns.rrset.from_text(f"{owner}.", self.ttl, "IN", kind, *values))
        else:
            soa = SOA.format(negative=self.negative)
            response.authority.append(dns.rrset.from_text("example.", 3600, "IN", "SOA", soa))
            if self.rcode == dns.rcode.NOERROR and all(known != owner for known, _ in self.records):
                response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()

    async def serve_udp(self, udp: anyio.abc.UDPSocket) -> None:
        async for data, (host, port) in udp:
            if not self.silent:
                answer = self.answer(data)
                await udp.sendto(answer if self.forged is None else self.forged, host, port)

    async def serve_tcp(self, stream: anyio.abc.SocketStream) -> None:
        async with stream:
            if not self.serves_tcp:
                return
            length = int.from_bytes(await stream.receive(2), "big")
            answer = self.answer(await stream.receive(length), by_tcp=True)
            await stream.send(len(answer).to_bytes(2, "big") + answer)


async def _sockets() -> tuple[anyio.abc.UDPSocket, anyio.abc.Listener[anyio.abc.SocketStream]]:
    """One port for both: the kernel chooses it for UDP, and somebody may have it for TCP."""
    while True:
        udp = await anyio.create_udp_socket(local_host="127.0.0.1")
        port = udp.extra(anyio.abc.SocketAttribute.local_port)
        try:
            tcp = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
        except OSError:
            await udp.aclose()
        else:
            return udp, tcp.listeners[0]


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """One that runs, on UDP and TCP, until the block ends."""
    server = NameServer()
    udp, tcp = await _sockets()
    async with udp, tcp, anyio.create_task_group() as tasks:
        server.address = ("127.0.0.1", udp.extra(anyio.abc.SocketAttribute.local_port))
        tasks.start_soon(server.serve_udp, udp)
        tasks.start_soon(tcp.serve, server.serve_tcp)
        yield server
        tasks.cancel_scope.cancel()
