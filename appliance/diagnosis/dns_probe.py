"""Asks each name server itself, by UDP and TCP, and writes down what it said, lies and silence included.

RFC 1035 §4.2 (UDP and TCP); RFC 7766 §5 (a truncated answer is asked for again by TCP); RFC 3263 §4 (the questions).
Importing this costs 0.1 s, so whoever needs it does so in a thread.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import anyio
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
from anyio.abc import ConnectedUDPSocket
from anyio.streams.buffered import BufferedByteReceiveStream

from appliance.diagnosis.dns_check import HEARD, Answer, Outcome, Said
from appliance.sip.transport.locate import SRV_PREFIX
from appliance.sip.transport.name_servers import values
from appliance.sip.transport.record_cache import Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from anyio.abc import TaskGroup

    from appliance.sip.transport.flow import Address

__all__ = ["ask", "ask_for_certain", "questions", "read", "survey", "system_servers"]

UDP_WITHIN = 1.5
"Seconds for an answer to one datagram."

UDP_TRIES = 2
"One datagram may be lost; a server that drops two is as good as silent."

TCP_WITHIN = 3.0
"Seconds for connecting, asking and hearing."

SURVEY_WITHIN = 7.5
"Seconds for everything: a host after its SRV record, each by UDP, or one of them by TCP too. A person waits for it."

MAX_SYSTEM_SERVERS = 3
"resolv.conf(5): no more are asked."

MAX_HOSTS = 4
"Hosts behind one server's SRV records that are looked up: a provider has two or three, a liar may write any number."

MAX_RECORDS = 16
"Records of one answer that are kept: what a stranger's server writes must not fill the memory."

UNUSABLE = frozenset({Outcome.GARBLED, Outcome.SILENT, Outcome.UNREACHABLE})
"After these another way may bring more. A code such as REFUSED is the server's own word, on any way."


def questions(name: str) -> tuple[Question, ...]:
    """What leads to the SIP server of a name (RFC 3263 §4.1, §4.2)."""
    services = (Question(f"{prefix}.{name}", "SRV") for prefix in SRV_PREFIX.values())
    return (Question(name, "NAPTR"), *services, Question(name, "A"), Question(name, "AAAA"))


def system_servers() -> tuple[Address, ...]:
    """The system's name servers as they are now; none when none is set. Reads a file: not for the event loop."""
    try:
        resolver = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return ()
    return tuple((str(host), resolver.port) for host in resolver.nameservers[:MAX_SYSTEM_SERVERS])


async def survey(name: str, system: Sequence[Address], references: Sequence[Address]) -> tuple[Said, ...]:
    """Ask everybody everything at once. Whoever has not answered when time is up was silent."""
    interviews = [
        *(_Interview(server, is_reference=False) for server in system),
        *(_Interview(server, is_reference=True) for server in references),
    ]
    with anyio.move_on_after(SURVEY_WITHIN):
        async with anyio.create_task_group() as tasks:
            for interview in interviews:
                interview.start(questions(name), tasks)
    return tuple(interview.said() for interview in interviews)


class _Interview:
    """All questions to one server, and the hosts behind its SRV records."""

    def __init__(self, server: Address, *, is_reference: bool) -> None:
        self._server = server
        self._is_reference = is_reference
        self._answers: dict[Question, Answer] = {}
        self._hosts: set[str] = set()

    def start(self, asked: Iterable[Question], tasks: TaskGroup) -> None:
        for question in asked:
            if question not in self._answers:
                self._answers[question] = Answer(Outcome.SILENT)
                tasks.start_soon(self._ask, question, tasks)

    def said(self) -> Said:
        return Said(self._server, self._is_reference, dict(self._answers))

    async def _ask(self, question: Question, tasks: TaskGroup) -> None:
        way = ask_for_certain if self._is_reference else ask
        answer = await way(self._server, question)
        self._answers[question] = answer
        if question.kind == "SRV":
            for record in answer.records:
                self._follow(str(record[3]), tasks)

    def _follow(self, host: str, tasks: TaskGroup) -> None:
        if host and not _is_address(host) and (host in self._hosts or len(self._hosts) < MAX_HOSTS):
            self._hosts.add(host)
            self.start((Question(host, "A"), Question(host, "AAAA")), tasks)


async def ask(server: Address, question: Question) -> Answer:
    """What one server answers, as calls ask it: by UDP, and by TCP where that brings nothing. Never fails."""
    query = _query(question)
    if query is None:
        return Answer(Outcome.GARBLED)
    by_udp = await _by_udp(server, query)
    if by_udp.outcome not in UNUSABLE:
        return by_udp
    by_tcp = await _by_tcp(server, query)
    return by_udp if by_tcp.outcome in UNUSABLE else by_tcp


