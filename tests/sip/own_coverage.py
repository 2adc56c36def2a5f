"""What each test file covers of the module that bears its name: `python -m tests.sip.own_coverage` prints it as JSON.

Modules are covered while they are imported too, so each one is measured in a process of its own that has imported none of
them yet. Those are forked from one that knows all else they need, since starting pytest takes longer than the tests do.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import coverage
import hypothesis  # noqa: F401  # as is trio: what takes long to import is imported once
import pytest
import trio.testing  # noqa: F401

__all__ = ["FOLDERS", "MODULES", "ROOT", "file_of_tests"]

ROOT = Path(__file__).parents[2]
FOLDERS = ("message", "transaction", "dialog")
MODULES = [
    module.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for module in sorted((ROOT / "appliance/sip" / folder).glob("*.py"))
    if module.name != "__init__.py"
]
# What Hypothesis draws is left out, so that the verdict depends on no chance.
OPTIONS = (
    "-m",
    "not hypothesis",
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


def file_of_tests(module: str) -> Path:
    """The test file of a module."""
    path = Path(module)
    return ROOT / "tests" / path.relative_to("appliance").parent / f"test_{path.name}"


def missing(module: str) -> list[str]:
    """What the module's test file alone leaves out of it; a word about the tests when they fail."""
    probe = coverage.Coverage(data_file=None, config_file=False, branch=True, include=[str(ROOT / module)])
    told = io.StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        probe.start()
        code = pytest.main([*OPTIONS, str(file_of_tests(module))])
        probe.stop()
    if code != pytest.ExitCode.OK:
        return [f"the tests end with {code!r}", told.getvalue()]
    lines = [f"line {line}" for line in probe.analysis2(str(ROOT / module))[3]]
    branches = probe.branch_stats(str(ROOT / module)).items()
    return lines + [f"a branch of line {line}" for line, (total, taken) in branches if taken < total]


def main() -> None:
    # A fork each: `maxtasksperchild` keeps what one module's tests have imported from the next one's.
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        found = pool.map(missing, MODULES, chunksize=1)
    json.dump(dict(zip(MODULES, found, strict=True)), sys.stdout)


if __name__ == "__main__":
    main()
