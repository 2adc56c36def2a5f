"""Who may have a name checked, when, and what is kept of it. Real name servers on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from appliance.diagnosis import dns_checks, dns_probe
from appliance.diagnosis.dns_check import Verdict
from appliance.diagnosis.dns_checks import AGAIN_AFTER, MAX_AT_ONCE, MAX_NAMES, DnsChecks
from appliance.errors import ConfigError
from tests.conftest import REAL_SOCKETS
from tests.peers.name_server import NameServer, name_server


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


class Office:
    """The check with a name server here and one outside, on a clock that is turned by hand."""

    def __init__(self, system: NameServer, reference: NameServer) -> None:
        self.system, self.reference = system, reference
        self.time = 1000.0
        self.asked: list[tuple[str, int]] = []
        self.answers: set[str] = set()
        self.checks = DnsChecks(
            lambda: [reference.address], system=[system.address], sip=self.sip, now=lambda: self.time, wall=lambda: 1.5e9
        )  # fmt: skip

    async def sip(self, host: str, port: int) -> bool:
        self.asked.append((host, port))
        return host in self.answers


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with name_server() as system, name_server() as reference:
        reference.add("sip.example", "A", "47.100.1.1")
        yield Office(system, reference)


async def test_a_person_may_ask_again_and_again_and_nothing_is_kept(office: Office) -> None:
    for _ in range(3):
        checked = await office.checks.check("sip:101@SIP.example:5060")
        assert (checked.name, checked.at) == ("sip.example", 1.5e9)
        assert checked.judgement.verdict is Verdict.BLOCKED
        assert [each.is_reference for each in checked.said] == [False, True]
    assert office.checks.findings == ()


async def test_by_itself_a_name_is_checked_once_an_hour(office: Office) -> None:
    assert await office.checks.check_if_due("sip.example") is not None
    office.time += AGAIN_AFTER - 1
    assert await office.checks.check_if_due("SIP.example:5060") is None
    assert await office.checks.check_if_due("other.example") is not None
    office.time += 1
    assert await office.checks.check_if_due("sip.example") is not None
    assert [each.name for each in office.checks.findings] == ["sip.example", "other.example", "sip.example"]


async def test_what_agrees_is_no_finding(office: Office) -> None:
    office.system.add("sip.example", "A", "47.100.1.1")
    checked = await office.checks.check_if_due("sip.example")
    assert checked is not None
    assert checked.judgement.verdict is Verdict.AGREE
    assert office.checks.findings == ()


async def test_findings_and_names_are_bounded(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> tuple[()]:
        return ()

    monkeypatch.setattr(dns_probe, "survey", nothing)
    for number in range(MAX_NAMES + 1):
        await office.checks.check_if_due(f"h{number}.example")
    assert len(office.checks.findings) == dns_checks.MAX_FINDINGS
    assert office.checks.findings[0].name == f"h{MAX_NAMES}.example"
    assert await office.checks.check_if_due("h1.example") is None
    assert await office.checks.check_if_due("h0.example") is not None


async def test_only_so_many_at_once(office: Office) -> None:
    office.system.silent = True
    office.system.serves_tcp = False
    async with anyio.create_task_group() as tasks:
        for _ in range(MAX_AT_ONCE):
            tasks.start_soon(office.checks.check, "sip.example")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ConfigError) as refused:
            await office.checks.check("sip.example")
        assert refused.value.key == "error.busy"
        assert await office.checks.check_if_due("sip.example") is None
        tasks.cancel_scope.cancel()
    office.system.silent = False
    assert await office.checks.check_if_due("sip.example") is not None


async def test_servers_of_one_provider_are_told_from_a_lie_by_sip(office: Office) -> None:
    office.system.add("sip.example", "A", "8.130.2.2")
    assert (await office.checks.check("sip.example")).judgement.verdict is Verdict.POISONED
    assert sorted(office.asked) == [("47.100.1.1", 5060), ("8.130.2.2", 5060)]
    office.answers = {"47.100.1.1", "8.130.2.2"}
    assert (await office.checks.check("sip.example")).judgement.verdict is Verdict.LOCALITY


async def test_nobody_is_asked_by_sip_when_there_is_no_doubt(office: Office) -> None:
    office.system.add("sip.example", "A", "47.100.1.1")
    await office.checks.check("sip.example")
    office.system.add("sip.example", "A", "127.0.0.1")
    assert (await office.checks.check("sip.example")).judgement.verdict is Verdict.POISONED
    assert office.asked == []


async def test_what_is_no_name_is_refused_at_once(office: Office) -> None:
    for check in (office.checks.check, office.checks.check_if_due):
        with pytest.raises(ConfigError):
            await check("no name")
    assert office.system.asked == []
