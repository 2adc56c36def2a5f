"""The frozen executable of this machine's processor: what `./build.sh freeze --native` made."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from appliance import __version__

TOP = Path(__file__).parents[2]
NAME = f"branchbox-{__version__}-{platform.machine()}"
EXECUTABLE = TOP / "dist" / NAME

pytestmark = [
    pytest.mark.frozen,
    pytest.mark.skipif(
        not EXECUTABLE.exists(), reason=f"no dist/{NAME}; ./build.sh freeze --native makes it"
    ),
]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it with nothing of the checkout or of this Python within its reach."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [EXECUTABLE, *arguments],
        cwd=folder,
        env={**environment, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )


def test_it_says_its_version_and_which_openssl_it_uses(tmp_path: Path) -> None:
    done = run(tmp_path, "version")
    assert done.returncode == 0, done.stderr
    assert __version__ in done.stdout
    assert "OpenSSL 3" in done.stdout


def test_its_two_phones_hear_each_other(tmp_path: Path) -> None:
    done = run(tmp_path, "selftest")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_brings_what_it_installs(tmp_path: Path) -> None:
    """Units and scripts lie in the executable, and the program it installs is itself."""
    done = run(tmp_path, "install", "--root", str(tmp_path / "host"))
    assert done.returncode == 0, done.stderr
    installed = tmp_path / "host/usr/local/lib/branchbox/branchbox"
    assert installed.stat().st_size == EXECUTABLE.stat().st_size
    unit = (tmp_path / "host/etc/systemd/system/branchbox.service").read_text()
    assert "ExecStart=/run/branchbox/release/branchbox run" in unit


def test_a_wrong_command_is_told_so(tmp_path: Path) -> None:
    done = run(tmp_path, "no-such-command")
    assert done.returncode == 2
    assert "no-such-command" in done.stderr


def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    run(tmp_path, "version")
    assert list(tmp_path.iterdir()) == []
