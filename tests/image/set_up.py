"""The set-up dialogue, answered over the serial line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.image.office import Phone

if TYPE_CHECKING:
    from tests.image.box import Box

__all__ = ["QUIET_SECONDS", "set_up"]

QUIET_SECONDS = 240.0
"Until the slowest unit of a start is done."


def set_up(box: Box, host_name: str) -> None:
    """Extensions 113 and 114; their phones are the box's from now on."""
    line = box.machine.serial
    line.expect("Press Enter to set it up", seconds=QUIET_SECONDS)
    line.type()
    line.answer("1/2", "1")  # English
    line.answer("Password: ", box.password)
    line.answer("The same again: ", box.password)
    line.answer("Host name", host_name)
    line.answer("1/2", "1")  # DHCP
    line.answer("Time zone", "Europe/Berlin")
    line.answer("How many", "2")
    line.answer("First number", "113")
    summary = line.answer("change it: ", "y")
    assert host_name in summary
    assert "113 - 114" in summary
    assert box.password not in line.transcript
    shown = line.answer("Press Enter to go on", "", seconds=120)
    found = re.findall(r"^ +(11[34]) +(\S+)\r?$", shown, re.MULTILINE)
    assert [number for number, _ in found] == ["113", "114"], shown
    box.phones = [Phone(number, password) for number, password in found]
    line.answer("Press Enter to go on", "")  # the QR code
    line.expect("https://")
