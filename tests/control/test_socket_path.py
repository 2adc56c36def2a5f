"""Long socket paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.control.socket_path import SUN_PATH_OCTETS, reachable


def test_a_short_path_is_itself() -> None:
    with reachable(Path("/run/control.sock")) as path:
        assert path == Path("/run/control.sock")


def test_a_long_path_is_the_same_file_by_a_short_name(tmp_path: Path) -> None:
    folder = tmp_path / ("电" * 60)
    folder.mkdir()
    (folder / "control.sock").write_text("here")
    with reachable(folder / "control.sock") as path:
        assert len(os.fsencode(path)) <= SUN_PATH_OCTETS
        assert path.read_text() == "here"
    assert not path.exists(), "the descriptor is closed"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), reachable(tmp_path / ("x" * 120) / "control.sock"):
        pass  # never reached
