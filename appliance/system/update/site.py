"""Where this box keeps its programs and slots, and what an update must fit. Found out anew by each command."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from appliance.system.update import durable
from appliance.system.update.acceptance import IMAGE_TARGET, Place
from appliance.system.update.card import SLOTS, TRIAL_MARK, Card, Loader, Slot, other
from appliance.system.update.keys import KeyRing, read_keys
from appliance.system.update.releases import Releases, read_base

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.system.update.manifest import Kind
    from appliance.system.update.state import State

__all__ = ["KEPT_MARK", "Site"]

DISK_ID = "b0a4cb0c"
"Of every card (image/card.sh): its partitions are found by it wherever the card is."
PARTITIONS: dict[str, str] = {"boot": f"{DISK_ID}-01", "a": f"{DISK_ID}-02", "b": f"{DISK_ID}-03"}
MOUNT_POINT = "run/branchbox/boot"
KEPT_MARK = "run/branchbox/kept"
"Gone with the next start. What ends a slot's trial looks for nothing else (systemd/branchbox-trial.service)."
U_BOOT_MARK = "branchbox.loader=u-boot"
"On the command line that U-Boot gives the kernel (image/slot/u-boot.env)."
SPARE_OCTETS = 32 * 1024 * 1024
"Left free where releases lie: calls are recorded on the same partition."
BOOT_SPARE_OCTETS = 1024 * 1024
TOOL_SECONDS = 60.0
_SLOT = re.compile(r"(?:^|\s)branchbox\.slot=([ab])(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Site:
    """The box. With another root than `/` it is a folder that a test made."""

    base: Path
    "The folder of the program that is always there."
    releases: Path
    "The folder of releases over it, and of what is remembered."
    root: Path = Path("/")

    @property
    def is_real(self) -> bool:
        """Whether tools of the system may be run."""
        return self.root == Path("/")

    def programs(self) -> Releases:
        """The program's slots. ConfigError where there is no base: in a checkout, on another system."""
        version = read_base(self.base)
        if version is None:
            raise ConfigError("update", "update.not_installed")
        return Releases(self.releases, version)

    def ring(self, state: State) -> KeyRing:
        """Whom this box believes. ConfigError."""
        files = (self.base / "update-keys.json", self.root / "etc/branchbox/update-keys.json")
        return KeyRing([*state.keys, *(key for file in files for key in read_keys(file))], state.revoked)

    def booted(self) -> Slot | None:
        """The card's slot that runs; None on a host that is no card of ours."""
        found = _SLOT.search(self._commands())
        return None if found is None else next(slot for slot in SLOTS if slot == found[1])

    @property
    def is_trial(self) -> bool:
        """Whether the slot that runs was started on trial, and is not kept yet."""
        return TRIAL_MARK in self._commands().split() and not (self.root / KEPT_MARK).exists()

    def place(self, kind: Kind, state: State, card: Card | None) -> Place:
        """What an update of `kind` must fit. OSError."""
        room = {}
        if kind == "application":
            durable.make_folder(self.releases)
            room["executable"] = max(0, _free(self.releases) - SPARE_OCTETS)
        elif card is not None and (booted := self.booted()) is not None:
            slot = other(booted)
            with card.roots[slot].open("rb") as device:
                room["root"] = device.seek(0, os.SEEK_END)
            held = sum(file.stat().st_size for file in (card.boot / slot).glob("*"))
            room["boot"] = _free(card.boot) + held - BOOT_SPARE_OCTETS
        here = IMAGE_TARGET if self.booted() else None
        return Place(platform.machine(), here, state.security_level, room)

    def loader(self) -> Loader:
        """Who starts the slots on this board. ConfigError where a slot cannot be tried."""
        if (self.root / "sys/firmware/efi").is_dir():
            return "systemd-boot"
        # By its own word: who else started this kernel would start the same slot again, and know of no trial.
        if U_BOOT_MARK not in self._commands().split():
            raise ConfigError("update", "update.no_trial_here")
        return "u-boot"

    @contextmanager
    def card(self) -> Iterator[Card]:
        """The card, its boot partition mounted for as long as this lasts. ConfigError, OSError."""
        point = self.root / MOUNT_POINT
        durable.make_folder(point)
        names: dict[Slot, str] = {slot: f"PARTUUID={PARTITIONS[slot]}" for slot in SLOTS}
        roots: dict[Slot, Path] = {slot: self._device(slot) for slot in SLOTS}
        card = Card(point, roots, names, self.loader())
        self._repair(self._device("boot"))
        self._run("mount", "-t", "vfat", "-o", "rw,noatime,umask=0077", self._device("boot"), point)
        try:
            yield card
        finally:
            self._run("umount", point)

    def _repair(self, device: Path) -> None:
        """Free what a power cut left unclear on a FAT that nobody has mounted: Linux would stop writing when it comes upon it."""
        # The tool says 1 of what it has repaired. An older image has no such tool; then it is as it was with that image.
        with suppress(FileNotFoundError):
            self._run("fsck.vfat", "-a", device, good=(0, 1))

    def _device(self, name: str) -> Path:
        return self.root / "dev/disk/by-partuuid" / PARTITIONS[name]

    def _commands(self) -> str:
        try:
            return (self.root / "proc/cmdline").read_text(encoding="ascii", errors="replace")
        except OSError:
            return ""

    def _run(self, *command: str | Path, good: tuple[int, ...] = (0,)) -> None:
        if not self.is_real:
            return
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=TOOL_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise OSError(str(error)) from None
        if done.returncode not in good:
            said = done.stderr or done.stdout or f"{command[0]} ended with {done.returncode}".encode()
            raise OSError(said.decode(errors="replace").strip())


def _free(folder: Path) -> int:
    usage = os.statvfs(folder)
    return usage.f_bavail * usage.f_frsize
