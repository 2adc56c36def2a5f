"""A new card is set up without a screen: by a file on it, and over the network. (By the serial line: test_image.py.)

One story in the order of this file, on one card; in between it is made new by a file, too. Requirements not tested: the
screen at an HDMI port, Wi-Fi.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.error import HTTPError

import pytest

from tests.image.box import Box
from tests.image.neighbour import MachineWithNeighbour
from tests.image.office import Phone
from tests.image.raspberry_pi import FatPartition
from tests.image.set_up import QUIET_SECONDS
from tests.image.settings_file import FILE, HOST_NAME, SECRETS, box_by_file, take_over

pytestmark = [pytest.mark.image, pytest.mark.timeout(1200)]

RESET = "branchbox.reset"
PASSWORD = "chosen-in-a-browser-8"
NEW_EXTENSION = {"number": "120", "name": "By network", "password": "made-over-the-network"}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with box_by_file(MachineWithNeighbour) as box:
        yield box


@pytest.fixture(scope="module")
def fat(box: Box) -> FatPartition:
    return FatPartition(box.card)


def test_a_file_on_the_card_sets_the_box_up(box: Box, figure: Callable[[str], None]) -> None:
    seconds = box.power_on()
    figure(f"first start with a settings file: power on to first answered OPTIONS {seconds:.1f} s")
    take_over(box)
    assert sorted(each["number"] for each in box.console.api("GET", "extensions")) == ["113", "114"]
    for phone in box.phones:
        box.office.register(phone)
    report = box.machine.report()
    assert report["host"] == HOST_NAME
    assert report["failed"] == ""


def test_nobody_is_asked_anything(box: Box) -> None:
    greeting = box.machine.serial.expect("Press Enter for the menu", seconds=QUIET_SECONDS)
    assert HOST_NAME in greeting
    assert "This box is new" not in box.machine.serial.transcript


def test_no_secret_is_left_on_the_card_and_the_way_back_is_told(box: Box, fat: FatPartition) -> None:
    box.cut_power()
    assert FILE not in fat.names
    done = fat.read(f"{FILE}.done").decode()
    assert HOST_NAME in done
    assert RESET in done
    assert [secret for secret in SECRETS if fat.holds(secret)] == []
    assert fat.holds(HOST_NAME), "it is the partition that was looked at"


def test_an_empty_file_makes_the_box_new(box: Box, fat: FatPartition) -> None:
    fat.write(RESET, b"")
    box.power_on()
    greeting = box.machine.serial.expect("This box is new", seconds=QUIET_SECONDS)
    assert HOST_NAME not in greeting
    with pytest.raises(HTTPError) as refused:
        box.console.api("GET", "extensions")
    refused.value.close()
    assert refused.value.code == 401, "the token is gone with everything else"


def test_it_is_set_up_over_the_network_with_the_code_of_the_serial_line(box: Box) -> None:
    found = re.search(r"One-time code: (\S+)", box.machine.serial.transcript)
    assert found, box.machine.serial.transcript[-2000:]
    box.console.set_up(found[1], PASSWORD)
    with pytest.raises(HTTPError) as refused:
        box.console.set_up(found[1], PASSWORD)
    refused.value.close()
    assert refused.value.code == 400, "a code is good for once"
    box.console.make_token("image test")
    box.console.api("POST", "extensions", **NEW_EXTENSION)
    phone = Phone(NEW_EXTENSION["number"], NEW_EXTENSION["password"])
    box.phones.append(phone)
    box.office.register(phone)


def test_its_name_is_known_in_the_network(box: Box) -> None:
    assert isinstance(box.machine, MachineWithNeighbour)
    assert any(each.startswith("fe80:") for each in box.machine.ask("branchbox.local", QUIET_SECONDS))


def test_the_file_that_made_it_new_does_so_once(box: Box, fat: FatPartition) -> None:
    report = box.machine.report()
    assert report["failed"] == ""
    box.cut_power()
    assert RESET not in fat.names
