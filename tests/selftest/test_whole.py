"""`branchbox selftest` as a person runs it: a real exchange, two phones, both languages, and an early end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
STEPS = 8
COMMAND = [sys.executable, "-m", "appliance", "selftest"]


def environment(folder: Path, language: str) -> dict[str, str]:
    return {**os.environ, "LC_ALL": language, "TMPDIR": str(folder), "PYTHONIOENCODING": "utf-8"}


@pytest.mark.parametrize(
    ("language", "passed"), [("C", "The self-test has passed."), ("zh_CN.UTF-8", "自检通过。")]
)
def test_every_step_passes(tmp_path: Path, language: str, passed: str) -> None:
    finished = subprocess.run(
        COMMAND,
        cwd=CHECKOUT,
        env=environment(tmp_path, language),
        capture_output=True,
        timeout=50,
        check=False,
    )
    said = finished.stdout.decode().splitlines()
    assert finished.returncode == 0, finished.stderr.decode()
    assert [line.startswith("[ok] ") for line in said] == [True] * STEPS + [False]
    assert said[-1] == passed
    assert list(tmp_path.iterdir()) == []


def test_told_to_stop_it_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        COMMAND, cwd=CHECKOUT, env=environment(tmp_path, "C"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as selftest:
        assert selftest.stdout is not None
        assert selftest.stdout.readline().startswith(b"[ok]")
        (child,) = Path(f"/proc/{selftest.pid}/task/{selftest.pid}/children").read_text().split()
        selftest.send_signal(signal.SIGTERM)
        assert selftest.wait(timeout=30) == 130
    assert not Path(f"/proc/{child}").exists()
    assert list(tmp_path.iterdir()) == []
