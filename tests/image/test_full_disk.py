"""/data without a free octet: calls go on, settings are refused and say why, starts succeed, and nothing is lost.

One story in the order of this file, on one card.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.image.box import Box
from tests.image.set_up import QUIET_SECONDS
from tests.image.settings_file import box_with_shell
from tests.image.shell import MachineWithShell, shell_of

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(2400)]

FILLER = "/data/filler"
MOST_TRIES = 200
"The database's log has some room of its own; what fits into that is saved."
FILL_SECONDS = 300.0


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with box_with_shell() as box:
        yield box


@pytest.fixture(scope="module")
def saved() -> list[str]:
    """The extensions that the box said it has."""
    return ["113", "114"]


def test_calls_go_on_without_a_free_octet(box: Box) -> None:
    shell = shell_of(box)
    room = "$(df --output=avail --block-size=1 /data | tail -1)"
    shell.run(f"fallocate --length {room} {FILLER}", seconds=FILL_SECONDS)
    # What is kept for root, too.
    status, said = shell.attempt(f"dd if=/dev/zero of={FILLER}.rest bs=4k", seconds=FILL_SECONDS)
    assert status != 0
    assert "No space left" in said
    shell.run("sync")
    _call(box)


def test_settings_are_refused_with_the_reason(box: Box, saved: list[str]) -> None:
    refused = _add_until_refused(box, saved)
    assert refused["key"] == "error.disk_full"
    assert _numbers(box) == sorted(saved)


def test_a_finding_says_so(box: Box) -> None:
    assert box.console.api("GET", "status")["findings"] == ["disk_full"]
    assert "disk is full" in box.console.page("/")


def test_it_starts_anew_on_the_full_disk(box: Box, saved: list[str]) -> None:
    assert isinstance(box.machine, MachineWithShell)
    uptime = box.console.api("GET", "status")["uptime"]
    shell_of(box).start("systemctl reboot")
    box.machine.forget_shell()
    box.console.wait_restart(uptime, 2 * QUIET_SECONDS)
    _is_well(box, saved)


def test_it_starts_after_a_power_cut_on_the_full_disk(box: Box, saved: list[str]) -> None:
    box.power_on()
    _is_well(box, saved)
    greeting = box.machine.serial.expect("Press Enter for the menu", seconds=QUIET_SECONDS)
    assert "The disk is full." in greeting


def test_all_is_well_once_there_is_room(box: Box, saved: list[str]) -> None:
    shell_of(box).run(f"rm {FILLER} {FILLER}.rest; sync", seconds=FILL_SECONDS)
    assert box.console.api("GET", "status")["findings"] == []
    box.console.api("POST", "extensions", number="999", password="there-is-room-again")
    saved.append("999")
    give_up = time.monotonic() + QUIET_SECONDS
    while not (records := box.console.api("GET", "records")):
        assert time.monotonic() < give_up, "the call of a moment ago waits in memory until there is room"
        time.sleep(1)
    assert records[0]["to_number"] == "114"
    box.power_on()
    assert _numbers(box) == sorted(saved)
    assert box.console.api("GET", "records") == records
    assert box.machine.report()["failed"] == ""


def _add_until_refused(box: Box, saved: list[str]) -> dict[str, Any]:
    for number in range(200, 200 + MOST_TRIES):
        try:
            box.console.api("POST", "extensions", number=str(number), password=f"one-of-many-{number}")
        except HTTPError as error:
            with error:
                refused: dict[str, Any] = json.loads(error.read())["error"]
            return refused
        saved.append(str(number))
    msg = f"the disk is full, and {MOST_TRIES} extensions were saved"
    raise AssertionError(msg)


def _is_well(box: Box, saved: list[str]) -> None:
    assert _numbers(box) == sorted(saved)
    assert box.console.api("GET", "status")["findings"] == ["disk_full"]
    report = box.machine.report()
    assert report["failed"] == "", report["service"]
    _call(box)


def _call(box: Box) -> None:
    for phone in box.phones:
        box.office.register(phone)
    box.office.call(box.machine, *box.phones)


def _numbers(box: Box) -> list[str]:
    return sorted(each["number"] for each in box.console.api("GET", "extensions"))
