"""Updates of a box that runs: refused, good and bad ones, of the program and of the whole card, and power cuts.

One story in the order of this file, on one card. Requirements not tested: a kernel that hangs before anything
watches it.
"""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import __version__
from tests.image.box import Box
from tests.image.builder import TOP, Builder
from tests.image.conftest import new_box
from tests.image.set_up import set_up

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(2400)]

MINUTES = 60.0
CRASHES = b"#!/bin/sh\nexit 1\n"


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    folder = Path(tempfile.mkdtemp(prefix="branchbox-updates-"))
    builder = Builder(folder)
    with builder.serving():
        yield builder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def box(builder: Builder) -> Iterator[Box]:
    with new_box(prepare=builder.believe) as box:
        yield box


def ask(box: Box, address: str) -> None:
    """As a program does it at the API; a person does the same on the console or the serial line."""
    box.console.api("POST", "update/install", source=address)


def wait(box: Box, minutes: float, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Until the box says so of its updates. It may restart meanwhile."""
    give_up = time.monotonic() + minutes * MINUTES
    state: dict[str, Any] = {}
    while time.monotonic() < give_up:
        try:
            state = box.console.api("GET", "update")
        except (OSError, http.client.HTTPException):
            state = {}
        if state and what(state):
            return state
        time.sleep(2)
    msg = f"not within {minutes} minutes: {state}\n{box.machine.last_words()}"
    raise AssertionError(msg)


def test_the_box_is_set_up(box: Box) -> None:
    box.power_on()
    set_up(box, "update-test")
    box.console.log_in(box.password)
    box.console.make_token("update test")
    report = box.machine.report()
    assert "branchbox.slot=a" in report["slot"]
    assert report["release"] == "/usr/lib/branchbox"
    assert report["watchdog"].startswith("1min")


def test_what_is_refused_says_why_and_changes_nothing(box: Box, builder: Builder) -> None:
    address = builder.application("cut-off", "0.1.1", CRASHES)
    os.truncate(builder.folder / "cut-off", (builder.folder / "cut-off").stat().st_size - 3)
    ask(box, address)
    state = wait(box, 5, lambda state: state["refused"] is not None)
    assert (state["refused"], state["trial"]) == ("update.truncated", None)


def test_a_program_that_crashes_is_started_once(
    box: Box, builder: Builder, figure: Callable[[str], None]
) -> None:
    began = time.monotonic()
    ask(box, builder.application("crashes", "0.1.2", CRASHES))
    state = wait(box, 8, lambda state: state["last"] == "0.1.2")
    assert state["outcome"] == "came_back"
    assert box.machine.report()["release"] == "/usr/lib/branchbox"
    figure(f"a program that crashes: asked for to gone again {time.monotonic() - began:.0f} s")


def test_a_good_program_is_kept(box: Box, builder: Builder, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    program = TOP / "dist" / f"branchbox-{__version__}-aarch64"
    ask(box, builder.application("good", "0.1.3", program))
    state = wait(box, 15, lambda state: state["last"] == "0.1.3")
    assert state["outcome"] == "kept", state
    assert "/data/releases/" in box.machine.report()["release"]
    assert "0.1.3-" in box.machine.report()["release"]
    figure(f"a good program: asked for to kept {time.monotonic() - began:.0f} s")


def test_an_image_that_does_not_come_up_is_started_once(
    box: Box, builder: Builder, figure: Callable[[str], None]
) -> None:
    """Its root is not found, so its kernel panics and starts anew: the slot before comes back by itself."""
    began = time.monotonic()
    address = builder.image("no-root", "0.2.0", {"root=@ROOT@": "root=PARTUUID=00000000-09 rootdelay=1"})
    ask(box, address)
    state = wait(box, 20, lambda state: state["last"] == "0.2.0")
    assert state["outcome"] == "came_back"
    report = box.machine.report()
    assert "branchbox.slot=a" in report["slot"]
    assert "branchbox.trial" not in report["slot"]
    assert "0.1.3-" in report["release"], "the program that was kept runs again, too"
    figure(f"an image that does not come up: asked for to gone again {time.monotonic() - began:.0f} s")


def test_an_image_whose_start_fails_is_started_once(box: Box, builder: Builder) -> None:
    """It ends in emergency mode, where neither exchange nor timer runs."""
    ask(box, builder.image("emergency", "0.2.3", {"@TRIAL@": "@TRIAL@ systemd.unit=emergency.target"}))
    state = wait(box, 20, lambda state: state["last"] == "0.2.3")
    assert state["outcome"] == "came_back"
    assert "branchbox.slot=a" in box.machine.report()["slot"]


def test_a_power_cut_during_the_trial_brings_the_old_slot_back(box: Box, builder: Builder) -> None:
    ask(box, builder.image("cut", "0.2.1"))
    _wait_for_slot(box, "branchbox.trial")
    box.cut_power()
    box.power_on()
    state = wait(box, 10, lambda state: state["last"] == "0.2.1")
    assert state["outcome"] == "came_back"
    assert "branchbox.slot=a" in box.machine.report()["slot"]


def test_a_good_image_is_kept(box: Box, builder: Builder, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    ask(box, builder.image("better", "0.2.2"))
    state = wait(box, 25, lambda state: state["last"] == "0.2.2")
    assert state["outcome"] == "kept", state
    assert "branchbox.slot=b" in box.machine.report()["slot"]
    figure(f"a good image: asked for to kept {time.monotonic() - began:.0f} s")


def test_it_is_still_the_new_one_after_a_power_cut(box: Box) -> None:
    box.cut_power()
    box.power_on()
    report = box.machine.report()
    assert "branchbox.slot=b" in report["slot"]
    assert "branchbox.trial" not in report["slot"]
    assert report["failed"] == ""
    assert sorted(each["number"] for each in box.console.api("GET", "extensions")) == ["113", "114"]


def _wait_for_slot(box: Box, mark: str) -> None:
    give_up = time.monotonic() + 10 * MINUTES
    while time.monotonic() < give_up:
        try:
            if mark in box.machine.report()["slot"]:
                return
        except TimeoutError:
            pass  # between two starts nobody answers
        time.sleep(2)
    msg = box.machine.last_words()
    raise AssertionError(msg)
