"""Looks through a card as a power cut left it, without starting it: would it start, and is everything there that was acknowledged.

Each file system is read by tools of its own (mtools, e2fsprogs, SQLite), as UEFI, the box's fsck and its exchange would.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.store.database import check_copy
from appliance.system.update.state import read_state
from tests.image.boot_choice import BootPartition, first_choice, kept_choices
from tests.image.builder import PARTS
from tests.image.recording import FIRST_NUMBERS, SETTINGS_FILE, Change, Story
from tests.image.write_log import SECTOR

__all__ = ["Examination", "Promises", "copy_sparse"]

DISK_ID = "0xb0a4cb0c"
LAYOUT = ((2048, 524288), (526336, 524288), (1050624, 524288))
"Where the first three partitions are, and how long, in sectors. The fourth has the rest, or a beginning of it."
DATA_START = 1574912
ROOT_PARTITION = {"a": 2, "b": 3}
REPAIRED = 1
"e2fsck and fsck.vfat: errors were corrected, or there were none (0)."


class Positions(Protocol):
    """A log whose moments are told by its length (WriteLog)."""

    def position(self, length: int) -> int:
        """How many requests there were when it had so many octets."""


@dataclass(frozen=True, slots=True)
class Promises:
    """What the box has said up to some moment, and what it may have done beyond that."""

    set_up: bool
    "The first start was over: the settings file is applied and wiped."
    kept: bool
    "The update is kept."
    numbers: frozenset[str]
    "Extensions that must be there."
    perhaps: frozenset[str]
    "Extensions that may be there as well: asked for, but not acknowledged yet."
    names: frozenset[str]
    "One of these is the host name."

    @classmethod
    def at(cls, moment: int, story: Story, log: Positions) -> Promises:
        """Those of a moment, counted in requests of the log."""

        def is_past(length: int) -> bool:
            return bool(length) and log.position(length) <= moment

        def is_done(change: Change) -> bool:
            return change.acknowledged is not None and is_past(change.acknowledged)

        asked = [each for each in story.changes if is_past(each.asked)]
        names = [each for each in asked if each.key == "host_name"]
        done = [index for index, each in enumerate(names) if is_done(each)]
        first = done[-1] if done else None
        possible = {each.value for each in (names if first is None else names[first:])}
        return cls(
            set_up=is_past(story.answered),
            kept=is_past(story.kept),
            numbers=frozenset(each.value for each in asked if each.key == "extension" and is_done(each)),
            perhaps=frozenset(each.value for each in asked if each.key == "extension" and not is_done(each)),
            names=frozenset(possible if first is not None else possible | {"cut-0"}),
        )


class Examination:
    """Of one recording's cards."""

    def __init__(self, settings: str, folder: Path) -> None:
        """`folder` is for what is taken from the card; it holds one card's at a time."""
        self._settings = settings.encode()
        self._folder = folder
        self._whole = {name: _digest(PARTS / "slot" / name) for name in ("vmlinuz", "initrd.img")}
        self._whole_root = _digest(PARTS / "2")
        self._root_size = (PARTS / "2").stat().st_size

    def look(self, card: Path, promises: Promises) -> None:
        """AssertionError says what is wrong with a card. It is not written to."""
        _check_table(card)
        boot = self._check_boot(card, promises)
        data = self._data(card)
        state = read_state(data)
        assert state.trial is None or (state.trial.kind, state.trial.name) == ("image", "b"), state
        if promises.kept:
            assert state.last is not None, state
            assert state.last.outcome == "kept", state
        is_applied = self._check_settings(data, promises)
        self._check_settings_file(boot, promises, is_applied=is_applied)

    def _check_boot(self, card: Path, promises: Promises) -> BootPartition:
        """The partition as the box repairs it before it writes to it. What starts must be the same before and after."""
        image = self._folder / "boot"
        copy_sparse(card, image, LAYOUT[0][0] * SECTOR, LAYOUT[0][1] * SECTOR)
        boot = BootPartition(image)
        self._check_choices(card, boot, promises)
        repaired = subprocess.run(["fsck.vfat", "-a", image], capture_output=True, check=False)
        assert repaired.returncode <= REPAIRED, repaired.stdout.decode()
        again = subprocess.run(["fsck.vfat", "-n", image], capture_output=True, check=False)
        assert again.returncode == 0, f"repaired, and not right: {again.stdout.decode()}"
        self._check_choices(card, boot, promises)
        return boot

    def _check_choices(self, card: Path, boot: BootPartition, promises: Promises) -> None:
        kept = kept_choices(boot)
        for slot in sorted({*kept.values(), first_choice(boot)}):
            self._check_slot(card, boot, slot)
        if promises.kept:
            assert kept["systemd-boot"] == "b", "the update was kept, and is gone"

    def _check_slot(self, card: Path, boot: BootPartition, slot: str) -> None:
        for name, digest in self._whole.items():
            found = hashlib.sha256(boot.read(f"{slot}/{name}") or b"").hexdigest()
            assert found == digest, f"slot {slot} would be started, and its {name} is not whole"
        start = LAYOUT[ROOT_PARTITION[slot] - 1][0] * SECTOR
        assert _digest(card, start, self._root_size) == self._whole_root, (
            f"slot {slot} would be started, and its root is not whole"
        )

    def _data(self, card: Path) -> Path:
        """The data partition's files, once its file system is repaired as at the box's next start."""
        image, files = self._folder / "data", self._folder / "files"
        copy_sparse(card, image, DATA_START * SECTOR, card.stat().st_size - DATA_START * SECTOR)
        repaired = subprocess.run(["e2fsck", "-fp", image], capture_output=True, check=False)
        assert repaired.returncode <= REPAIRED, repaired.stdout.decode()
        files.mkdir(exist_ok=True)
        for old in files.iterdir():
            old.unlink()
        wanted = {
            "/releases/state.json": "state.json",
            "/branchbox/branchbox.db": "branchbox.db",
            "/branchbox/branchbox.db-wal": "branchbox.db-wal",
        }
        commands = "".join(f"dump {name} {files / own}\n" for name, own in wanted.items())
        subprocess.run(["debugfs", image], input=commands.encode(), capture_output=True, check=True)
        assert (files / "state.json").exists(), "what is remembered of updates is gone"
        return files

    def _check_settings(self, data: Path, promises: Promises) -> bool:
        """Whether the settings file's settings are in the database."""
        database = data / "branchbox.db"
        if not database.exists() or not database.stat().st_size:
            assert not promises.set_up, "there is no database"
            return False
        with closing(sqlite3.connect(database)) as opened:
            assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            if opened.execute("PRAGMA user_version").fetchone() == (0,):
                assert not promises.set_up, "the database is empty"
                return False
            numbers = {number for (number,) in opened.execute("SELECT number FROM extensions")}
            (system,) = opened.execute("SELECT value FROM settings WHERE area = 'system'").fetchone() or (
                "{}",
            )
            administrators = opened.execute("SELECT count(*) FROM administrators").fetchone() == (1,)
        check_copy(database)  # what the exchange does with one that it is to take over
        first, name = numbers.intersection(FIRST_NUMBERS), json.loads(system).get("host_name")
        assert not first or (first == set(FIRST_NUMBERS) and administrators), (
            "the settings file is applied in part"
        )
        assert first or not promises.set_up, "the settings file's settings are gone"
        if first:
            more = numbers - first
            assert promises.numbers <= more, f"acknowledged and gone: {sorted(promises.numbers - more)}"
            assert more <= promises.numbers | promises.perhaps, "what nobody has asked for"
            assert name in promises.names, f"the host name is {name}, and may be {sorted(promises.names)}"
        return bool(first)

    def _check_settings_file(self, boot: BootPartition, promises: Promises, *, is_applied: bool) -> None:
        content = boot.read(SETTINGS_FILE)
        if not is_applied:
            assert content == self._settings, f"not applied, and not there any more: {content!r:.200}"
        elif promises.set_up:
            assert content is None, "its secrets are still on the card"
        assert boot.read(f"{SETTINGS_FILE}.error.txt") is None


