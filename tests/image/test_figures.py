"""What the box takes at rest: how much it writes to its card in an hour, extrapolated from ten minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.image.box import Box
from tests.image.figures import write_down
from tests.image.set_up import QUIET_SECONDS
from tests.image.settings_file import box_by_file, take_over

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(2400)]

SETTLE_SECONDS = 120.0
"After the last thing that somebody did: what waits in memory is written after 30 s (vm.dirty_expire_centisecs)."
IDLE_SECONDS = 600.0
HOUR = 3600.0
BEARABLE_OCTETS = 8 * 1024 * 1024
"In an hour. A card of 8 GB that bears a thousand times its size would be worn out after a century."


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with box_by_file() as box:
        yield box


def test_writes_at_rest(box: Box, figure: Callable[[str], None]) -> None:
    box.power_on()
    take_over(box)
    for phone in box.phones:
        box.office.register(phone)
    box.machine.serial.expect("Press Enter for the menu", seconds=QUIET_SECONDS)
    time.sleep(SETTLE_SECONDS)  # idleness itself is what is measured
    octets, writes = box.machine.written()
    time.sleep(IDLE_SECONDS)
    octets, writes = (
        now - before for now, before in zip(box.machine.written(), (octets, writes), strict=True)
    )
    report = box.machine.report()
    hourly = {"octets": octets * HOUR / IDLE_SECONDS, "writes": writes * HOUR / IDLE_SECONDS}
    figure(f"at rest: {octets} octets in {writes} writes to the card in {IDLE_SECONDS:.0f} s")
    write_down(
        octets_written_per_idle_hour=round(hourly["octets"]),
        writes_per_idle_hour=round(hourly["writes"]),
        memory_at_rest_mib=report.memory_used_mib,
    )
    assert report["failed"] == ""
    assert hourly["octets"] < BEARABLE_OCTETS