async def ask_for_certain(server: Address, question: Question) -> Answer:
    """What it answers whom nobody deceives on the way: by both at once, and what comes by TCP counts. Never fails.

    Whoever forges datagrams answers for any server that is asked beyond him, a reference too; into a connection he cannot
    get. UDP counts where TCP is barred.
    """
    query = _query(question)
    if query is None:
        return Answer(Outcome.GARBLED)
    by_udp, by_tcp = Answer(Outcome.SILENT), Answer(Outcome.SILENT, transport="tcp")

    async def ask_by_udp() -> None:
        nonlocal by_udp
        by_udp = await _by_udp(server, query)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_by_udp)
        by_tcp = await _by_tcp(server, query)
        if by_tcp.outcome in HEARD:
            tasks.cancel_scope.cancel()  # what comes by UDP would not count
    for answer in (by_tcp, by_udp):
        if answer.outcome in HEARD:
            return answer
    return by_udp if by_tcp.outcome in UNUSABLE else by_tcp


def _query(question: Question) -> dns.message.QueryMessage | None:
    """None for what no query can be made of, such as a host too long for one that some SRV record names."""
    try:
        return dns.message.make_query(question.name, question.kind)
    except dns.exception.DNSException:
        return None


async def _by_udp(server: Address, query: dns.message.QueryMessage) -> Answer:
    try:
        async with await ConnectedUDPSocket.from_socket(_connected(server)) as udp:
            for _ in range(UDP_TRIES):
                await udp.send(query.to_wire())
                with anyio.move_on_after(UDP_WITHIN):
                    # Whatever comes ends it: somebody who forges datagrams does not reach into a TCP connection.
                    return read(query, await udp.receive(), "udp")
    except (OSError, anyio.BrokenResourceError):
        return Answer(Outcome.UNREACHABLE)
    return Answer(Outcome.SILENT)


def _connected(server: Address) -> socket.socket:
    """A UDP socket that hears that server alone. OSError when no way leads there, which the event loop would not tell."""
    # Numeric alone: an interface that is gone (`fe80::1%eth0`) would have the whole text looked up as a name.
    ((family, kind, _, _, address), *_) = socket.getaddrinfo(
        *server, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )
    opened = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened


async def _by_tcp(server: Address, query: dns.message.QueryMessage) -> Answer:
    octets = query.to_wire()
    answer = Answer(Outcome.SILENT, transport="tcp")
    try:
        with anyio.move_on_after(TCP_WITHIN):
            async with await anyio.connect_tcp(*server) as stream:
                await stream.send(len(octets).to_bytes(2, "big") + octets)
                incoming = BufferedByteReceiveStream(stream)
                length = int.from_bytes(await incoming.receive_exactly(2), "big")
                answer = read(query, await incoming.receive_exactly(length), "tcp")
    except (OSError, anyio.BrokenResourceError, anyio.IncompleteRead):
        return Answer(Outcome.UNREACHABLE, transport="tcp")
    return answer


def read(query: dns.message.QueryMessage, octets: bytes, transport: str) -> Answer:
    """What an answer says; GARBLED when it is none to this question, or was cut short."""
    try:
        response = dns.message.from_wire(octets)
        if isinstance(response, dns.message.QueryMessage) and _is_whole(query, response):
            return _read_response(query, response, transport)
    except (dns.exception.DNSException, ValueError):
        pass
    return Answer(Outcome.GARBLED, transport=transport)


def _is_whole(query: dns.message.QueryMessage, response: dns.message.QueryMessage) -> bool:
    return query.is_response(response) and not response.flags & dns.flags.TC


def _read_response(
    query: dns.message.QueryMessage, response: dns.message.QueryMessage, transport: str
) -> Answer:
    match response.rcode():
        case dns.rcode.NOERROR | dns.rcode.NXDOMAIN:
            pass
        case dns.rcode.REFUSED:
            return Answer(Outcome.REFUSED, transport=transport)
        case _:
            return Answer(Outcome.FAILED, transport=transport)
    chain = response.resolve_chaining()
    aliases = tuple(_lower(each[0]) for each in chain.cnames)
    found = [] if chain.answer is None else list(chain.answer)[:MAX_RECORDS]
    records = tuple(values(_kind(query), each) for each in found)
    return Answer(_outcome(response, has_records=bool(records)), records, aliases, transport)


def _outcome(response: dns.message.QueryMessage, *, has_records: bool) -> Outcome:
    if has_records:
        return Outcome.RECORDS
    return Outcome.NO_NAME if response.rcode() == dns.rcode.NXDOMAIN else Outcome.NOTHING


def _kind(query: dns.message.QueryMessage) -> str:
    return dns.rdatatype.to_text(query.question[0].rdtype)


def _lower(alias: Any) -> str:
    return str(alias.target.to_text(omit_final_dot=True)).lower()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
