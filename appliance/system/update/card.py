"""The card's two slots: which root is started, which is tried once, and what comes back.

On the FAT partition:

    a/ b/                            kernel, initramfs, device trees and templates of each slot; in the templates stand
                                     @SLOT@ @ROOT@ @ORDER@ @TRIAL@ and @CMDLINE@, so that a new image may say all else
    loader/entries/kept.conf         UEFI: systemd-boot starts this slot
    loader/entries/trial+1.conf      UEFI: it tries this one before, once: it renames the file to trial+0-1.conf first
    config.txt                       Raspberry Pi: the firmware starts this slot
    tryboot.txt                      Raspberry Pi: it reads this instead after `reboot "0 tryboot"`, once

So to keep a slot is one rename over `kept.conf` or `config.txt`; until then any reset, by whatever, starts the old
slot. Boot Loader Specification, systemd-boot(7) on boot counting; Raspberry Pi documentation on tryboot.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from appliance.errors import ConfigError
from appliance.system.update import durable
from appliance.system.update.boot_part import boot_files
from appliance.system.update.bundle import PIECE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from appliance.system.update.bundle import Bundle

__all__ = ["SLOTS", "TRIAL_MARK", "Card", "Firmware", "Slot", "other"]

Slot = Literal["a", "b"]
SLOTS: tuple[Slot, ...] = get_args(Slot)
Firmware = Literal["uefi", "raspberry"]
ENTRIES = "loader/entries"
KEPT: dict[Firmware, str] = {"uefi": f"{ENTRIES}/kept.conf", "raspberry": "config.txt"}
TRIAL: dict[Firmware, str] = {"uefi": f"{ENTRIES}/trial+1.conf", "raspberry": "tryboot.txt"}
TEMPLATE: dict[Firmware, str] = {"uefi": "entry.conf", "raspberry": "config.txt"}
Order = Literal["trial", "kept"]
ORDER: dict[Order, str] = {"trial": "branchbox-1-trial", "kept": "branchbox-2-kept"}
"systemd-boot starts the first by these keys that has tries left; kept.conf has no counter and is always left."
CMDLINES: dict[Order, str] = {"trial": "trial.txt", "kept": "cmdline.txt"}
TRIAL_MARK = "branchbox.trial"
"On the kernel's command line; units go by it that must not depend on the new program."
_SLOT_MARK = re.compile(r"^(?:linux /|os_prefix=)([ab])/", re.MULTILINE)


def other(slot: Slot) -> Slot:
    """The other one."""
    return "b" if slot == "a" else "a"


@dataclass(frozen=True, slots=True)
class Card:
    """A card whose FAT partition is mounted."""

    boot: Path
    "Where."
    roots: Mapping[Slot, Path]
    "The partitions."
    root_names: Mapping[Slot, str]
    "What the kernel calls them: `PARTUUID=b0a4cb0c-02`."
    firmware: Firmware

    def kept(self) -> Slot:
        """The slot that is started when nothing is tried. ConfigError when the boot partition does not say."""
        try:
            text = (self.boot / KEPT[self.firmware]).read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        for slot in SLOTS:
            if _SLOT_MARK.findall(text) == [slot]:
                return slot
        raise ConfigError("update", "update.no_slot")

    def write(self, slot: Slot, bundle: Bundle) -> None:
        """Write a whole image to a slot that is not in use; it is not started yet. ConfigError, OSError.

        Until `stage` the other slot is what starts, however far this came.
        """
        self.forget_trial()
        self._write_root(slot, bundle)
        folder = self.boot / slot
        durable.remove_tree(folder)
        folder.mkdir(exist_ok=True)
        for name, pieces in boot_files(bundle):
            durable.fill(folder / name, pieces)
        # A Raspberry Pi's firmware reads these from the slot's folder; config.txt and tryboot.txt say which.
        for order, name in sorted(CMDLINES.items(), reverse=True):
            durable.fill(folder / name, [self._filled(slot, "cmdline.txt", order)])
        durable.sync(folder)
        durable.sync(self.boot)

    def stage(self, slot: Slot) -> None:
        """The next start is of this slot, once (on a Raspberry Pi: when it is asked for). OSError."""
        for firmware, name in TRIAL.items():
            self._place(name, self._filled(slot, TEMPLATE[firmware], "trial"))

    def keep(self, slot: Slot) -> None:
        """From now on this slot is started. OSError."""
        # The own firmware's file decides; the other's is for the day on which the card moves to another board.
        for firmware in sorted(KEPT, key=lambda each: each != self.firmware):
            self._place(KEPT[firmware], self._filled(slot, TEMPLATE[firmware], "kept"))
        self.forget_trial()

    def forget_trial(self) -> None:
        """Nothing is tried any more. OSError."""
        for entry in sorted((self.boot / ENTRIES).glob("trial*.conf")):
            durable.drop(entry)
        durable.drop(self.boot / TRIAL["raspberry"])

    def _write_root(self, slot: Slot, bundle: Bundle) -> None:
        part = next(each for each in bundle.manifest.parts if each.name == "root")
        with self.roots[slot].open("r+b") as device:
            for piece in bundle.pieces("root"):
                device.write(piece)
            device.flush()
            os.fsync(device.fileno())
            # Worn cards take what they do not keep: read it back, from the card and not from memory.
            os.posix_fadvise(device.fileno(), 0, part.size, os.POSIX_FADV_DONTNEED)
            device.seek(0)
            digest = hashlib.sha256()
            for piece in _limited(device.read, part.size):
                digest.update(piece)
        if digest.hexdigest() != part.sha256:
            raise ConfigError("update", "update.card_worn")

    def _filled(self, slot: Slot, template: str, order: Order) -> bytes:
        text = (self.boot / slot / template).read_text(encoding="utf-8")
        values = {
            "SLOT": slot,
            "ROOT": self.root_names[slot],
            "ORDER": ORDER[order],
            "TRIAL": TRIAL_MARK if order == "trial" else "",
            "CMDLINE": CMDLINES[order],
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text.encode()

    def _place(self, name: str, content: bytes) -> None:
        path = self.boot / name
        # systemd-boot reads only *.conf, so a half-written one is not looked at.
        scratch = path.with_name(f"{path.name}.new")
        durable.fill(scratch, [content])
        durable.move(scratch, path)


def _limited(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    while size and (piece := read(min(size, PIECE))):
        size -= len(piece)
        yield piece
