"""`branchbox install` into a folder: what would be on the host, and that it fits together.

Not tested here: systemctl and useradd.
"""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import msgspec
import pytest

from appliance import __version__
from appliance.main import main
from tests.system.update.workshop import Workshop

PROGRAM = b'#!/bin/sh\necho the exchange "$@"\n'
BASE = "usr/local/lib/branchbox"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANG", "C.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "program").write_bytes(PROGRAM)
    return tmp_path / "host"


def install(host: Path, *more: str) -> int:
    return main(["install", "--root", str(host), "--program", str(host.parent / "program"), *more])


def test_everything_is_in_its_place(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(host) == 0
    files = {str(path.relative_to(host)) for path in host.rglob("*") if path.is_file()}
    assert files == {
        f"{BASE}/base",
        f"{BASE}/branchbox",
        "usr/local/bin/branchbox",
        "usr/local/libexec/branchbox/choose-release",
        "etc/systemd/system/branchbox.service",
        "etc/systemd/system/branchbox@.service",
        "etc/systemd/system/branchbox-user@.service",
        "etc/systemd/system/branchbox-health.service",
    }
    said = capsys.readouterr().out
    for command in ("useradd --system", "systemctl daemon-reload", "systemctl restart branchbox.service"):
        assert f"would run: {command}" in said
    assert (host / f"{BASE}/base").read_text() == f"{__version__}\n"


def test_what_must_run_may(host: Path) -> None:
    install(host)
    for name in (
        f"{BASE}/branchbox",
        "usr/local/bin/branchbox",
        "usr/local/libexec/branchbox/choose-release",
    ):
        assert stat.S_IMODE((host / name).stat().st_mode) == 0o755


DEBIANS = ("/usr/bin/install", "/usr/bin/chown", "/usr/bin/systemd-sysusers")
"Programs of the essential packages, and of systemd."
FOLDERS = ("/etc", "/run")
"Where systemd-sysusers writes, and sockets lie."


def test_units_name_only_what_a_host_has(host: Path) -> None:
    install(host)
    for unit in (host / "etc/systemd/system").iterdir():
        settings = [line for line in unit.read_text().splitlines() if not line.startswith("#")]
        for path in re.findall(r"(?<![\w/])/[\w%./-]+", " ".join(settings)):
            assert path in FOLDERS or path.startswith(
                ("/usr/local/", "/var/lib/branchbox", "/run/branchbox/", "/run/branchbox-%i", *DEBIANS)
            ), path
        assert "APPLIANCE" not in unit.read_text()
        assert "Action=reboot" not in unit.read_text()


def test_the_command_starts_the_program(host: Path) -> None:
    install(host)
    script = host / "usr/local/bin/branchbox"
    script.write_text(script.read_text().replace("/usr/local", f"{host}/usr/local"))
    done = subprocess.run([script, "version"], capture_output=True, text=True, check=True)
    assert done.stdout == "the exchange version\n"


def test_again_it_renews_what_is_there(host: Path) -> None:
    install(host)
    (host.parent / "program").write_bytes(b"#!/bin/sh\necho newer\n")
    assert install(host) == 0
    assert (host / f"{BASE}/branchbox").read_bytes() == b"#!/bin/sh\necho newer\n"
    assert not list(host.rglob("*.new"))


def test_with_keys_for_updates(host: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(msgspec.json.encode([Workshop(tmp_path).public("first")]))
    assert install(host, "--keys", str(keys)) == 0
    assert (host / f"{BASE}/update-keys.json").read_bytes() == keys.read_bytes()


@pytest.mark.parametrize("content", ["[]", "no keys"])
def test_without_good_keys_nothing_is_written(
    host: Path, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(content)
    assert install(host, "--keys", str(keys)) == 1
    assert "no list of update keys" in capsys.readouterr().err
    assert not host.exists()


def test_a_checkout_is_not_the_executable(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--root", str(host)]) == 1
    assert "Only the one executable" in capsys.readouterr().err
