"""The data folder and its lock."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.store.folder import FolderLock, scratch

HOLDER = """
import pathlib, sys
from appliance.store.folder import FolderLock
lock = FolderLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    with FolderLock(tmp_path / "a" / "b"):
        assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "a" / "b" / "lock").stat().st_mode) == 0o600


def test_a_second_start_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER,
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError) as refused:
            FolderLock(tmp_path)
        assert refused.value.key == "error.folder_in_use"
        assert refused.value.params == {"folder": str(tmp_path), "process": str(holder.pid)}
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
    # The kernel lets go of what a dead process held.
    FolderLock(tmp_path).release()


def test_released_it_can_be_taken_again(tmp_path: Path) -> None:
    FolderLock(tmp_path).release()
    lock = FolderLock(tmp_path)
    assert (tmp_path / "lock").exists()
    lock.release()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder")
    with pytest.raises(ConfigError) as refused:
        FolderLock(tmp_path / "var")
    assert refused.value.key == "error.folder_unusable"


def test_scratch_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch(tmp_path) as place:
        assert place.parent == tmp_path
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        (place / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_tidied_up(tmp_path: Path) -> None:
    (tmp_path / ".scratch-old").mkdir()
    (tmp_path / ".scratch-old" / "branchbox.db").write_text("x")
    with FolderLock(tmp_path):
        assert [each.name for each in tmp_path.iterdir()] == ["lock"]
