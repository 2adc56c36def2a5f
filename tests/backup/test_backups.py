"""Backups out and in: with sounds and certificates, sealed, of every older form, and cut off at every step."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.backup import archive, backups, restoring
from appliance.backup.contents import Contents
from appliance.errors import ConfigError
from appliance.store import database
from appliance.store.migrations import APPLICATION_ID, MIGRATIONS
from appliance.store.store import Store
from appliance.system.certificates import ensure_certificate
from tests.control.fakes import Bench

PASSPHRASE = "correct horse battery"


def fill(folder: Path) -> dict[str, bytes]:
    """Files of every kind, in their places."""
    ensure_certificate(folder / "certs", "box", ["192.0.2.1"], datetime(2026, 1, 1, tzinfo=UTC))
    ensure_certificate(folder / "certs" / "office", "office", [], datetime(2026, 1, 1, tzinfo=UTC))
    files = {
        "prompts/hold-0123456789abcdef.wav": b"music",
        "voicemail/101/inbox/1.wav": b"message",
        "recordings/2026/call.wav": b"recording" * 1000,
        "voicemail/101/inbox/.2.wav.part": b"half",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    kept = [*files][:3]
    names = [*kept, "certs/cert.pem", "certs/key.pem", "certs/office/cert.pem", "certs/office/key.pem"]
    return {name: (folder / name).read_bytes() for name in names}


async def refused(bench: Bench, verb: str, **values: Any) -> str:
    with pytest.raises(ConfigError) as refusal:
        await bench("backup", verb, **values)
    assert PASSPHRASE not in str(refusal.value) + repr(refusal.value.params)
    return refusal.value.key


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE])
async def test_everything_comes_back_on_another_box(bench: Bench, tmp_path: Path, passphrase: str) -> None:
    files = fill(bench.store.folder)
    await bench("extensions", "add", number="101", password="pw101")
    await bench("do-not-disturb", "set", "101", enabled=True)
    file = tmp_path / "b"
    saved = await bench("backup", "save", file=str(file), passphrase=passphrase, recordings=True)
    assert saved["sealed"] is bool(passphrase)
    assert saved["unreadable"] == []
    holds = {"extensions": 1, "do-not-disturb": 1, "records": 0, "administrators": 0}
    assert saved["holds"] == holds | {"certs": 4, "prompts": 1, "voicemail": 1, "recordings": 1}
    assert (b"pw101" in file.read_bytes()) is False
    other = await Bench.open(tmp_path / "other")
    try:
        await other("extensions", "add", number="999", password="pw999")
        looked = await other("backup", "look", file=str(file), passphrase=passphrase)
        assert looked["holds"] == saved["holds"]
        assert (looked["host_name"], looked["sealed"]) == ("branchbox", bool(passphrase))
        assert {"area": "extensions", "added": 1, "removed": 1, "changed": 0} in looked["changes"]
        assert {"area": "do-not-disturb", "added": 1, "removed": 0, "changed": 0} in looked["changes"]
        assert [each["number"] for each in await other("extensions", "list")] == ["999"]
        assert await other("backup", "restore", token=looked["token"]) == {"restart_needed": True}
        assert [each["number"] for each in await other("extensions", "list")] == ["101"]
        for name, content in files.items():
            assert (other.store.folder / name).read_bytes() == content, name
        assert await refused(other, "restore", token=looked["token"]) == "error.not_staged"
        assert left_over(other.store.folder) == []
    finally:
        await other.store.close()


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def left_over(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name.startswith(".")]


async def test_sounds_are_left_out_where_that_is_wanted(bench: Bench, tmp_path: Path) -> None:
    fill(bench.store.folder)
    saved = await bench("backup", "save", file=str(tmp_path / "b"), voicemail=False)
    assert "voicemail" not in saved["holds"]
    with tarfile.open(tmp_path / "b") as tar:
        tops = {each.split("/")[0] for each in tar.getnames()}
    assert tops == {"backup.json", "branchbox.db", "certs", "prompts"}


async def test_a_passphrase_that_is_wrong_missing_or_too_short(bench: Bench, tmp_path: Path) -> None:
    file = str(tmp_path / "b")
    assert await refused(bench, "save", file=file, passphrase="short") == "error.passphrase_length"
    assert not (tmp_path / "b").exists()
    await bench("backup", "save", file=file, passphrase=PASSPHRASE)
    for verb in ("look", "restore"):
        assert await refused(bench, verb, file=file) == "error.passphrase_needed"
        assert await refused(bench, verb, file=file, passphrase="another one") == "error.wrong_passphrase"
    octets = (tmp_path / "b").read_bytes()
    (tmp_path / "cut").write_bytes(octets[:-1])
    cut = str(tmp_path / "cut")
    assert await refused(bench, "restore", file=cut, passphrase=PASSPHRASE) == "error.backup_damaged"
    assert left_over(bench.store.folder) == []


async def test_no_passphrase_is_in_the_log(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await bench("backup", "save", file=str(tmp_path / "b"), passphrase=PASSPHRASE)
    await bench("backup", "restore", file=str(tmp_path / "b"), passphrase=PASSPHRASE)
    assert caplog.records
    assert PASSPHRASE not in caplog.text


def outcome(octets: bytes, tmp_path: Path) -> dict[str, bytes] | None:
    """What comes out of a file: everything, or a refusal."""
    file, place = tmp_path / "damaged", tmp_path / "place"
    file.write_bytes(octets)
    place.mkdir()
    try:
        return archive.unpack(file, place).digests
    except ConfigError:
        return None
    finally:
        shutil.rmtree(place)


async def test_damage_to_any_octet_of_a_plain_backup_is_seen_or_harmless(
    bench: Bench, tmp_path: Path
) -> None:
    await bench("backup", "save", file=str(tmp_path / "b"))
    octets = (tmp_path / "b").read_bytes()
    whole = outcome(octets, tmp_path)
    refusals = 0
    for at in range(0, len(octets), 13):
        came = outcome(octets[:at] + bytes((octets[at] ^ 0x20,)) + octets[at + 1 :], tmp_path)
        # In gzip's header are a time and a system, and in its blocks some bits, that nobody reads.
        assert came in (None, whole), at
        refusals += came is None
    assert refusals > len(octets) // 13 - 10
    for length in (*range(0, len(octets), 101), len(octets) - 1):
        assert outcome(octets[:length], tmp_path) is None, length


async def test_a_card_that_writes_something_else_is_found_out(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read back is not what was written: the file must not be called good, nor be there."""
    (bench.store.folder / "voicemail").mkdir()
    (bench.store.folder / "voicemail" / "1.wav").write_bytes(b"message")
    written = archive.write

    def forgets(raw: Any, contents: Any, database: Path, files: Any, passphrase: str = "") -> Any:
        written(raw, contents, database, files[:-1], passphrase)
        return written(io.BytesIO(), contents, database, files, passphrase)

    monkeypatch.setattr(archive, "write", forgets)
    assert await refused(bench, "save", file=str(tmp_path / "b")) == "error.backup_damaged"

    def flips(raw: Any, *rest: Any) -> Any:
        digests = written(raw, *rest)
        raw.seek(200)
        raw.write(b"\0\0\0\0")
        return digests

    monkeypatch.setattr(archive, "write", flips)
    for passphrase in ("", PASSPHRASE):
        with pytest.raises(ConfigError):
            await bench("backup", "save", file=str(tmp_path / "b"), passphrase=passphrase)
    assert names_in(tmp_path) == ["var"]
    assert left_over(bench.store.folder) == []


