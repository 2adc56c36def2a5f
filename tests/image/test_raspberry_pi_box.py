"""The whole box on a Raspberry Pi 3, as far as QEMU carries it: a good image is kept, one that does not come up goes.

One story in the order of this file, on one card. Its network is a USB card's, which QEMU lets through some 300 kB a
second; so the good image was written before, by the same code, and the other one has a small root. Requirements not
tested: the board's own firmware, watchdog, network card and Wi-Fi; any other Raspberry Pi.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.system.update.bundle import open_bundle
from appliance.system.update.card import Card, Slot
from appliance.system.update.keys import KeyRing
from appliance.system.update.state import Before, Trial
from tests.image.box import Box
from tests.image.builder import Builder, partition_offset
from tests.image.conftest import new_box
from tests.image.raspberry_pi import NO_WATCHDOG, FatPartition, RaspberryPi
from tests.image.set_up import set_up
from tests.image.test_update import ask, wait

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(3600)]

Show = Callable[[str], None]
NAMES: dict[Slot, str] = {"a": "PARTUUID=b0a4cb0c-02", "b": "PARTUUID=b0a4cb0c-03"}
GOOD, BAD = "0.2.0", "0.2.1"


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    folder = Path(tempfile.mkdtemp(prefix="branchbox-updates-"))
    builder = Builder(folder)
    with builder.serving():
        yield builder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def box(builder: Builder) -> Iterator[Box]:
    """A box that has just written a good image."""

    def prepare(card: Path) -> None:
        builder.believe(card, Trial("image", GOOD, "b", security_level=0, before=Before()))
        FatPartition(card).replace("u-boot/kept.env", NO_WATCHDOG)
        write_good_image(card, builder)

    with new_box(prepare, RaspberryPi) as box:
        yield box


def write_good_image(card: Path, builder: Builder) -> None:
    """As the updater does it, in a folder, and from there to the card."""
    builder.image("good", GOOD, NO_WATCHDOG)
    mounted, root = builder.folder / "mounted", builder.folder / "root"
    for name in ("loader/entries", "u-boot"):
        (mounted / name).mkdir(parents=True)
    root.touch()
    updater = Card(mounted, {"b": root}, NAMES, "u-boot")
    with (builder.folder / "good").open("rb") as file:
        updater.write("b", open_bundle(file, KeyRing([builder.public])))
    updater.stage("b")
    fat = FatPartition(card)
    fat.make_folder("b")
    for path in (*(mounted / "b").iterdir(), *(mounted / "u-boot").iterdir()):
        fat.write(str(path.relative_to(mounted)), path.read_bytes())
    place = partition_offset(card, 3) // 2**20
    command = ["dd", f"if={root}", f"of={card}", "bs=1M", f"seek={place}", "conv=notrunc", "status=none"]
    subprocess.run(command, check=True)


def test_the_new_slot_is_tried_and_set_up(box: Box, figure: Show) -> None:
    figure(f"Raspberry Pi 3: power on to first answered OPTIONS {box.power_on():.0f} s")
    assert _starts(box) == ["slot b on trial, no try left"]
    set_up(box, "pi-test")
    box.console.log_in(box.password)
    box.console.make_token("update test")


def test_it_is_kept(box: Box) -> None:
    state = wait(box, 15, lambda state: state["last"] == GOOD)
    assert state["outcome"] == "kept"
    assert len(_starts(box)) == 1


def test_it_is_started_again_after_a_power_cut(box: Box) -> None:
    box.power_on()
    assert _starts(box) == ["slot b"]
    assert sorted(each["number"] for each in box.console.api("GET", "extensions")) == ["113", "114"]


def test_an_image_that_does_not_come_up_is_started_once(box: Box, builder: Builder, figure: Show) -> None:
    """Its root is not found, so its kernel panics and starts anew: the slot before comes back by itself."""
    began = time.monotonic()
    root = builder.folder / "no-root.root"
    root.write_bytes(bytes(4096))
    no_root = {"root=@ROOT@": "root=PARTUUID=00000000-09 rootdelay=1"}
    ask(box, builder.image("no-root", BAD, no_root | NO_WATCHDOG, root))
    state = wait(box, 30, lambda state: state["last"] == BAD)
    assert state["outcome"] == "came_back"
    assert _starts(box) == ["slot b", "slot a on trial, no try left", "slot b"]
    figure(
        f"Raspberry Pi 3: an image that does not come up: asked for to gone again {time.monotonic() - began:.0f} s"
    )


def _starts(box: Box) -> list[str]:
    """What U-Boot said since power on."""
    lines = box.machine.serial.transcript.splitlines()
    return [line.removeprefix("Branchbox: ") for line in lines if line.startswith("Branchbox: ")]
