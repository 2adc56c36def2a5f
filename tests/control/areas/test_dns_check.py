"""Area `dns-check`, with name servers on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.config.server_address import written
from appliance.diagnosis.dns_check import Outcome, Verdict
from appliance.diagnosis.dns_checks import DnsChecks
from appliance.errors import ConfigError
from appliance.locale import keys
from tests.conftest import REAL_SOCKETS
from tests.control.fakes import Bench
from tests.peers.name_server import name_server


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


async def test_what_each_server_said_and_what_to_do(bench: Bench) -> None:
    async with name_server() as system, name_server() as reference:
        # By the settings, as the running exchange does it.
        bench.parts.dns_checks = DnsChecks(
            lambda: bench.config.current.system.dns_reference_addresses, system=[system.address]
        )
        await bench("system", "set", dns_references=written(reference.address))
        reference.add("sip.example", "CNAME", "edge.example.")
        reference.add("edge.example", "A", "47.100.1.1")
        reference.add("_sip._tcp.sip.example", "SRV", "0 0 0 .")
        checked = await bench("dns-check", "show", "sip:101@SIP.example:5070")
        assert checked["name"] == "sip.example"
        assert checked["verdict"] == "blocked"
        assert checked["explanation"] == "dns.verdict.blocked"
        assert checked["what_to_do"] == "dns.what_to_do.blocked"
        assert checked["about"] == ["A sip.example"]
        assert len(checked["answers"]) == 12
        told = {(each["asked"], each["question"]): each for each in checked["answers"]}
        assert told["system", "A sip.example"] == {
            "asked": "system",
            "server": written(system.address),
            "question": "A sip.example",
            "outcome": "no_name",
            "records": [],
            "transport": "udp",
        }
        assert told["reference", "A sip.example"]["records"] == ["CNAME edge.example", "47.100.1.1"]
        assert told["reference", "SRV _sip._tcp.sip.example"]["records"] == ["0 0 0 ."]
        assert await bench("dns-check", "list") == []
        await bench.parts.dns_checks.check_if_due("sip.example")
        (finding,) = await bench("dns-check", "list")
        assert {**finding, "at": None} == {**checked, "at": None}


@pytest.mark.parametrize("name", ["no name", "192.0.2.1", "a" * 5000, "sip:"])
async def test_what_is_no_name_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("dns-check", "show", name)
    assert refused.value.path == "dns-check"


def test_all_that_can_be_told_has_words() -> None:
    told = {f"dns.{part}.{each}" for part in ("verdict", "what_to_do") for each in Verdict}
    told |= {f"dns.outcome.{each}" for each in Outcome if each is not Outcome.RECORDS}
    assert {each for each in keys() if each.startswith("dns.")} == told
