"""A box is lost, its backup is not: it is restored on a new card, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.image.box import Box
from tests.image.conftest import new_box
from tests.image.set_up import QUIET_SECONDS
from tests.image.settings_file import HOST_NAME, box_by_file, take_over

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(2400)]

PASSPHRASE = "kept in the safe 4"
CODE = re.compile(r"One-time code: (\S+)")
PASSWORD = "for-a-moment-only-2"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of a box."""

    backup: bytes
    certificate: str
    token: str


@pytest.fixture(scope="module")
def lost() -> Iterator[Box]:
    with box_by_file() as box:
        yield box


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with new_box() as box:
        yield box


@pytest.fixture(scope="module")
def kept(lost: Box) -> Kept:
    """The office's box, its backup, and its end."""
    lost.power_on()
    take_over(lost)
    for phone in lost.phones:
        lost.office.register(phone)
    lost.office.call(lost.machine, *lost.phones)
    backup = lost.console.save_backup(PASSPHRASE)
    kept = Kept(backup, lost.console.certificate(), lost.console.token)
    lost.cut_power()
    return kept


def test_a_new_box_knows_nothing_of_the_old_one(box: Box, lost: Box, kept: Kept) -> None:
    assert lost.password.encode() not in kept.backup
    box.power_on()
    box.machine.serial.expect("This box is new", seconds=QUIET_SECONDS)
    found = CODE.search(box.machine.serial.transcript)
    assert found
    box.console.set_up(found[1], PASSWORD)
    box.console.make_token("before")
    assert box.console.api("GET", "extensions") == []
    assert box.console.certificate() != kept.certificate


def test_the_backup_makes_it_the_old_one(box: Box, lost: Box, kept: Kept) -> None:
    box.console.restore_backup(kept.backup, PASSPHRASE)
    box.console.log_in(lost.password)
    box.console.token = kept.token
    _is_the_old_one(box)


def test_it_is_still_the_old_one_after_a_power_cut(box: Box, lost: Box, kept: Kept) -> None:
    box.cut_power()
    box.power_on()
    _is_the_old_one(box)
    assert box.console.certificate() == kept.certificate
    report = box.machine.report()
    assert report["host"] == HOST_NAME
    assert report["failed"] == ""
    for phone in lost.phones:
        box.office.register(phone)
    box.office.call(box.machine, *lost.phones)
    assert len(box.console.api("GET", "records")) == 2


def _is_the_old_one(box: Box) -> None:
    assert sorted(each["number"] for each in box.console.api("GET", "extensions")) == ["113", "114"]
    assert box.console.api("GET", "records")[-1]["to_number"] == "114"
    assert box.console.api("GET", "status")["host_name"] == HOST_NAME
