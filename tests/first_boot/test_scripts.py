"""The scripts of the image that mount the boot partition and USB sticks, with commands that only tell what they were asked."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "image/overlay/usr/libexec/branchbox"
TOLD = ("mount", "umount", "fsck.vfat", "setpriv", "install", "chown")


@dataclass
class Machine:
    """A root folder, and what was done in it."""

    root: Path

    def __post_init__(self) -> None:
        bin_ = self.root / "bin"
        bin_.mkdir(parents=True)
        for name in TOLD:
            self.command(name, f'echo "{name} $*" >>"{self.root}/log"')
        self.command("id", "echo 990")

    def command(self, name: str, text: str) -> None:
        file = self.root / "bin" / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def run(self, script: str, *arguments: str) -> int:
        text = (SCRIPTS / script).read_text(encoding="utf-8")
        text = text.replace("=/run/", f"={self.root}/run/").replace("=/data/", f"={self.root}/data/")
        (self.root / script).write_text(text)
        environment = {"PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        return subprocess.run(
            ["/bin/sh", str(self.root / script), *arguments], env=environment, check=False, timeout=20
        ).returncode

    @property
    def log(self) -> list[str]:
        file = self.root / "log"
        lines = file.read_text(encoding="utf-8") if file.exists() else ""
        return lines.replace(str(self.root), "").splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


def test_without_a_file_the_boot_partition_is_never_writable(machine: Machine) -> None:
    assert machine.run("first-boot") == 0
    assert [each.split()[0] for each in machine.log] == ["mount", "umount"]
    assert "ro,nosuid,nodev,noexec,uid=990,gid=990,umask=077" in machine.log[0]


@pytest.mark.parametrize("status", [0, 1, 3])
def test_a_file_is_applied_by_the_services_user_and_the_partition_let_go(
    machine: Machine, status: int
) -> None:
    (machine.root / "run/branchbox-boot").mkdir(parents=True)
    (machine.root / "run/branchbox-boot/branchbox.toml").write_text("")
    machine.command("setpriv", f'echo "setpriv $*" >>"{machine.root}/log"; exit {status}')
    assert machine.run("first-boot") == status
    asked = machine.log
    done = ["mount", "umount", "fsck.vfat", "mount", "install", "setpriv", "umount"]
    assert [each.split()[0] for each in asked] == done
    assert "-o rw,nosuid" in asked[3]
    assert "--reuid=branchbox" in asked[5]
    assert asked[5].endswith(
        "/usr/bin/branchbox first-boot --file /run/branchbox-boot/branchbox.toml --data /data/branchbox"
    )


def test_a_partition_that_needed_repair_is_used_as_it_is_then(machine: Machine) -> None:
    (machine.root / "run/branchbox-boot").mkdir(parents=True)
    (machine.root / "run/branchbox-boot/branchbox.toml").write_text("")
    machine.command("fsck.vfat", "exit 1")
    assert machine.run("first-boot") == 0
    assert any(each.startswith("setpriv") for each in machine.log)


def test_a_partition_that_cannot_be_mounted_is_no_file(machine: Machine) -> None:
    machine.command("mount", "exit 32")
    assert machine.run("first-boot") == 32
    assert machine.log == []


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("vfat", "nosuid,nodev,noexec,flush,uid=990,gid=990,umask=077"),
        ("exfat", "nosuid,nodev,noexec,uid=990,gid=990,umask=077"),
        ("ext4", "nosuid,nodev,noexec"),
    ],
)
def test_a_stick_is_mounted_for_the_service_alone(machine: Machine, kind: str, options: str) -> None:
    machine.command("blkid", f'case "$*" in *TYPE*) echo {kind} ;; *) echo BRANCHBOX-B ;; esac')
    assert machine.run("usb-stick", "mount", "sda1") == 0
    assert machine.log[:2] == [
        f"mount -t {kind} -o ro,{options} /dev/sda1 /run/branchbox-usb/sda1",
        f"mount -o remount,rw,{options} /run/branchbox-usb/sda1",
    ]
    asked = len(machine.log)
    (machine.root / "run/branchbox-usb/sda1/branchbox-backup").rmdir() if kind == "ext4" else None
    assert machine.run("usb-stick", "unmount", "sda1") == 0
    assert machine.log[asked:] == ["umount --lazy /run/branchbox-usb/sda1"]
    assert not (machine.root / "run/branchbox-usb/sda1").exists()


@pytest.mark.parametrize("label", ["branchbox-backup", "photos"])
def test_where_files_have_owners_the_folder_is_the_services(machine: Machine, label: str) -> None:
    machine.command("blkid", f'case "$*" in *TYPE*) echo ext4 ;; *) echo {label} ;; esac')
    assert machine.run("usb-stick", "mount", "sda1") == 0
    ours = label == "branchbox-backup"
    assert "mount -o remount,rw" in machine.log[1] if ours else machine.log[1:] == []
    assert (machine.root / "run/branchbox-usb/sda1/branchbox-backup").is_dir() is ours
    chowned = ["chown branchbox:branchbox /run/branchbox-usb/sda1/branchbox-backup"]
    assert machine.log[2:] == (chowned if ours else [])


@pytest.mark.parametrize("writable", [True, False])
def test_a_stick_is_written_only_where_a_folder_says_so(machine: Machine, writable: bool) -> None:
    machine.command("blkid", 'case "$*" in *TYPE*) echo vfat ;; *) ;; esac')
    place = machine.root / "run/branchbox-usb/sda1"
    place.mkdir(parents=True)
    if writable:
        (place / "branchbox-backup").mkdir()
    else:
        (place / "branchbox-backup").symlink_to(machine.root)
    assert machine.run("usb-stick", "mount", "sda1") == 0
    assert any("remount,rw" in each for each in machine.log) is writable


def test_other_file_systems_are_left_alone(machine: Machine) -> None:
    machine.command("blkid", "echo crypto_LUKS")
    assert machine.run("usb-stick", "mount", "sda1") == 0
    assert machine.log == []
