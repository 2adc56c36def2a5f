"""The card's two slots: which root is started, which is tried once, and what comes back.

On the FAT partition:

    a/ b/                            kernel, initramfs and templates of each slot; in the templates stand @SLOT@ @ROOT@
                                     @ORDER@ and @TRIAL@, so that a new image may say all else
    loader/entries/kept.conf         UEFI: systemd-boot starts this slot
    loader/entries/trial+1.conf      UEFI: it tries this one before, once: it renames the file to trial+0-1.conf first
    u-boot/kept.env                  Raspberry Pi: U-Boot starts this slot
    u-boot/trial.env                 Raspberry Pi: it tries this one before, as long as tries says "1"
    u-boot/tries                     Raspberry Pi: it turns this one octet into "0" first

So to keep a slot is one rename over `kept.conf` or `kept.env`; until then any reset, by whatever, starts the old slot.
Boot Loader Specification, systemd-boot(7) on boot counting; image/u-boot/boot.cmd is what U-Boot runs.
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

__all__ = ["SLOTS", "TRIAL_MARK", "Card", "Loader", "Slot", "other"]

Slot = Literal["a", "b"]
SLOTS: tuple[Slot, ...] = get_args(Slot)
Loader = Literal["systemd-boot", "u-boot"]
"Who starts the slots: the one where there is UEFI, the other on a Raspberry Pi."
ENTRIES = "loader/entries"
KEPT: dict[Loader, str] = {"systemd-boot": f"{ENTRIES}/kept.conf", "u-boot": "u-boot/kept.env"}
TRIAL: dict[Loader, str] = {"systemd-boot": f"{ENTRIES}/trial+1.conf", "u-boot": "u-boot/trial.env"}
TEMPLATE: dict[Loader, str] = {"systemd-boot": "entry.conf", "u-boot": "u-boot.env"}
TRIES = "u-boot/tries"
ONE_TRY = b"1"
Order = Literal["trial", "kept"]
ORDER: dict[Order, str] = {"trial": "branchbox-1-trial", "kept": "branchbox-2-kept"}
"systemd-boot starts the first by these keys that has tries left; kept.conf has no counter and is always left."
TRIAL_MARK = "branchbox.trial"
"On the kernel's command line; units go by it that must not depend on the new program."
_SLOT_MARK = re.compile(r"^(?:linux /|slot=)([ab])\b", re.MULTILINE)


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
    loader: Loader

    def kept(self) -> Slot:
        """The slot that is started when nothing is tried. ConfigError when the boot partition does not say."""
        try:
            text = (self.boot / KEPT[self.loader]).read_text(encoding="utf-8", errors="replace")
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
        # Before anything else may lie where it lay.
        durable.sync(self.boot)
        folder.mkdir(exist_ok=True)
        for name, pieces in boot_files(bundle):
            durable.fill(folder / name, pieces)
        durable.sync(folder)
        durable.sync(self.boot)

    def stage(self, slot: Slot) -> None:
        """The next start is of this slot, once. OSError."""
        for loader, name in TRIAL.items():
            self._place(name, self._filled(slot, TEMPLATE[loader], "trial"))
        self._place(TRIES, ONE_TRY)

    def keep(self, slot: Slot) -> None:
        """From now on this slot is started. OSError."""
        # The own loader's file decides; the other's is for the day on which the card moves to another board.
        for loader in sorted(KEPT, key=lambda each: each != self.loader):
            self._place(KEPT[loader], self._filled(slot, TEMPLATE[loader], "kept"))
        self.forget_trial()

    def forget_trial(self) -> None:
        """Nothing is tried any more. OSError."""
        for entry in sorted((self.boot / ENTRIES).glob("trial*.conf")):
            durable.drop(entry)
        durable.drop(self.boot / TRIES)
        durable.drop(self.boot / TRIAL["u-boot"])

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
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text.encode()

    def _place(self, name: str, content: bytes) -> None:
        path = self.boot / name
        # Not looked at while half-written: systemd-boot reads only *.conf, and U-Boot only what has its last line.
        scratch = path.with_name(f"{path.name}.new")
        durable.fill(scratch, [content])
        durable.move(scratch, path)


def _limited(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    while size and (piece := read(min(size, PIECE))):
        size -= len(piece)
        yield piece
