"""The image's units and scripts, without an image: systemd understands them, and the scripts do what they say.

Requirements not tested here: what needs a kernel of its own (a mounted FAT, a clock that is really set, a screen).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
UNITS = TOP / "systemd"
OVERLAY = TOP / "image/overlay"
SCRIPTS = OVERLAY / "usr/libexec/branchbox"
PRESET = OVERLAY / "usr/lib/systemd/system-preset/10-branchbox.preset"
MINE = sorted(each for each in UNITS.iterdir() if each.is_file())


def test_systemd_understands_every_unit() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    command = ["systemd-analyze", "--man=no", "--recursive-errors=no", "verify", *map(str, MINE)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr.splitlines()
    # What the units start is in the image, not here.
    assert [line for line in said if "is not executable: No such file" not in line] == []


def test_what_is_started_is_there() -> None:
    for unit in MINE:
        for name in re.findall(r"^Exec\w+=\+?/usr/libexec/branchbox/(\S+)", unit.read_text(), re.MULTILINE):
            assert os.access(SCRIPTS / name, os.X_OK), f"{unit.name} starts {name}"
        for name in re.findall(r"^Unit=(\S+)", unit.read_text(), re.MULTILINE):
            assert (UNITS / name).exists(), f"{unit.name} starts {name}"


def test_every_unit_that_is_to_be_installed_is_enabled() -> None:
    enabled = set(re.findall(r"^enable (\S+)", PRESET.read_text(), re.MULTILINE))
    # Templates are enabled by people, each under a name of its own.
    mine = {each.name for each in MINE if "\n[Install]\n" in each.read_text() and "@." not in each.name}
    assert mine - enabled == set()
    assert {each for each in enabled if each.startswith("branchbox")} - mine == set()


def test_a_reset_by_a_file_comes_before_the_settings_beside_it() -> None:
    before = re.findall(r"^Before=(.*)$", (UNITS / "branchbox-reset-file.service").read_text(), re.MULTILINE)
    assert "branchbox-first-boot.service" in " ".join(before).split()


# The scripts


class Script:
    """One of them, with stand-ins for the tools that need a machine of their own."""

    def __init__(self, folder: Path) -> None:
        self.tools = folder / "tools"
        self.tools.mkdir()
        self.done = folder / "done"
        self.done.touch()

    def tool(self, name: str, body: str) -> None:
        path = self.tools / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.done}\n{body}\n')
        path.chmod(0o755)

    def run(self, name: str | Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        path = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"}
        command = [str(SCRIPTS / name), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=path)


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


BUILT, SAVED = 1_700_000_000, 1_800_000_000


class Clock:
    """The clock script, as old as its image, on a board whose clock says what `now` says."""

    def __init__(self, script: Script, folder: Path) -> None:
        self.script, self.kept, self.now = script, folder / "clock", folder / "now"
        self.path = folder / "clock-script"
        shutil.copy(SCRIPTS / "clock", self.path)
        os.utime(self.path, (BUILT, BUILT))
        script.tool(
            "date",
            f'for each; do case $each in --set=@*) echo "${{each#*@}}" >{self.now};; +%s) cat {self.now};; esac; done',
        )

    def restored_from(self, now: int) -> int:
        self.now.write_text(f"{now}\n")
        done = self.script.run(self.path, "restore", self.kept)
        assert done.returncode == 0, done.stderr
        return int(self.now.read_text())


def test_a_clock_without_a_battery_goes_on_from_the_last_save(script: Script, tmp_path: Path) -> None:
    clock = Clock(script, tmp_path)
    # A new box has saved nothing.
    assert clock.restored_from(0) == BUILT
    clock.kept.touch()
    os.utime(clock.kept, (SAVED, SAVED))
    assert clock.restored_from(0) == SAVED
    # An old save, as of a card that lay about while its box got a new image.
    os.utime(clock.kept, (BUILT - 5, BUILT - 5))
    assert clock.restored_from(0) == BUILT


def test_a_clock_that_is_right_is_left_alone(script: Script, tmp_path: Path) -> None:
    clock = Clock(script, tmp_path)
    clock.kept.touch()
    os.utime(clock.kept, (SAVED, SAVED))
    assert clock.restored_from(SAVED + 1) == SAVED + 1
    assert "--set" not in script.done.read_text()


def test_the_time_is_saved_also_when_it_was_far_ahead(script: Script, tmp_path: Path) -> None:
    kept = tmp_path / "clock"
    kept.touch()
    os.utime(kept, (4_000_000_000, 4_000_000_000))
    assert script.run("clock", "save", kept).returncode == 0
    assert kept.stat().st_mtime < 4_000_000_000
    assert script.run("clock", "nonsense", kept).returncode == 2


class Card:
    """A FAT partition and the data of a box in use."""

    def __init__(self, script: Script, folder: Path) -> None:
        self.script, self.boot, self.data = script, folder / "boot", folder / "data"
        self.boot.mkdir()
        (self.data / "certs").mkdir(parents=True)
        (self.data / "certs/key.pem").touch()
        (self.data / ".hidden").touch()
        self.outside = folder / "outside"
        self.outside.mkdir()
        (self.outside / "kept").touch()
        (self.data / "link").symlink_to(self.outside)
        script.tool("mount", "")
        script.tool("umount", "")
        script.tool("fsck.vfat", "exit 1")

    def start(self) -> int:
        return self.script.run("reset-file", "/dev/none", self.boot, self.data).returncode

    @property
    def is_new(self) -> bool:
        return list(self.data.iterdir()) == []


@pytest.fixture
def card(script: Script, tmp_path: Path) -> Card:
    return Card(script, tmp_path)


def test_without_the_file_nothing_is_written(card: Card) -> None:
    (card.boot / "config.txt").touch()
    assert card.start() == 0
    assert not card.is_new
    assert "rw" not in card.script.done.read_text()
    assert "umount" in card.script.done.read_text()


@pytest.mark.parametrize("name", ["branchbox.reset", "branchbox.reset.txt"])
def test_the_file_makes_the_box_new_once(card: Card, name: str) -> None:
    (card.boot / name).touch()
    assert card.start() == 0
    assert card.is_new
    assert (card.outside / "kept").exists()
    assert list(card.boot.iterdir()) == []
    (card.data / "branchbox.db").touch()
    assert card.start() == 0
    assert not card.is_new


def test_a_card_that_cannot_be_written_is_not_obeyed(card: Card) -> None:
    (card.boot / "branchbox.reset").touch()
    card.script.tool("mount", "case $* in *remount*) exit 32;; esac")
    assert card.start() == 1
    assert not card.is_new


def test_a_new_card_has_nothing_to_delete(card: Card) -> None:
    shutil.rmtree(card.data)
    (card.boot / "branchbox.reset").touch()
    assert card.start() == 0
    assert list(card.boot.iterdir()) == []


def test_nothing_on_the_screen_steers_it(script: Script, tmp_path: Path) -> None:
    file = tmp_path / "screen"
    shown = script.run("screen", file)
    assert shown.stdout.startswith("\x1b[?25l\x1b[H\x1b[2J\x1b[3J")
    assert "starts" in shown.stdout
    file.write_bytes("  code: ABCD\n\x1b[31m网\x9b\n".encode())
    shown = script.run("screen", file)
    assert shown.stdout.partition("\x1b[3J")[2] == "  code: ABCD\n[31m\n"