async def test_a_certificate_that_is_none_is_told(bench: Bench, tmp_path: Path) -> None:
    fill(bench.store.folder)
    (bench.store.folder / "certs" / "office" / "key.pem").write_text("no key")
    saved = await bench("backup", "save", file=str(tmp_path / "b"))
    assert saved["unreadable"] == ["certs/office/key.pem"]


async def test_what_was_looked_at_is_forgotten_in_time(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench("backup", "save", file=str(tmp_path / "b"))
    first = await bench("backup", "look", file=str(tmp_path / "b"))
    second = await bench("backup", "look", file=str(tmp_path / "b"))
    assert await refused(bench, "restore", token=first["token"]) == "error.not_staged"
    assert len(left_over(bench.store.folder)) == 1
    monkeypatch.setattr(backups, "STAGED_FOR", -1.0)
    await bench("backup", "look", file=str(tmp_path / "b"))
    await bench.parts.backups.expire()
    assert left_over(bench.store.folder) == []
    third = await bench("backup", "look", file=str(tmp_path / "b"))
    assert await refused(bench, "restore", token=second["token"]) == "error.not_staged"
    assert await refused(bench, "restore", token=third["token"]) == "error.not_staged"
    assert left_over(bench.store.folder) == []


def made_by_version(number: int, path: Path) -> None:
    """A database as the version with so many migrations left it."""
    db = sqlite3.connect(path, isolation_level=None)
    for statements in MIGRATIONS[:number]:
        for statement in statements:
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {number}")
    db.execute(
        "INSERT INTO extensions (number, name, ha1_md5, ha1_sha256, enabled, ring_seconds)"
        " VALUES ('101', 'Desk', 'a', 'b', 1, 25)"
    )
    db.execute(
        "INSERT INTO records (id, started_at, ended_at, from_number, from_name, to_number, duration, status,"
        " cause, ended_by) VALUES ('r1', 1.0, 2.0, '101', '', '102', 0.5, 200, 'normal', 'caller')"
    )
    db.execute("""INSERT INTO settings (area, value) VALUES ('system', '{"host_name": "old-box"}')""")
    db.execute("INSERT INTO settings (area, value) VALUES ('revision', '7')")
    db.close()


def as_first_version(file: Path, database: Path) -> None:
    """As backups were before there was a manifest."""
    with tarfile.open(file, "w:gz") as tar:
        tar.add(database, "branchbox.db")


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
async def test_a_backup_of_each_older_form_is_restored(bench: Bench, tmp_path: Path, number: int) -> None:
    made_by_version(number, tmp_path / "old.db")
    as_first_version(tmp_path / "b", tmp_path / "old.db")
    await bench("backup", "restore", file=str(tmp_path / "b"))
    shown = await bench("extensions", "show", "101")
    assert (shown["name"], shown["ring_seconds"], shown["level"]) == ("Desk", 25, 0)
    assert [each["id"] for each in await bench("records", "list")] == ["r1"]
    assert (await bench("system", "show"))["host_name"] == "old-box"
    await bench("extensions", "add", number="102", password="pw102")
    assert (await bench("backup", "save", file=str(tmp_path / "new")))["holds"]["extensions"] == 2


async def test_newer_ones_are_refused_with_the_reason(bench: Bench, tmp_path: Path) -> None:
    made_by_version(len(MIGRATIONS), tmp_path / "new.db")
    db = sqlite3.connect(tmp_path / "new.db")
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    as_first_version(tmp_path / "b", tmp_path / "new.db")
    assert await refused(bench, "restore", file=str(tmp_path / "b")) == "error.database_newer"
    with tarfile.open(tmp_path / "c", "w:gz") as tar:
        for name, content in (("backup.json", b'{"form": 2, "holds": "others"}'), ("unheard/of", b"x")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert await refused(bench, "look", file=str(tmp_path / "c")) == "error.backup_newer"
    assert await bench("extensions", "list") == []


class PowerCutError(Exception):
    """Nothing after it happens, not even what tidies up."""


STEPS = ("set_out", "put_prompts", "commit", "put_files", "discard")


def cut_at(monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    """The power goes before a step, after it, or after the first file it has moved."""
    done = getattr(restoring, step)

    def cut(*arguments: Any) -> Any:
        if when == "after":
            done(*arguments)
        dead()

    def dead(*_: Any) -> Any:
        # What a process without power does to the disk: nothing.
        for name in STEPS:
            monkeypatch.setattr(restoring, name, never)
        monkeypatch.setattr(database.Database, "replace_from", never)
        monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
        raise PowerCutError

    def never(*_: Any) -> Any:
        raise PowerCutError

    monkeypatch.setattr(restoring, step, cut)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_power_cut_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    bench = await Bench.open(tmp_path / "var")
    folder = bench.store.folder
    new = fill(folder)
    await bench("extensions", "add", number="101", password="pw101")
    await bench("backup", "save", file=str(tmp_path / "b"))
    shutil.rmtree(folder / "certs")
    old = fill(folder)
    await bench("extensions", "remove", "101")
    await bench("extensions", "add", number="102", password="pw102")
    with monkeypatch.context() as patched:
        cut_at(patched, step, when)
        with pytest.raises(PowerCutError):
            await bench("backup", "restore", file=str(tmp_path / "b"))
    await bench.store.close()

    store = await Store.open(folder)
    try:
        await restoring.recover(store)
        await restoring.recover(store)
        numbers = [
            number
            for (number,) in await store.run(
                lambda db: db.execute("SELECT number FROM extensions").fetchall()
            )
        ]
        is_new = step in ("put_files", "discard") or (step, when) == ("commit", "after")
        assert numbers == (["101"] if is_new else ["102"])
        wanted = new if is_new else old
        assert all(
            (folder / name).read_bytes() == wanted[name] for name in wanted if name.startswith("certs")
        )
        assert left_over(folder) == []
    finally:
        await store.close()


def test_files_of_a_restore_are_put_again_from_any_prefix(tmp_path: Path) -> None:
    """The power goes after each single file: putting the rest is the same as putting all."""
    files = fill(tmp_path / "source")
    for moved in range(len(files) + 1):
        folder = tmp_path / f"box{moved}"
        pending = folder / restoring.PENDING
        for name, content in files.items():
            (pending / name).parent.mkdir(parents=True, exist_ok=True)
            (pending / name).write_bytes(content)
        for name in [*files][:moved]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (pending / name).replace(folder / name)
        restoring.put_files(pending, folder)
        assert {name: (folder / name).read_bytes() for name in files} == files


def test_a_file_that_goes_away_or_grows_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    files = archive.files_in(tmp_path, archive.FOLDERS)
    (tmp_path / "voicemail/101/inbox/1.wav").unlink()
    made_by_version(1, tmp_path / "branchbox.db")
    raw = io.BytesIO()
    digests = archive.write(raw, Contents(), tmp_path / "branchbox.db", files)
    assert "voicemail/101/inbox/1.wav" not in digests
    (tmp_path / "b").write_bytes(raw.getvalue())
    (tmp_path / "out").mkdir()
    assert archive.unpack(tmp_path / "b", tmp_path / "out").digests == digests


async def test_a_full_stick_leaves_nothing_behind(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert await refused(bench, "save", file=str(tmp_path / "b")) == "error.cannot_write"
    assert names_in(tmp_path) == ["var"]


def test_links_are_no_part_of_a_backup(tmp_path: Path) -> None:
    (tmp_path / "voicemail").mkdir()
    (tmp_path / "voicemail" / "passwd").symlink_to("/etc/passwd")
    assert archive.files_in(tmp_path, archive.FOLDERS) == []
