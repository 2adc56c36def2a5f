"""What is seen on a stick, and what of it is believed: nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from appliance.backup import on_stick
from appliance.backup.on_stick import copy_bundle, listed
from appliance.errors import ConfigError

Places = Callable[[], Iterable[Path]]


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    place = tmp_path / "sda1"
    (place / "branchbox-backup").mkdir(parents=True)
    return place


@pytest.fixture
def places(stick: Path) -> Places:
    return lambda: [stick]


def names(places: Places) -> list[tuple[str, str]]:
    return [(each.file.name, each.kind) for each in listed(places)]


def test_updates_and_backups_the_newest_first(stick: Path, places: Places) -> None:
    for age, name in enumerate(
        ("a.bundle", "branchbox-backup/b.sealed", "branchbox-backup/c.tar.gz", "d.txt")
    ):
        (stick / name).write_bytes(b"x" * age)
        os.utime(stick / name, (1e9 - age, 1e9 - age))
    assert names(places) == [("a.bundle", "update"), ("b.sealed", "backup"), ("c.tar.gz", "backup")]
    assert [each.octets for each in listed(places)] == [0, 1, 2]


def test_links_pipes_folders_and_names_that_steer_a_terminal_are_not_seen(
    stick: Path, places: Places, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"of the box")
    (stick / "link.bundle").symlink_to(secret)
    (stick / "folder.bundle").mkdir()
    os.mkfifo(stick / "pipe.bundle")
    (stick / "\x1b[2J.bundle").write_bytes(b"")
    Path(os.fsdecode(bytes(stick) + b"/\xff.bundle")).write_bytes(b"")
    assert names(places) == []
    (stick / "branchbox-backup").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x.sealed").write_bytes(b"")
    (stick / "branchbox-backup").symlink_to(tmp_path / "elsewhere")
    assert names(places) == []


def test_a_stick_that_is_gone(tmp_path: Path) -> None:
    assert listed(lambda: [tmp_path / "gone"]) == []


def test_a_stick_full_of_files_is_not_all_looked_at(
    stick: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        (stick / f"{number}.bundle").write_bytes(b"")
    assert len(listed(places)) == on_stick.MOST_SHOWN
    (stick / "branchbox-backup").rmdir()
    monkeypatch.setattr(on_stick, "MOST_LOOKED_AT", 7)
    assert len(listed(places)) == 7


def test_a_bundle_is_copied_whole(stick: Path, places: Places, tmp_path: Path) -> None:
    (stick / "a.bundle").write_bytes(b"update" * 300_000)
    copy_bundle(stick / "a.bundle", tmp_path / "copy", places)
    assert (tmp_path / "copy").read_bytes() == b"update" * 300_000


def test_only_what_was_listed_is_copied(stick: Path, places: Places, tmp_path: Path) -> None:
    (tmp_path / "other.bundle").write_bytes(b"")
    (stick / "b.sealed").write_bytes(b"")
    for file in (tmp_path / "other.bundle", stick / "b.sealed", stick / "none.bundle"):
        with pytest.raises(ConfigError) as refused:
            copy_bundle(file, tmp_path / "copy", places)
        assert refused.value.key == "error.not_found"
    assert not (tmp_path / "copy").exists()


def test_a_bundle_that_is_too_large_leaves_nothing(
    stick: Path, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_stick, "BUNDLE_LIMIT", 9)
    (stick / "a.bundle").write_bytes(b"x" * 10)
    with pytest.raises(ConfigError) as refused:
        copy_bundle(stick / "a.bundle", tmp_path / "copy", places)
    assert refused.value.key == "update.no_room_here"
    assert not (tmp_path / "copy").exists()


def test_a_link_put_in_its_place_after_the_look_is_not_followed(
    stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stick / "a.bundle").write_bytes(b"")
    seen = listed(lambda: [stick])
    (stick / "a.bundle").unlink()
    (tmp_path / "secret").write_bytes(b"of the box")
    (stick / "a.bundle").symlink_to(tmp_path / "secret")
    monkeypatch.setattr(on_stick, "listed", lambda _places: seen)
    with pytest.raises(OSError, match="symbolic"):
        copy_bundle(stick / "a.bundle", tmp_path / "copy")