def copy_sparse(source: Path, goal: Path, start: int, length: int) -> None:
    """Copy a piece of a file that is mostly holes."""
    with source.open("rb") as old, goal.open("wb") as new:
        at, end = start, start + length
        while at < end:
            try:
                at = os.lseek(old.fileno(), at, os.SEEK_DATA)
            except OSError:
                break  # only a hole is left
            hole = min(os.lseek(old.fileno(), at, os.SEEK_HOLE), end)
            while at < hole:
                at += os.copy_file_range(old.fileno(), new.fileno(), hole - at, at, at - start)
        new.truncate(length)


def _check_table(card: Path) -> None:
    listed = subprocess.run(["sfdisk", "--json", card], capture_output=True, check=True)
    table = json.loads(listed.stdout)["partitiontable"]
    assert (table["label"], table["id"]) == ("dos", DISK_ID)
    places = tuple((each["start"], each["size"]) for each in table["partitions"])
    assert places[:3] == LAYOUT, places
    assert places[3][0] == DATA_START, places
    assert sum(places[3]) * SECTOR <= card.stat().st_size, places


def _digest(path: Path, start: int = 0, length: int | None = None) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(start)
        left = path.stat().st_size - start if length is None else length
        while left and (piece := file.read(min(left, 1 << 20))):
            digest.update(piece)
            left -= len(piece)
    return digest.hexdigest()
