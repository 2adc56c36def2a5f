"""Files that are whole or not there, and reading what somebody else may have prepared."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from appliance.system.files import READ_LIMIT, read_bounded, write_atomically


def test_written_whole_with_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_atomically(tmp_path / "file", b"one", 0o644)
        write_atomically(tmp_path / "file", b"two", 0o644)
    finally:
        os.umask(before)
    assert read_bounded(tmp_path / "file") == b"two"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_failure_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(tmp_path / "file", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "file", b"new")
    assert read_bounded(tmp_path / "file") == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_links_pipes_and_large_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * (READ_LIMIT + 1))
    for name in ("link", "pipe", "large", "nothing"):
        with pytest.raises(OSError, match=r".+"):
            read_bounded(tmp_path / name)
