"""A system that hangs as a whole is reset by the hardware's watchdog, here QEMU's i6300ESB, and comes back.

Requirements not tested: a Raspberry Pi's watchdog, which QEMU has not as the board has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.image.box import Box
from tests.image.settings_file import box_with_shell
from tests.image.shell import MachineWithShell, shell_of

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(1800)]

RESET_SECONDS = 480.0
"The watchdog's 60 s and a start, in software emulation on a busy machine."


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with box_with_shell() as box:
        yield box


def test_systemd_drives_the_watchdog(box: Box) -> None:
    report = box.machine.report()
    assert report["watchdog"].startswith("1min"), report["watchdog"]
    assert shell_of(box).run("cat /sys/class/watchdog/watchdog0/state") == "active"
    assert shell_of(box).run("cat /sys/class/watchdog/watchdog0/timeout") == "60"


def test_a_first_process_that_hangs_is_reset(box: Box, figure: Callable[[str], None]) -> None:
    """On a fault systemd stops where it is; everything else goes on, and nobody would start anything anew."""
    _reset_by(box, "kill -SEGV 1", figure)


def test_a_kernel_that_hangs_is_reset(box: Box, figure: Callable[[str], None]) -> None:
    """Its own way out of a panic is closed."""
    _reset_by(box, "echo 0 > /proc/sys/kernel/panic; echo c > /proc/sysrq-trigger", figure)


def _reset_by(box: Box, command: str, figure: Callable[[str], None]) -> None:
    assert isinstance(box.machine, MachineWithShell)
    shell = shell_of(box)
    uptime = box.console.api("GET", "status")["uptime"]
    shell.start(command)
    box.machine.forget_shell()
    seconds = box.machine.wait_for("WATCHDOG", RESET_SECONDS)
    figure(f"{command!r}: the watchdog reset the box after {seconds:.0f} s")
    box.console.wait_restart(uptime, RESET_SECONDS)
    assert sorted(each["number"] for each in box.console.api("GET", "extensions")) == ["113", "114"]
    for phone in box.phones:
        box.office.register(phone)
    assert box.machine.report()["failed"] == ""
