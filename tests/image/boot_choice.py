"""Which slot a card's boot partition has started: what systemd-boot and U-Boot would make of it, without either.

Boot Loader Specification (entries, boot counting), systemd-boot(7); image/u-boot/boot.cmd.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Protocol

__all__ = ["BootPartition", "Files", "first_choice", "kept_choices"]

COUNTED = re.compile(r"\+(\d+)(?:-\d+)?\.conf$")
ENTRY_SLOT = re.compile(r"^linux /([ab])/vmlinuz$", re.MULTILINE)
ENVIRONMENT_SLOT = re.compile(r"^slot=([ab])$", re.MULTILINE)
ROOTS = {"a": "PARTUUID=b0a4cb0c-02", "b": "PARTUUID=b0a4cb0c-03"}


class Files(Protocol):
    """Files in folders."""

    def read(self, name: str) -> bytes | None:
        """A file's content; None when there is none, or none that can be read."""

    def names(self, folder: str) -> list[str]:
        """The files in a folder."""


class BootPartition(Files):
    """A FAT that nobody has mounted, in a file of its own, read by mtools."""

    def __init__(self, image: Path) -> None:
        self._image = image

    def read(self, name: str) -> bytes | None:
        done = self._run("mtype", f"::{name}")
        return done.stdout if done.returncode == 0 else None

    def names(self, folder: str) -> list[str]:
        done = self._run("mdir", "-b", f"::{folder}")
        assert done.returncode == 0, done.stderr
        return [
            line.rsplit("/", 1)[-1] for line in done.stdout.decode().splitlines() if not line.endswith("/")
        ]

    def _run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
        return subprocess.run(
            [tool, "-i", self._image, *arguments], capture_output=True, check=False, env=environment
        )


def kept_choices(boot: Files) -> dict[str, str]:
    """The slot that each loader starts when nothing is tried. AssertionError when one would find none."""
    kept = _entry(boot, "kept.conf")
    # U-Boot takes the second when it cannot read the first.
    environments = [_environment(boot, name) for name in ("kept.env", "kept.env.new")]
    slots = [slot for slot in environments if slot is not None]
    assert kept is not None, "systemd-boot finds no slot to start"
    assert slots, "U-Boot finds no slot to start"
    return {"systemd-boot": kept[1], "u-boot": slots[0]}


def first_choice(boot: Files) -> str:
    """The slot that systemd-boot starts now: by the entries' keys, those that have no try left last."""
    choices = []
    for name in boot.names("loader/entries"):
        if not name.endswith(".conf"):
            continue
        entry = _entry(boot, name)
        if entry is None:
            # systemd-boot passes over what names no kernel; the half of an entry it would start.
            assert b"linux" not in (boot.read(f"loader/entries/{name}") or b""), f"half an entry: {name}"
            continue
        counted = COUNTED.search(name)
        choices.append((counted is not None and counted[1] == "0", entry))
    assert choices, "systemd-boot finds no slot to start"
    return min(choices)[1][1]


def _entry(boot: Files, name: str) -> tuple[str, str] | None:
    """Sort key and slot."""
    text = (boot.read(f"loader/entries/{name}") or b"").decode(errors="replace")
    key, slot = re.search(r"^sort-key (\S+)$", text, re.MULTILINE), ENTRY_SLOT.search(text)
    if key is None or slot is None or f"root={ROOTS[slot[1]]} branchbox.slot={slot[1]} " not in text:
        return None
    return (key[1], slot[1]) if text.endswith("\n") else None


def _environment(boot: Files, name: str) -> str | None:
    text = (boot.read(f"u-boot/{name}") or b"").decode(errors="replace")
    slot = ENVIRONMENT_SLOT.search(text)
    is_whole = text.endswith("whole=yes\n")
    return slot[1] if slot is not None and is_whole and f"root={ROOTS[slot[1]]} " in text else None
