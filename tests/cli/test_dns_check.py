"""`branchbox ctl dns-check NAME`: what a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from appliance.config.server_address import written
from appliance.diagnosis.dns_checks import DnsChecks
from tests.cli.conftest import Ctl
from tests.conftest import REAL_SOCKETS
from tests.control.fakes import Bench
from tests.peers.name_server import NameServer, name_server


@pytest.fixture
def servers(bench: Bench) -> Iterator[tuple[NameServer, NameServer]]:
    """The system's and the reference, in a thread of their own; the exchange asks them."""
    with (
        start_blocking_portal(*REAL_SOCKETS) as portal,
        portal.wrap_async_context_manager(name_server()) as system,
        portal.wrap_async_context_manager(name_server()) as reference,
    ):
        bench.parts.dns_checks = DnsChecks(lambda: [reference.address], system=[system.address])
        yield system, reference


def test_it_reads_as_sentences_and_a_table(
    ctl: Ctl,
    servers: tuple[NameServer, NameServer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    system, reference = servers
    reference.add("sip.example", "A", "47.100.1.1")
    system.add("sip.example", "A", "127.0.0.1")
    assert ctl("dns-check", "sip:101@sip.example;transport=tcp") == 0
    title, meaning, advice, blank, *table = capsys.readouterr().out.splitlines()
    assert title.startswith("sip.example  ")
    assert title.endswith("  poisoned  (A sip.example)")
    assert meaning.startswith("Poisoned: ")
    assert advice.startswith("Do not trust this name server: ")
    assert blank == ""
    assert table[0].split() == ["asked", "server", "question", "said", "transport"]
    rows = [line.split() for line in table[1:]]
    assert ["system", written(system.address), "A", "sip.example", "127.0.0.1", "udp"] in rows
    assert ["reference", written(reference.address), "A", "sip.example", "47.100.1.1", "tcp"] in rows
    assert any(line.endswith("no such record  udp") for line in table)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert ctl("dns-check", "show", "sip.example") == 0
    assert "被污染：" in capsys.readouterr().out
    system.add("sip.example", "A")
    reference.add("sip.example", "A")
    assert ctl("dns-check", "sip.example") == 0
    title = capsys.readouterr().out.splitlines()[0]
    assert title.endswith(
        "  nobody_knows  (NAPTR sip.example, SRV _sip._udp.sip.example, SRV _sip._tcp.sip.example, …)"
    )
    system.add("sip.example", "A", "127.0.0.1")
    reference.add("sip.example", "A", "47.100.1.1")
    assert ctl("dns-check", "sip.example", "--json") == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "poisoned"


def test_what_was_found_by_itself(ctl: Ctl, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl("dns-check", "list") == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "There is nothing to list.\n")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "branchbox: Give one name, such as sip.example.com.\n"),
        (["no name"], 1, "branchbox: dns-check: This is no host name, such as sip.example.com.\n"),
        (["192.0.2.1"], 1, "branchbox: dns-check: This is an IP address; only names are looked up.\n"),
    ],
)
def test_refused(
    ctl: Ctl, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    assert ctl("dns-check", *words) == status
    assert capsys.readouterr() == ("", said)
