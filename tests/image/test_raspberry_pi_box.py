"""The whole box on a Raspberry Pi 3, as far as QEMU carries it: set-up, an image that does not come up, a good one.

One story in the order of this file, on one card. Its network is a USB card's. Requirements not tested: the board's own
firmware, watchdog, network card and Wi-Fi; any other Raspberry Pi.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.image.box import Box
from tests.image.builder import Builder
from tests.image.conftest import new_box
from tests.image.raspberry_pi import NO_WATCHDOG, FatPartition, RaspberryPi
from tests.image.set_up import set_up
from tests.image.test_update import ask, wait

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(3600)]

Show = Callable[[str], None]


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    folder = Path(tempfile.mkdtemp(prefix="branchbox-updates-"))
    builder = Builder(folder)
    with builder.serving():
        yield builder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def box(builder: Builder) -> Iterator[Box]:
    def prepare(card: Path) -> None:
        builder.believe(card)
        FatPartition(card).replace("u-boot/kept.env", NO_WATCHDOG)

    with new_box(prepare, RaspberryPi) as box:
        yield box


def test_it_starts_and_is_set_up(box: Box, figure: Show) -> None:
    figure(f"Raspberry Pi 3: power on to first answered OPTIONS {box.power_on():.0f} s")
    assert "Branchbox: slot a\r\n" in box.machine.serial.transcript
    set_up(box, "pi-test")
    box.console.log_in(box.password)
    box.console.make_token("update test")


def test_an_image_that_does_not_come_up_is_started_once(box: Box, builder: Builder, figure: Show) -> None:
    """Its root is not found, so its kernel panics and starts anew: the slot before comes back by itself."""
    began = time.monotonic()
    no_root = {"root=@ROOT@": "root=PARTUUID=00000000-09 rootdelay=1"}
    ask(box, builder.image("no-root", "0.2.0", **no_root, **NO_WATCHDOG))
    state = wait(box, 30, lambda state: state["last"] == "0.2.0")
    assert state["outcome"] == "came_back"
    assert _starts(box) == ["slot a", "slot b on trial, no try left", "slot a"]
    figure(
        f"Raspberry Pi 3: an image that does not come up: asked for to gone again {time.monotonic() - began:.0f} s"
    )


def test_a_good_image_is_kept(box: Box, builder: Builder, figure: Show) -> None:
    began = time.monotonic()
    ask(box, builder.image("better", "0.2.1", **NO_WATCHDOG))
    state = wait(box, 40, lambda state: state["last"] == "0.2.1")
    assert state["outcome"] == "kept", state
    assert _starts(box)[-1] == "slot b on trial, no try left"
    figure(f"Raspberry Pi 3: a good image: asked for to kept {time.monotonic() - began:.0f} s")


def test_it_is_still_the_new_one_after_a_power_cut(box: Box) -> None:
    box.power_on()
    assert _starts(box) == ["slot b"]
    assert sorted(each["number"] for each in box.console.api("GET", "extensions")) == ["113", "114"]


def _starts(box: Box) -> list[str]:
    """What U-Boot said since power on."""
    lines = box.machine.serial.transcript.splitlines()
    return [line.removeprefix("Branchbox: ") for line in lines if line.startswith("Branchbox: ")]
