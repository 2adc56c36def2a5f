"""The frozen executable of this machine's processor: what `./build.sh freeze --native` made."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from appliance import __version__
from appliance.media.tone import sine
from appliance.media.wav import write_wav
from tests.interop.exchange import running_exchange, wait_until

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


def test_it_brings_the_licences_of_what_is_in_it(tmp_path: Path) -> None:
    done = run(tmp_path, "version", "--licences")
    assert done.returncode == 0, done.stderr
    for name in (
        "anyio/",
        "cryptography/",
        "pyinstaller/",
        "libpython3.11-stdlib/copyright",
        "libssl3/copyright",
    ):
        assert f"\n== {name}" in f"\n{done.stdout}", name


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


def test_it_takes_music_and_brings_some_along(tmp_path: Path) -> None:
    with (tmp_path / "own.wav").open("wb") as file:
        write_wav(file, sine(440, 16_000, peak=3000).tobytes())
    with running_exchange(tmp_path, program=[str(EXECUTABLE)]) as exchange:
        exchange.perform("music", "set", None, {"file": str(tmp_path / "own.wav")})
        assert exchange.perform("music", "show")["seconds"] == 2.0
        assert [each.suffix for each in (exchange.folder / "prompts").iterdir()] == [".wav"]
        exchange.perform("music", "remove")
        wait_until(lambda: exchange.perform("music", "show")["seconds"] == 38.4, "the built-in music")
        assert exchange.stop() == 0
