"""selftest/command.py and scenario.py: what is said and returned when steps pass and when one fails."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from appliance.errors import ConfigError
from appliance.locale import LANGUAGES, say
from appliance.selftest import command, exchange
from appliance.selftest.scenario import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STEPS = ("start", "extensions", "register", "call", "sound", "hang_up", "record", "stop")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_has_words(language: str) -> None:
    assert all(say(f"selftest.step.{step}", language) for step in STEPS)  # type: ignore[arg-type]  # one of them


def perform(monkeypatch: pytest.MonkeyPatch, outcome: Failure | None) -> int:
    async def scenario(tell: Callable[[str], None]) -> Failure | None:
        tell("start")
        return outcome

    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setattr(command, "run_scenario", scenario)
    return command.run(argparse.Namespace())


def test_a_pass_is_said_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert perform(monkeypatch, None) == 0
    assert capsys.readouterr() == (
        "[ok] Start an exchange in a temporary folder\nThe self-test has passed.\n",
        "",
    )


def test_a_failure_names_its_step_its_reason_and_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert perform(monkeypatch, Failure("call", "486 Busy Here", ("a line",))) == 1
    said = capsys.readouterr().err
    assert "One phone calls the other, and it answers" in said
    assert "486 Busy Here" in said
    assert "  a line" in said


def test_a_refused_setting_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = ConfigError("extensions.101", "selftest.log")
    assert perform(monkeypatch, Failure("extensions", refused)) == 1
    assert "extensions.101: The last lines" in capsys.readouterr().err


def test_an_exchange_that_cannot_start_fails_the_first_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho no such thing as a free port\nexit 7\n")
    program.chmod(0o755)
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setattr(exchange, "_program", lambda: [str(program)])
    assert command.run(argparse.Namespace()) == 1
    said = capsys.readouterr().err
    assert "exit status 7" in said
    assert "no such thing as a free port" in said


def test_a_program_that_is_not_there_fails_the_first_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exchange, "_program", lambda: ["/nonexistent/branchbox"])
    assert command.run(argparse.Namespace()) == 1
    assert "/nonexistent/branchbox" in capsys.readouterr().err


def test_the_child_gets_no_setting_of_the_real_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHBOX_DATA", "/var/lib/branchbox")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    assert not [name for name in exchange._environment() if name.startswith(("BRANCHBOX_", "NOTIFY_"))]


def test_free_ports_are_free_and_different() -> None:
    assert len(set(exchange._free_ports(5))) == 5
