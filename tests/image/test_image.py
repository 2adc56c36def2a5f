"""The image's life: first start, set-up over the serial line, a call, a power cut, all there again, a factory reset.

The tests are one story in the order of this file, on one card. Requirements not tested: a Raspberry Pi's own
firmware, device tree and serial port.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.error import HTTPError

import pytest

from tests.image.box import Box
from tests.image.builder import partition_offset
from tests.image.figures import IMAGE, root_octets, write_down
from tests.image.set_up import QUIET_SECONDS, set_up

pytestmark = [pytest.mark.image, pytest.mark.timeout(1200)]

HOST_NAME = "exchange-7"
NEW_EXTENSION = {"number": "115", "name": "Just before the cut", "password": "made-before-the-cut"}
EXPECTED_PORTS = {("udp", 5060), ("tcp", 5060), ("tcp", 5061), ("tcp", 443), ("udp", 5353)}
"And udp 68, by which the DHCP client renews its lease."
MENU_END = "0  Leave"

Show = Callable[[str], None]


def test_a_new_card_starts_and_answers(box: Box, figure: Show) -> None:
    seconds = box.power_on()
    write_down(
        image_boot_seconds=round(seconds, 1),
        image_octets=IMAGE.stat().st_size,
        root_octets=root_octets(box.card, partition_offset(box.card, 2)),
    )
    figure(f"first start: power on to first answered OPTIONS {seconds:.1f} s")


def test_it_is_set_up_over_its_serial_line(box: Box) -> None:
    set_up(box, HOST_NAME)


def test_the_administrator_logs_in_and_makes_a_token(box: Box) -> None:
    box.console.log_in(box.password)
    box.console.make_token("image test")
    extensions = box.console.api("GET", "extensions")
    assert sorted(each["number"] for each in extensions) == ["113", "114"]


def test_two_phones_register_and_talk(box: Box) -> None:
    _call(box)


def test_the_call_is_in_the_records(box: Box) -> None:
    record = box.console.api("GET", "records")[0]
    assert (record["from_number"], record["to_number"]) == ("113", "114")
    assert record["answered_at"] is not None
    assert record["duration"] > 1


def test_nothing_failed_and_nothing_else_listens(box: Box, figure: Show) -> None:
    report = box.machine.report()
    assert report["failed"] == ""
    assert report["cycles"] == ""
    assert report.outside_ports - {("udp", 68)} == EXPECTED_PORTS
    assert report["host"] == HOST_NAME
    assert report.data_size > 3 * 10**9, "the data partition has not grown to the card"
    write_down(memory_at_rest_mib=report.memory_used_mib)
    figure(f"memory in use in the whole box: {report.memory_used_mib} MiB; {report['times'].splitlines()[0]}")


def test_power_is_cut_right_after_an_acknowledged_change(box: Box, figure: Show) -> None:
    box.console.api("POST", "extensions", **NEW_EXTENSION)
    box.cut_power()
    seconds = box.power_on()
    figure(f"after the power cut: power on to first answered OPTIONS {seconds:.1f} s")


def test_everything_is_there_again(box: Box) -> None:
    numbers = sorted(each["number"] for each in box.console.api("GET", "extensions"))
    assert numbers == ["113", "114", NEW_EXTENSION["number"]]
    assert box.console.api("GET", "records")[0]["to_number"] == "114"
    box.console.log_in(box.password)
    greeting = box.machine.serial.expect("Press Enter for the menu", seconds=QUIET_SECONDS)
    assert HOST_NAME in greeting


def test_the_phones_register_and_talk_again(box: Box) -> None:
    _call(box)
    assert len(box.console.api("GET", "records")) == 2


def test_nothing_failed_in_the_second_start(box: Box) -> None:
    report = box.machine.report()
    assert report["failed"] == ""
    assert report["cycles"] == ""
    assert report["host"] == HOST_NAME


def test_the_exchange_is_restarted_from_the_menu(box: Box) -> None:
    line = box.machine.serial
    uptime = box.console.api("GET", "status")["uptime"]
    line.type()
    line.answer(MENU_END, "4")
    line.answer("1/2: ", "1")
    line.answer("press Enter: ", "yes")
    line.expect("It restarts now.")
    box.console.wait_restart(uptime, QUIET_SECONDS)
    numbers = sorted(each["number"] for each in box.console.api("GET", "extensions"))
    assert numbers == ["113", "114", NEW_EXTENSION["number"]]


def test_a_factory_reset_makes_it_a_new_box(box: Box) -> None:
    line = box.machine.serial
    line.answer(MENU_END, "5")
    line.answer("press Enter: ", "RESET")
    line.expect("The box is reset and starts again.")
    line.expect("This box is new", seconds=2 * QUIET_SECONDS)
    box.console.wait(QUIET_SECONDS)
    with pytest.raises(HTTPError) as refused:
        box.console.api("GET", "extensions")
    refused.value.close()
    assert refused.value.code == 401, "the token is gone with everything else"
    report = box.machine.report()
    assert report["failed"] == ""
    assert report["host"] != HOST_NAME


def _call(box: Box) -> None:
    caller, callee = box.phones
    for phone in box.phones:
        box.office.register(phone)
    box.office.call(box.machine, caller, callee)
