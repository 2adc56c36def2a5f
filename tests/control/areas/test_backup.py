"""Area `backup`: out and in again, and files that are none."""

from __future__ import annotations

import io
import sqlite3
import stat
import tarfile
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.media.tone import sine
from appliance.media.wav import write_wav
from appliance.store.migrations import MIGRATIONS
from tests.control.fakes import Bench


async def restored(bench: Bench, file: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        await bench("backup", "restore", file=str(file))
    assert not list(bench.store.folder.glob(".scratch-*"))
    return refused.value.key


async def test_what_was_saved_comes_back(bench: Bench, tmp_path: Path) -> None:
    certs = bench.store.folder / "certs"
    certs.mkdir()
    (certs / "server.pem").write_text("first")
    await bench("extensions", "add", number="101", password="pw101")
    saved = await bench("backup", "save", file=str(tmp_path / "b.tar.gz"))
    assert saved["octets"] == (tmp_path / "b.tar.gz").stat().st_size
    assert stat.S_IMODE((tmp_path / "b.tar.gz").stat().st_mode) == 0o600

    (certs / "server.pem").write_text("second")
    await bench("extensions", "remove", "101")
    await bench("extensions", "add", number="102", password="pw102")
    heard: list[list[str]] = []
    bench.config.on_change(lambda now: list(now.extensions), heard.append)
    assert await bench("backup", "restore", file=str(tmp_path / "b.tar.gz")) == {"restart_needed": True}
    assert heard == [["102"], ["101"]], "in force at once"
    assert (certs / "server.pem").read_text() == "first"
    assert [each["number"] for each in await bench("extensions", "list")] == ["101"]
    await bench("extensions", "add", number="103", password="pw103")
    assert not list(bench.store.folder.glob(".scratch-*"))


async def test_music_comes_back_too(bench: Bench, tmp_path: Path) -> None:
    with (tmp_path / "own.wav").open("wb") as file:
        write_wav(file, sine(440, 8000, peak=3000).tobytes())
    await bench("music", "set", file=str(tmp_path / "own.wav"))
    name = bench.config.current.music.file
    music = (bench.store.folder / "prompts" / name).read_bytes()
    await bench("backup", "save", file=str(tmp_path / "b"))
    await bench("music", "remove")
    await bench("backup", "restore", file=str(tmp_path / "b"))
    assert bench.config.current.music.file == name
    assert (bench.store.folder / "prompts" / name).read_bytes() == music


async def test_with_the_same_certificates_no_restart_is_needed(bench: Bench, tmp_path: Path) -> None:
    (bench.store.folder / "certs").mkdir()
    (bench.store.folder / "certs" / "server.pem").write_text("the same")
    await bench("backup", "save", file=str(tmp_path / "b"))
    assert await bench("backup", "restore", file=str(tmp_path / "b")) == {"restart_needed": False}


async def test_a_backup_that_one_part_cannot_apply_is_taken_back(bench: Bench, tmp_path: Path) -> None:
    await bench("extensions", "add", number="101", password="pw101")
    await bench("backup", "save", file=str(tmp_path / "b"))
    await bench("extensions", "remove", "101")

    def fails(numbers: list[str]) -> None:
        if "101" in numbers:
            raise ConfigError("extensions", "error.busy")

    bench.config.on_change(lambda now: list(now.extensions), fails)
    assert await restored(bench, tmp_path / "b") == "error.busy"
    assert await bench("extensions", "list") == []
    await bench("extensions", "add", number="102", password="pw102")


async def test_a_path_must_be_whole_and_usable(bench: Bench, tmp_path: Path) -> None:
    for verb in ("save", "restore"):
        with pytest.raises(ConfigError) as refused:
            await bench("backup", verb, file="b.tar.gz")
        assert refused.value.key == "error.not_absolute"
    with pytest.raises(ConfigError) as refused:
        await bench("backup", "save", file=str(tmp_path / "none" / "b"))
    assert refused.value.key == "error.cannot_write"
    assert await restored(bench, tmp_path / "none") == "error.cannot_read"


def packed(file: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file


async def test_what_is_no_backup(bench: Bench, tmp_path: Path) -> None:
    await bench("extensions", "add", number="101", password="pw101")
    await bench("backup", "save", file=str(tmp_path / "good"))
    good = (tmp_path / "good").read_bytes()
    (tmp_path / "half").write_bytes(good[: len(good) // 2])
    (tmp_path / "text").write_text("not a backup")
    (tmp_path / "empty").write_bytes(b"")
    files = [
        tmp_path / "half",
        tmp_path / "text",
        tmp_path / "empty",
        packed(tmp_path / "other", ("readme", b"hello")),
        packed(tmp_path / "nothing"),
        packed(tmp_path / "outside", ("../branchbox.db", b"x")),
        packed(tmp_path / "up", ("certs/..", b"x")),
        packed(tmp_path / "rooted", ("/etc/shadow", b"x")),
    ]
    for file in files:
        assert await restored(bench, file) == "error.not_a_backup", file
    damaged = packed(tmp_path / "damaged", ("branchbox.db", b"garbage" * 1000))
    assert await restored(bench, damaged) == "error.database_damaged"
    assert [each["number"] for each in await bench("extensions", "list")] == ["101"]


async def test_a_link_in_it_is_refused(bench: Bench, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "link", "w:gz") as tar:
        member = tarfile.TarInfo("branchbox.db")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/shadow"
        tar.addfile(member)
    assert await restored(bench, tmp_path / "link") == "error.not_a_backup"


async def test_a_backup_of_a_newer_version_is_refused(bench: Bench, tmp_path: Path) -> None:
    await bench.store.database.copy_to(tmp_path / "copy.db")
    copy = sqlite3.connect(tmp_path / "copy.db")
    copy.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    copy.close()
    newer = packed(tmp_path / "newer", ("branchbox.db", (tmp_path / "copy.db").read_bytes()))
    assert await restored(bench, newer) == "error.database_newer"


async def test_a_backup_never_lands_among_what_it_saves(bench: Bench) -> None:
    database = bench.store.folder / "branchbox.db"
    before = database.read_bytes()
    (bench.store.folder / "certs").mkdir()
    for file in (database, bench.store.folder / "certs" / "key.pem", bench.store.folder / ".." / "var" / "b"):
        with pytest.raises(ConfigError) as refused:
            await bench("backup", "save", file=str(file))
        assert refused.value.key == "error.in_data_folder"
    assert database.read_bytes() == before


async def test_a_backup_that_was_cut_off_does_not_stop_the_next(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "b.part").write_text("half")
    assert (await bench("backup", "save", file=str(tmp_path / "b")))["octets"] > 0
    with pytest.raises(ConfigError):
        await bench("backup", "save", file=str(tmp_path))
    left = sorted(each.name for each in tmp_path.iterdir())  # noqa: ASYNC240  # a test may block
    assert left == ["b", "b.part", "var"]
