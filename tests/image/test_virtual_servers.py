"""A second exchange on one box: it answers on its own ports, and neither sees anything of the other's.

One story in the order of this file, on one card.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.box import Box
from tests.image.console import Console
from tests.image.office import Office, Phone, first_answer
from tests.image.set_up import QUIET_SECONDS
from tests.image.settings_file import PHONES, box_with_shell
from tests.image.shell import shell_of
from tests.peers.probe import free_port

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(1800)]

NAME = "second"
PORTS = {("udp", 5070), ("tcp", 5070), ("tcp", 5071), ("tcp", 8443)}
START_SECONDS = 300.0
PASSWORD = "another-company-6"
NEIGHBOUR = {"number": "113", "name": "Of the other company", "password": "same-number-other-secret"}
CODE = re.compile(r"One-time code:\s+(\S+)")
FIRST_DATA, SECOND_DATA = "/data/branchbox/branchbox.db", f"/data/servers/{NAME}/branchbox.db"


class Second:
    """How the second exchange is reached from outside."""

    def __init__(self) -> None:
        self.sip_port, web_port = free_port(), free_port()
        self.forwards = ((5070, "udp", self.sip_port), (8443, "tcp", web_port))
        self.console = Console(web_port)

    def connect(self, box: Box) -> None:
        """After each power on."""
        for port, protocol, own in self.forwards:
            box.machine.forward(protocol, port, own)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with box_with_shell() as box:
        yield box


@pytest.fixture(scope="module")
def second() -> Second:
    return Second()


def test_a_second_one_answers_on_its_own_ports(box: Box, second: Second) -> None:
    shell_of(box).run(f"branchbox ctl --data /data/branchbox servers add name={NAME}", seconds=QUIET_SECONDS)
    second.connect(box)
    first_answer(second.sip_port, START_SECONDS)
    second.console.wait(START_SECONDS)
    report = box.machine.report()
    assert report.outside_ports >= PORTS
    assert report["failed"] == ""


def test_it_is_set_up_with_the_code_that_the_first_one_shows(
    box: Box, second: Second, tmp_path: Path
) -> None:
    second.console.set_up(_code(box), PASSWORD)
    second.console.make_token("image test")
    assert second.console.api("GET", "extensions") == [], "it has people of its own"
    second.console.api("POST", "extensions", **NEIGHBOUR)
    office = Office(second.sip_port, tmp_path)
    with Phone(NEIGHBOUR["number"], NEIGHBOUR["password"]) as neighbour, Phone("113", PHONES["113"]) as own:
        office.register(neighbour)
        with pytest.raises(AssertionError, match="sipp"):
            office.register(own)
        box.office.register(own)


def test_neither_reads_what_is_the_others(box: Box) -> None:
    shell = shell_of(box)
    for user, own, foreign in (
        (f"branchbox-{NAME}", SECOND_DATA, FIRST_DATA),
        ("branchbox", FIRST_DATA, SECOND_DATA),
    ):
        as_user = f"setpriv --reuid={user} --regid={user} --clear-groups"
        assert shell.run(f"{as_user} head -c 15 {own}") == "SQLite format 3"
        status, said = shell.attempt(f"{as_user} head -c 15 {foreign}")
        assert status != 0
        assert "Permission denied" in said


def test_in_its_sandbox_the_others_data_does_not_exist(box: Box) -> None:
    shell = shell_of(box)
    process = shell.run(f"systemctl show --property MainPID --value branchbox@{NAME}.service")
    inside = f"nsenter --target {process} --mount"
    assert shell.run(f"{inside} head -c 15 {SECOND_DATA}") == "SQLite format 3"
    status, said = shell.attempt(f"{inside} head -c 15 {FIRST_DATA}")
    assert status != 0
    assert "No such file" in said


def test_it_comes_back_after_a_power_cut(box: Box, second: Second) -> None:
    box.power_on()
    second.connect(box)
    first_answer(second.sip_port, START_SECONDS)
    second.console.wait(START_SECONDS)
    (extension,) = second.console.api("GET", "extensions")
    assert extension["name"] == NEIGHBOUR["name"]
    assert len(box.console.api("GET", "extensions")) == len(PHONES)
    assert box.machine.report()["failed"] == ""


def test_it_ends_when_it_is_removed_and_its_data_stays(box: Box) -> None:
    shell = shell_of(box)
    shell.run(f"branchbox ctl --data /data/branchbox servers remove {NAME}", seconds=QUIET_SECONDS)
    give_up = time.monotonic() + QUIET_SECONDS
    while box.machine.report().outside_ports & PORTS:
        assert time.monotonic() < give_up, f"it still listens after {QUIET_SECONDS} s"
        time.sleep(1)
    assert shell.run(f"head -c 15 {SECOND_DATA}") == "SQLite format 3"
    assert len(box.console.api("GET", "extensions")) == len(PHONES)


def _code(box: Box) -> str:
    """Its console asks for it; the first one's administrator reads what its screen would show."""
    give_up = time.monotonic() + QUIET_SECONDS
    while True:
        says = "\n".join(box.console.api("GET", f"servers/{NAME}")["says"])
        if found := CODE.search(says):
            return found[1]
        assert time.monotonic() < give_up, f"no code within {QUIET_SECONDS} s: {says}"
        time.sleep(1)
