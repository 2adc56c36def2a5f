"""A box's first start, settings being saved, and an update, with each of its card's writes in a log, and what the box promised when."""

from __future__ import annotations

import http.client
import subprocess
import time
import urllib.error
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from tests.image.box import Box
from tests.image.builder import Builder, partition_offset
from tests.image.conftest import new_box
from tests.image.machine import LoggedMachine

__all__ = ["PASSWORD", "Change", "Recording", "Story", "put_settings", "record"]

PASSWORD = "correct-horse-7"
SETTINGS_FILE = "branchbox.toml"
FIRST_NUMBERS = tuple(str(number) for number in range(201, 231))
"Extensions of the settings file."
UPDATE_SECONDS = 1800.0
HOST_NAME_EVERY = 5
NEW_VERSION = "0.2.2"


@dataclass(frozen=True, slots=True)
class Change:
    """One change that was asked for. Moments are the length of the log in octets; None: it was never acknowledged."""

    key: str
    "`extension` or `host_name`."
    value: str
    asked: int
    acknowledged: int | None


@dataclass(slots=True)
class Story:
    """What happened, by the length of the log."""

    settings: str = ""
    "The settings file on the boot partition."
    answered: int = 0
    "The first start: telephony and console answer."
    saved: int = 0
    "The last of the changes is acknowledged, and the update asked for."
    kept: int = 0
    "The box said that it keeps the update."
    ended: int = 0
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recording:
    """A folder with the card as it was before, the log, and the story."""

    folder: Path

    @property
    def base(self) -> Path:
        return self.folder / "base"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def told(self) -> Path:
        return self.folder / "story.json"

    def story(self) -> Story:
        return msgspec.json.decode(self.told.read_bytes(), type=Story)


def settings_text() -> str:
    """A settings file of some sectors, so that wiping it takes more than one."""
    extensions = "".join(
        f'[extensions.{number}]\npassword = "secret-of-{number}-{"x" * 40}"\nname = "First {number}"\n'
        for number in FIRST_NUMBERS
    )
    return f'[administrator]\npassword = "{PASSWORD}"\n\n[system]\nhost_name = "cut-0"\n\n{extensions}'


def put_settings(card: Path, folder: Path) -> None:
    """A settings file onto the boot partition, as a person does it on a laptop."""
    file = folder / SETTINGS_FILE
    file.write_text(settings_text())
    place = f"{card}@@{partition_offset(card, 1)}"
    subprocess.run(["mcopy", "-i", place, file, f"::{SETTINGS_FILE}"], check=True)


def record(folder: Path, *, changes: int, update: bool) -> Recording:
    """Live through it all, in one QEMU: ten minutes; without the update one or two."""
    recording = Recording(folder)
    builder = Builder(folder)

    def prepare(card: Path) -> None:
        builder.believe(card)
        put_settings(card, folder)

    board = partial(LoggedMachine, log=recording.log)
    with builder.serving(), new_box(prepare, board) as box:
        subprocess.run(["cp", "--sparse=always", box.card, recording.base], check=True)
        teller = _Teller(box, recording.log)
        teller.first_start()
        teller.save(changes)
        if update:
            teller.update(builder.image("better", NEW_VERSION))
        box.cut_power()
    teller.story.ended = recording.log.stat().st_size
    recording.told.write_bytes(msgspec.json.format(msgspec.json.encode(teller.story)))
    return recording


class _Teller:
    """Does it, and notes when."""

    def __init__(self, box: Box, log: Path) -> None:
        self.story = Story(settings=settings_text())
        self._box = box
        self._log = log
        self._number = 300
        self._names = 0

    def first_start(self) -> None:
        self._box.power_on()
        self.story.answered = self._now()
        self._box.console.log_in(PASSWORD)
        self._box.console.make_token("power cuts")

    def save(self, changes: int) -> None:
        """One change after another, as fast as the box acknowledges them."""
        for count in range(changes):
            self._change(is_name=count % HOST_NAME_EVERY == 0)
        self.story.saved = self._now()

    def update(self, address: str) -> None:
        """Settings are saved during it, too, whenever the box can."""
        self._box.console.api("POST", "update/install", source=address)
        give_up = time.monotonic() + UPDATE_SECONDS
        while not self._is_kept():
            assert time.monotonic() < give_up, self._box.machine.last_words()
            time.sleep(5)
            self._change(is_name=False)
        self.story.kept = self._now()
        for _ in range(5):
            self._change(is_name=False)

    def _is_kept(self) -> bool:
        try:
            state = self._box.console.api("GET", "update")
        except (OSError, http.client.HTTPException):
            return False
        assert state["last"] is None or (state["last"], state["outcome"]) == (NEW_VERSION, "kept"), state
        assert state["refused"] is None, state
        return state["last"] is not None

    def _change(self, *, is_name: bool) -> None:
        """Ask for one change. None but the update's restarts may leave it without an answer."""
        asked = self._now()
        try:
            if is_name:
                self._names += 1
                key, value = "host_name", f"cut-{self._names}"
                self._box.console.api("PATCH", "system", host_name=value)
            else:
                self._number += 1
                key, value = "extension", str(self._number)
                self._box.console.api(
                    "POST", "extensions", number=value, name=value, password="p" * 12 + value
                )
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException):
            assert self.story.saved, "the box went away before there was an update"
            self.story.changes.append(Change(key, value, asked, None))
        else:
            self.story.changes.append(Change(key, value, asked, self._now()))

    def _now(self) -> int:
        return self._log.stat().st_size
