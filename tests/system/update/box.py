"""A whole box in a folder: a base, releases, two root partitions, a mounted boot partition, what the kernel says."""

from __future__ import annotations

import platform
from pathlib import Path

import msgspec

from appliance.system.update.bundle import open_bundle
from appliance.system.update.card import Card, Slot
from appliance.system.update.site import PARTITIONS, Site
from appliance.system.update.state import Before, State, Trial, read_state, write_state
from appliance.system.update.updater import examine, install
from tests.system.update.workshop import Workshop

BEFORE = Before(lines=("carrier",), extensions=("101", "102"))
MACHINE = platform.machine()
ROOT_SIZE = 4096


class FakeBox:
    """Started from slot a, with the key `first`."""

    def __init__(self, folder: Path, workshop: Workshop, *, card: bool = True) -> None:
        self.root = folder
        self.workshop = workshop
        self.site = Site(folder / "base", folder / "releases", folder)
        for name in (
            "base",
            "proc",
            "sys/firmware/efi",
            "dev/disk/by-partuuid",
            "run/branchbox/boot/loader/entries",
            "run/branchbox/boot/u-boot",
        ):
            (folder / name).mkdir(parents=True)
        (folder / "base/base").write_text("0.1.0\n")
        (folder / "base/update-keys.json").write_bytes(msgspec.json.encode([workshop.public("first")]))
        for slot in ("a", "b"):
            (folder / "dev/disk/by-partuuid" / PARTITIONS[slot]).write_bytes(bytes(ROOT_SIZE))
        self.start("a" if card else None)
        if card:
            with (
                workshop.image("first.image", version="0.1.0").open("rb") as file,
                self.site.card() as mounted,
            ):
                mounted.write("a", open_bundle(file, workshop.ring()))
                mounted.keep("a")

    def start(self, slot: Slot | None, *, trial: bool = False) -> None:
        """The box starts anew, from a slot."""
        mark = "" if slot is None else f" branchbox.slot={slot}" + (" branchbox.trial" if trial else "")
        (self.root / "proc/cmdline").write_text(f"root=x ro{mark} quiet\n")
        (self.root / "run/branchbox/kept").unlink(missing_ok=True)

    def card(self) -> Card:
        with self.site.card() as card:
            return card

    def update(self, path: Path) -> Trial:
        with path.open("rb") as file:
            return install(examine(file, self.site), self.site, BEFORE)

    @property
    def state(self) -> State:
        return read_state(self.site.releases)

    def remember(self, state: State) -> None:
        write_state(self.site.releases, state)

    def contents(self) -> dict[Path, bytes | str]:
        """Everything there is, to be compared."""
        return {
            path.relative_to(self.root): str(path.readlink()) if path.is_symlink() else path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_symlink() or path.is_file()
        }
