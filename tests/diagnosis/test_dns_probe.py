"""Name servers as they are really asked, by all event loops, some of which lie. RFC 1035 §4.2, RFC 7766 §5."""

from __future__ import annotations

import socket
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.diagnosis import dns_probe
from appliance.diagnosis.dns_check import Answer, Outcome, Said, Verdict, judge
from appliance.diagnosis.dns_probe import (
    MAX_HOSTS,
    ask,
    ask_for_certain,
    questions,
    read,
    survey,
    system_servers,
)
from appliance.sip.transport.record_cache import Question
from tests.peers.name_server import NameServer, name_server

NAME = "voip.example"
A = Question(NAME, "A")
EDGE = Question("edge.voip.example", "A")


@pytest.fixture(params=["asyncio", "uvloop", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    loop = str(request.param)
    return ("trio", {}) if loop == "trio" else ("asyncio", {"use_uvloop": loop == "uvloop"})


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of silence alone: an answer may take its time on a busy machine."""
    monkeypatch.setattr(dns_probe, "UDP_WITHIN", 0.1)


def provider(server: NameServer, address: str = "47.100.1.1") -> None:
    """The zone of a provider."""
    server.add(NAME, "NAPTR", '10 0 "s" "SIP+D2U" "" _sip._udp.voip.example.')
    server.add("_sip._udp.voip.example", "SRV", "1 5 5070 Edge.voip.example.")
    server.add(NAME, "A", address)
    server.add("edge.voip.example", "A", address)


async def verdict_on(system: NameServer, references: list[NameServer]) -> Verdict:
    return judge(await survey(NAME, [system.address], [each.address for each in references])).verdict


async def test_every_question_is_asked_and_the_hosts_behind_srv_records() -> None:
    async with name_server() as server:
        provider(server)
        (said,) = await survey(NAME, [server.address], [])
        assert list(said.answers)[:6] == list(questions(NAME))
        assert said.answers[A] == Answer(Outcome.RECORDS, (("47.100.1.1",),))
        assert said.answers[EDGE] == Answer(Outcome.RECORDS, (("47.100.1.1",),))
        assert said.answers[Question("edge.voip.example", "AAAA")].outcome is Outcome.NOTHING
        assert said.answers[Question("_sips._tcp.voip.example", "SRV")].outcome is Outcome.NO_NAME
        srv = said.answers[Question("_sip._udp.voip.example", "SRV")]
        assert srv.records == ((1, 5, 5070, "edge.voip.example"),)
        assert len(server.asked) == 8


async def test_hosts_without_number_are_not_followed() -> None:
    async with name_server() as server:
        server.add(
            "_sip._udp.voip.example", "SRV", "0 0 0 .", "0 0 1 192.0.2.1.", *(f"0 0 1 h{each}.example." for each in range(40))
        )  # fmt: skip
        (said,) = await survey(NAME, [server.address], [])
        assert len(said.answers) == len(questions(NAME)) + 2 * MAX_HOSTS


async def test_aliases_are_noted() -> None:
    async with name_server() as server:
        server.add(NAME, "CNAME", "Edge.cdn.example.")
        server.add("Edge.cdn.example", "A", "47.100.1.1")
        assert (await ask(server.address, A)).aliases == ("edge.cdn.example",)


async def test_a_long_answer_comes_by_tcp() -> None:
    async with name_server() as server:
        server.truncates = True
        provider(server)
        assert await ask(server.address, A) == Answer(Outcome.RECORDS, (("47.100.1.1",),), transport="tcp")


async def test_a_code_is_an_answer() -> None:
    async with name_server() as server:
        for code, outcome in (
            (dns.rcode.REFUSED, Outcome.REFUSED),
            (dns.rcode.SERVFAIL, Outcome.FAILED),
            (dns.rcode.NOTIMP, Outcome.FAILED),
            (dns.rcode.NXDOMAIN, Outcome.NO_NAME),
        ):
            server.rcode = code
            assert await ask(server.address, A) == Answer(outcome)
        assert len(server.asked) == 4


async def test_garbage_by_udp_and_the_truth_by_tcp() -> None:
    async with name_server() as server:
        provider(server)
        for octets in (b"\0", b"garbage", bytes(600), _answer_to_another_question()):
            server.forged = octets
            assert await ask(server.address, A) == Answer(
                Outcome.RECORDS, (("47.100.1.1",),), transport="tcp"
            )
        server.serves_tcp = False
        assert await ask(server.address, A) == Answer(Outcome.GARBLED)


def _answer_to_another_question() -> bytes:
    return dns.message.make_response(dns.message.make_query("other.example", "A")).to_wire()


@pytest.mark.usefixtures("_impatient")
async def test_a_server_that_drops_datagrams_is_asked_by_tcp() -> None:
    async with name_server() as server:
        provider(server)
        server.silent = True
        assert (await ask(server.address, A)).transport == "tcp"
        server.serves_tcp = False
        assert await ask(server.address, A) == Answer(Outcome.SILENT)


@pytest.mark.usefixtures("_impatient")
async def test_nobody_there_is_silence_or_an_error_and_ends_soon() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    answer = await ask(("127.0.0.1", port), A)
    assert answer.outcome in {Outcome.SILENT, Outcome.UNREACHABLE}
    # Nobody may send there who does not say that he means everybody (RFC 919).
    assert (await ask(("255.255.255.255", 53), A)).outcome is Outcome.UNREACHABLE


async def test_when_time_is_up_the_rest_was_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_probe, "SURVEY_WITHIN", 0.3)
    monkeypatch.setattr(dns_probe, "UDP_WITHIN", 30.0)
    async with name_server() as system, name_server() as reference:
        provider(reference)
        system.silent = True
        ours, theirs = await survey(NAME, [system.address], [reference.address])
        assert {each.outcome for each in ours.answers.values()} == {Outcome.SILENT}
        assert theirs.answers[A].outcome is Outcome.RECORDS


async def test_each_verdict_from_real_answers() -> None:
    async with name_server() as system, name_server() as one, name_server() as other:
        assert await verdict_on(system, [one, other]) is Verdict.NOBODY_KNOWS
        provider(one)
        provider(other)
        assert await verdict_on(system, [one, other]) is Verdict.BLOCKED
        provider(system)
        assert await verdict_on(system, [one, other]) is Verdict.AGREE
        provider(system, "47.100.9.9")
        assert await verdict_on(system, [one, other]) is Verdict.LOCALITY
        for liar in ("8.7.198.45", "127.0.0.1", "10.10.34.36"):
            provider(system, liar)
            assert await verdict_on(system, [one, other]) is Verdict.POISONED
        provider(system)
        one.rcode = other.rcode = dns.rcode.REFUSED
        assert await verdict_on(system, [one, other]) is Verdict.REFERENCE_UNREACHABLE
        system.rcode = dns.rcode.SERVFAIL
        assert await verdict_on(system, [one, other]) is Verdict.NO_ANSWER
        one.rcode = dns.rcode.NOERROR
        assert await verdict_on(system, [one, other]) is Verdict.BLOCKED
        system.rcode, one.rcode = dns.rcode.NOERROR, dns.rcode.NXDOMAIN
        one.records.clear()
        assert await verdict_on(system, [one, other]) is Verdict.ONLY_HERE


async def test_whoever_forges_datagrams_deceives_no_reference() -> None:
    """What answers for the system's server answers for the references as well, by UDP: all seem to agree."""
    async with name_server() as system, name_server() as reference:
        for server in (system, reference):
            provider(server)
            server.lies = {(NAME, "A"): ["8.7.198.45"]}
        assert await ask(reference.address, A) == Answer(Outcome.RECORDS, (("8.7.198.45",),))
        told = Answer(Outcome.RECORDS, (("47.100.1.1",),), transport="tcp")
        assert await ask_for_certain(reference.address, A) == told
        assert await verdict_on(system, [reference]) is Verdict.POISONED
        reference.lies.clear()
        reference.serves_tcp = False
        assert await ask_for_certain(reference.address, A) == Answer(Outcome.RECORDS, (("47.100.1.1",),))


@pytest.mark.usefixtures("_impatient")
async def test_a_reference_that_cannot_be_had() -> None:
    async with name_server() as server:
        provider(server)
        server.silent = True
        assert (await ask_for_certain(server.address, A)).outcome is Outcome.RECORDS
        server.serves_tcp = False
        assert await ask_for_certain(server.address, A) == Answer(Outcome.SILENT)
        server.silent, server.serves_tcp, server.rcode = False, True, dns.rcode.REFUSED
        assert await ask_for_certain(server.address, A) == Answer(Outcome.REFUSED, transport="tcp")
    assert await ask_for_certain(server.address, Question("x" * 64 + ".example", "A")) == Answer(
        Outcome.GARBLED
    )


async def test_no_server_at_all() -> None:
    assert await survey(NAME, [], []) == ()


def test_the_system_has_servers_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def unset(*_: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    assert all(port for _, port in system_servers())
    monkeypatch.setattr(dns.resolver, "Resolver", unset)
    assert system_servers() == ()


QUERY = dns.message.make_query(NAME, "A")


@given(st.binary(max_size=200))
def test_any_octets_are_an_answer_or_garbled(octets: bytes) -> None:
    assert read(QUERY, octets, "udp").outcome is Outcome.GARBLED
    # As far as the id, and the flags of an answer, it looks right.
    plausible = QUERY.to_wire()[:2] + b"\x80\x00\x00\x01" + octets
    assert isinstance(read(QUERY, plausible, "udp"), Answer)


@given(st.integers(0, 60), st.binary(max_size=8))
def test_a_spoilt_answer_does_no_harm(place: int, octets: bytes) -> None:
    response = dns.message.make_response(QUERY)
    response.flags |= dns.flags.RA
    wire = response.to_wire()
    answer = read(QUERY, wire[:place] + octets + wire[place + len(octets) :], "tcp")
    said = Said(("192.0.2.1", 53), is_reference=True, answers={A: answer})
    assert judge([said]).verdict in Verdict
