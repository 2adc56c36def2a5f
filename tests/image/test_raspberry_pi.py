"""A Raspberry Pi's start: U-Boot's script chooses the slot, takes the try, and falls back; and the whole box on one.

The slots' kernels are short ones that do nothing, for the script is what is looked at, but for the last story. What is written to
the card is written by the updater. Requirements not tested: the board's own firmware, and the sixteen seconds of its
watchdog, for QEMU's fires at once.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.system.update.card import Card, Slot
from tests.image.builder import MIB, PARTS
from tests.image.raspberry_pi import NO_WATCHDOG, FatPartition, RaspberryPi, RaspberryPiWithWornCard

pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]

NAMES: dict[Slot, str] = {"a": "PARTUUID=b0a4cb0c-02", "b": "PARTUUID=b0a4cb0c-03"}
CARD_SIZE = 512 * MIB
"A power of two, or QEMU does not take it."
START_SECONDS = 120.0
STARTED = "Starting kernel"
CUTS = 30
SCRIPT_SECONDS = 1.5
"About what U-Boot takes to start a slot, so that the cuts fall within it."


def idle_kernel() -> bytes:
    """Linux' arm64 header (Documentation/arm64/booting.rst) before an instruction that jumps to itself."""
    jump_to_itself = 0x14000000
    size, anywhere_4k_pages = 4096, 0b1010
    header = struct.pack("<IIQQQ3Q4sI", jump_to_itself, 0, 0, size, anywhere_4k_pages, 0, 0, 0, b"ARM\x64", 0)
    return header.ljust(size, b"\0")


class PiCard:
    """A card with the image's FAT partition and idle kernels, and what the updater does to it."""

    def __init__(self, folder: Path) -> None:
        if not (PARTS / "1").exists():
            pytest.skip("no build/parts; ./build.sh image makes them")
        self.path = folder / "card"
        with self.path.open("wb") as file:
            file.truncate(CARD_SIZE)
        table = f"label: dos\n1 : start=2048, size={256 * 2048}, type=c, bootable\n"
        subprocess.run(["sfdisk", "--quiet", self.path], input=table.encode(), check=True)
        command = ["dd", f"if={PARTS / '1'}", f"of={self.path}", "bs=1M", "seek=1"]
        subprocess.run([*command, "conv=notrunc,sparse", "status=none"], check=True)
        self.fat = FatPartition(self.path)
        self._mounted = folder / "mounted"
        self._updater = Card(self._mounted, {}, NAMES, "u-boot")
        for name in ("loader/entries", "u-boot", "a", "b"):
            (self._mounted / name).mkdir(parents=True)
        with tarfile.open(PARTS / "boot.tar") as boot:
            for name in ("entry.conf", "u-boot.env"):
                template = boot.extractfile(name)
                assert template is not None
                content = template.read()
                for slot in NAMES:
                    (self._mounted / slot / name).write_bytes(content)
        self.fat.make_folder("b")
        for slot in NAMES:
            self.fat.write(f"{slot}/vmlinuz", idle_kernel())
            self.fat.write(f"{slot}/initrd.img", bytes(512))

    def keep(self, slot: Slot) -> None:
        self._updater.keep(slot)
        self._put("kept.env")

    def stage(self, slot: Slot) -> None:
        self._updater.stage(slot)
        self._put("trial.env", "tries")

    def _put(self, *names: str) -> None:
        for name in names:
            self.fat.write(f"u-boot/{name}", (self._mounted / "u-boot" / name).read_bytes())

    def check(self) -> None:
        """The file system is whole."""
        part = self.path.with_name("part")
        command = ["dd", f"if={self.path}", f"of={part}", "bs=1M", "skip=1", "count=256"]
        subprocess.run([*command, "conv=sparse", "status=none"], check=True)
        said = subprocess.run(["fsck.vfat", "-n", part], capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout

    @property
    def tries(self) -> bytes:
        return self.fat.read("u-boot/tries")

    def start(self, *awaited: str, board: type[RaspberryPi] = RaspberryPi) -> str:
        """Power on, until all of `awaited` was seen in this order; power cut. Gives all that was shown."""
        with board(self.path, {}) as running:
            # Nobody's keys, and no noise on a line that is not connected, may keep the box from starting.
            running.serial.type("\r\r")
            for text in awaited:
                running.serial.expect(text, seconds=START_SECONDS)
        return running.serial.transcript


@pytest.fixture
def card(tmp_path: Path) -> Iterator[PiCard]:
    yield PiCard(tmp_path)
    shutil.rmtree(tmp_path)


def test_a_slot_on_trial_is_started_once_and_its_watchdog_brings_the_old_one_back(card: PiCard) -> None:
    card.stage("b")
    card.start("Branchbox: slot b on trial, no try left", "Branchbox: slot a", STARTED)
    assert card.tries == b"0"


def test_a_power_cut_during_the_trial_brings_the_old_slot_back(card: PiCard) -> None:
    card.stage("b")
    card.fat.replace("u-boot/trial.env", NO_WATCHDOG)
    card.start("Branchbox: slot b on trial", STARTED)
    assert "slot b" not in card.start("Branchbox: slot a", STARTED)


def test_a_slot_that_is_kept_is_started_also_when_a_rename_was_cut(card: PiCard) -> None:
    card.stage("b")
    card.keep("b")
    card.fat.write("u-boot/tries", b"0")
    card.fat.rename("u-boot/kept.env", "u-boot/kept.env.new")
    assert "on trial" not in card.start("Branchbox: slot b", STARTED)


def test_a_slot_whose_try_cannot_be_taken_is_not_started(card: PiCard) -> None:
    card.stage("b")
    assert "slot b" not in card.start("Branchbox: slot a", STARTED, board=RaspberryPiWithWornCard)


@pytest.mark.full
def test_power_is_cut_at_random_moments_of_the_start(card: PiCard, figure: Callable[[str], None]) -> None:
    """The slot on trial is started once or has its start before it, and the file system stays whole."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    taken = 0
    for _ in range(CUTS):
        card.stage("b")
        card.fat.replace("u-boot/trial.env", NO_WATCHDOG)
        with RaspberryPi(card.path, {}) as board:
            # Not to wait for anything: the cut comes when it comes.
            time.sleep(chance.uniform(0, SCRIPT_SECONDS))
        left = card.tries
        assert left == b"0" or (left == b"1" and "slot b" not in board.serial.transcript), f"seed {seed}"
        if left == b"1":
            card.start("Branchbox: slot b on trial", STARTED)
        taken += left == b"0"
        assert "slot b" not in card.start("Branchbox: slot a", STARTED), f"seed {seed}"
    figure(f"{CUTS} power cuts: {taken} after the try was taken, {CUTS - taken} before")
    card.check()


def test_only_the_raspberry_pi_4_has_its_watchdog_elsewhere(card: PiCard) -> None:
    """By that node the script tells them apart: QEMU has no Raspberry Pi 4 to start."""
    assert b"emmc2bus" in card.fat.read("bcm2711-rpi-4-b.dtb")
    assert b"emmc2bus" not in card.fat.read("bcm2837-rpi-zero-2-w.dtb")
