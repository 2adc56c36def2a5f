"""appliance/service/run_command.py: why it cannot start, in the reader's words; what it announces, and what not.

Not tested here: signals and calls at the end (tests/interop/test_restart.py), taken ports (test_bad_input.py there).
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from appliance.errors import ConfigError
from appliance.service import run_command
from appliance.service.address_book import AddressBook
from appliance.service.options import Options
from appliance.service.service import Service
from appliance.sip.transport.listening import CannotListenError, PortInUseError
from webui.server import AddressInUseError

if TYPE_CHECKING:
    from appliance.store.store import Store

OPTIONS = Options(
    data=Path("/data"),
    sip=("0.0.0.0", 5060),
    tls=("0.0.0.0", 5061),
    web=("::1", 8443),
    rtp=(30000, 34999),
)
CODE = "ABCD-EFGH"


def test_a_taken_port_is_named_with_its_transport() -> None:
    error = PortInUseError("udp", ("192.0.2.1", 5060), "Address already in use")
    assert "192.0.2.1:5060 (UDP)" in run_command._explain_port(error, "en")
    assert "192.0.2.1:5060 (UDP)" in run_command._explain_port(error, "zh")
    assert run_command._explain_port(error, "en") != run_command._explain_port(error, "zh")


def test_an_address_that_is_not_ours_comes_with_the_systems_reason_and_ipv6_in_brackets() -> None:
    error = CannotListenError("tls", ("2001:db8::1", 5061), "Cannot assign requested address")
    explained = run_command._explain_port(error, "en")
    assert "[2001:db8::1]:5061 (TLS): Cannot assign requested address" in explained


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EADDRINUSE, "already listens on [::1]:8443 (HTTPS)"),
        (errno.EACCES, "listen on [::1]:8443 (HTTPS): Permission denied."),
        (errno.EADDRNOTAVAIL, "listen on [::1]:8443 (HTTPS): Cannot assign requested address."),
        (errno.EIO, "No socket could be created -- [Errno 5] Input/output error"),
    ],
)
def test_the_consoles_port_is_explained_like_the_others(number: int, expected: str) -> None:
    error = AddressInUseError(f"No socket could be created -- [Errno {number}] {os.strerror(number)}")
    assert expected in run_command._explain_console(error, OPTIONS, "en")


@pytest.mark.parametrize(
    ("error", "key", "params"),
    [
        (
            OSError(errno.EACCES, "Permission denied", "/data/certs"),
            "error.cannot_write",
            {"file": "/data/certs", "reason": "Permission denied"},
        ),
        (OSError("odd"), "error.cannot_write", {"file": "/data", "reason": "odd"}),
        (OSError(errno.ENOSPC, "No space left on device"), "error.disk_full", {}),
    ],
)
async def test_a_file_that_cannot_be_made_is_a_refusal(
    error: OSError, key: str, params: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def build(*_: object) -> None:
        raise error

    monkeypatch.setattr(Service, "build", build)
    with pytest.raises(ConfigError) as refusal:
        await run_command._built(OPTIONS, cast("Store", None))
    assert (refusal.value.path, refusal.value.key, refusal.value.params) == ("data", key, params)


def test_a_group_of_one_is_that_one_however_deep() -> None:
    one = OSError("one")
    assert run_command._sole(ExceptionGroup("", [ExceptionGroup("", [one])])) is one


def test_a_group_of_several_stays_a_group() -> None:
    several = ExceptionGroup("", [OSError("one"), OSError("two")])
    assert run_command._sole(several) is several
    assert run_command._sole(ExceptionGroup("", [several])) is several


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Any:
    async def first_code() -> str | None:
        return CODE

    monkeypatch.setattr(run_command, "fingerprint", lambda _: "AB:CD")
    return SimpleNamespace(
        address_book=AddressBook(OPTIONS, lambda: ["192.0.2.5"]),
        certificate=SimpleNamespace(certificate=Path("/data/certs/cert.pem")),
        control=SimpleNamespace(first_code=first_code),
    )


async def test_where_it_is_and_the_code_are_announced(
    service: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    await run_command._announce(OPTIONS, service)
    told = capsys.readouterr().out
    for fact in ("https://[::1]:8443/", "AB:CD", "192.0.2.5:5060", "192.0.2.5:5061", "/data", CODE):
        assert fact in told


async def test_the_code_stays_out_of_the_journal(
    service: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    await run_command._announce(OPTIONS, service)
    told = capsys.readouterr().out
    assert "https://[::1]:8443/" in told
    assert CODE not in told


async def test_a_box_that_is_set_up_announces_no_code(
    service: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def first_code() -> str | None:
        return None

    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    service.control.first_code = first_code
    await run_command._announce(OPTIONS, service)
    assert "code" not in capsys.readouterr().out.lower()
