"""Shows what the simulations found out, and by which seeds, in the summary of the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = list(_told(terminalreporter))
    if told:
        terminalreporter.section("simulation")
        for line in told:
            terminalreporter.write_line(line)


def _told(reporter: pytest.TerminalReporter) -> Iterator[str]:
    for outcome in ("passed", "failed"):
        for report in reporter.getreports(outcome):
            yield from (str(value) for name, value in report.user_properties if name == "told")
