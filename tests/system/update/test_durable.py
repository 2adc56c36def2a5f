"""What holds a file's space until its name is gone from the card, as FAT needs it. Requirements not tested: FAT (tests/image/test_power_cuts)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from appliance.system.update import durable
from appliance.system.update.site import PARTITIONS, Site

Steps = list[tuple[str, bool]]
"What was synced, and whether the file that goes was still held."


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Steps]:
    """From now on, for a file that goes."""

    def watch(going: Path) -> Steps:
        done: Steps = []
        inode, fsync = going.stat().st_ino, os.fsync

        def noted(descriptor: int) -> None:
            name = Path(f"/proc/self/fd/{descriptor}").readlink().name
            done.append((name, inode in set(open_inodes())))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", noted)
        return done

    return watch


def open_inodes() -> Iterator[int]:
    for link in Path("/proc/self/fd").iterdir():
        # One of them is this listing's own.
        with suppress(OSError):
            yield os.fstat(int(link.name)).st_ino


def test_what_a_rename_replaces_is_held_until_both_names_are_safe(
    tmp_path: Path, steps: Callable[[Path], Steps]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "kept").write_bytes(b"old")
    (folder / "kept.new").write_bytes(b"new")
    done = steps(folder / "kept")
    durable.move(folder / "kept.new", folder / "kept")
    # First that the other name is gone: never may two names have the same place.
    assert done == [("folder", True), ("kept", True)]
    assert (folder / "kept").read_bytes() == b"new"
    assert not (folder / "kept.new").exists()


def test_what_is_deleted_is_held_until_its_name_is_gone(
    tmp_path: Path, steps: Callable[[Path], Steps]
) -> None:
    (tmp_path / "gone").write_bytes(b"old")
    done = steps(tmp_path / "gone")
    durable.drop(tmp_path / "gone")
    assert done == [(tmp_path.name, True)]
    assert list(tmp_path.iterdir()) == []


def test_links_and_folders_have_nothing_to_hold(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    durable.point(tmp_path / "current", "release")
    durable.point(tmp_path / "current", "nowhere")
    durable.move(tmp_path / "release", tmp_path / "other")
    durable.drop(tmp_path / "current")
    durable.drop(tmp_path / "current")
    assert [each.name for each in tmp_path.iterdir()] == ["other"]


class RealSite(Site):
    """One that runs tools."""

    @property
    def is_real(self) -> bool:
        return True


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def make(**statuses: int) -> Path:
        for name, status in statuses.items():
            tool = folder / name.replace("_", ".")
            tool.write_text(f'#!/bin/sh\necho "{tool.name} $*" >>{tmp_path}/log\nexit {status}\n')
            tool.chmod(0o755)
        return tmp_path / "log"

    return make


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "sys/firmware/efi").mkdir(parents=True)
    return RealSite(tmp_path / "base", tmp_path / "releases", tmp_path)


@pytest.mark.parametrize("status", [0, 1], ids=["nothing to repair", "repaired"])
def test_the_boot_partition_is_repaired_before_it_is_written_to(
    site: Site, tools: Callable[..., Path], status: int
) -> None:
    log = tools(fsck_vfat=status, mount=0, umount=0)
    with site.card():
        done = [line.split() for line in log.read_text().splitlines()]
    assert [each[0] for each in done] == ["fsck.vfat", "mount"]
    assert done[0][1:] == ["-a", str(site.root / "dev/disk/by-partuuid" / PARTITIONS["boot"])]


def test_a_boot_partition_beyond_repair_is_not_written_to(site: Site, tools: Callable[..., Path]) -> None:
    log = tools(fsck_vfat=2, mount=0, umount=0)
    with pytest.raises(OSError, match="ended with 2"), site.card():
        pass
    assert "mount" not in log.read_text()


def test_an_image_without_the_tool_goes_without(
    site: Site, tools: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tools(mount=0, umount=0)
    monkeypatch.setenv("PATH", str(log.with_name("tools")))
    with site.card():
        pass
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["mount", "umount"]
