"""A root shell on the box, for tests that do what no way in does: fill its disk, stop its first process.

The image has none. Whoever holds the card may write to the kernel's command line that systemd shall open one
(systemd-debug-generator(8)), here on a serial port that only this machine has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.image.line import ANSWER_SECONDS, Line
from tests.image.machine import Machine
from tests.image.raspberry_pi import FatPartition

if TYPE_CHECKING:
    from pathlib import Path

    from tests.image.box import Box

__all__ = ["MachineWithShell", "Shell", "open_shell", "shell_of"]

ENTRY = "loader/entries/kept.conf"
START_SECONDS = 240.0
"Until systemd opens the shell, in software emulation on a busy machine."


def open_shell(card: Path) -> None:
    """Have the slot that is kept open one from now on."""
    FatPartition(card).replace(ENTRY, {" quiet ": " quiet systemd.debug_shell=ttyS0 "})


class Shell:
    """Commands, one after another."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._number = 0
        line.expect("# ", seconds=START_SECONDS)
        # bash would write to the terminal before and after each line that it reads.
        line.type("exec sh")
        line.expect("# ", seconds=ANSWER_SECONDS)
        self.run("stty -echo; PS1=")

    def run(self, command: str, *, seconds: float = ANSWER_SECONDS) -> str:
        """Its output, with what it says of errors. AssertionError when it fails."""
        status, said = self.attempt(command, seconds=seconds)
        assert status == 0, f"{command}: {status}\n{said}"
        return said

    def attempt(self, command: str, *, seconds: float = ANSWER_SECONDS) -> tuple[int, str]:
        """Its exit status and its output."""
        self._number += 1
        # In two pieces, so that its echo is not taken for it.
        self.start(f"{{ {command}; }} 2>&1; echo end''-{self._number}: $?")
        end = f"end-{self._number}: "
        said = self._line.expect(end, seconds=seconds).removesuffix(end)
        return int(self._line.expect("\n")), said.replace("\r", "").strip()

    def start(self, command: str) -> None:
        """For what ends the shell, too."""
        self._line.type(command)


class MachineWithShell(Machine):
    """With a second serial port, and a watchdog as computers have one."""

    _shell: Shell | None = None

    @property
    def shell(self) -> Shell:
        """The first time waits until it is there."""
        if self._shell is None:
            self._shell = Shell(self._shell_line)
        return self._shell

    def forget_shell(self) -> None:
        """The box starts anew: the next one is another."""
        self._shell = None

    def _connect_ports(self) -> None:
        super()._connect_ports()
        self._shell_line = Line(self._connect("shell"))
        self._open.callback(self._shell_line.close)

    def _qemu(self) -> list[str | Path]:
        return [
            *super()._qemu(),
            *("-chardev", self._socket("shell"), "-device", "pci-serial,chardev=shell"),
            *("-device", "i6300esb"),
        ]


def shell_of(box: Box) -> Shell:
    """Of a box on such a machine."""
    assert isinstance(box.machine, MachineWithShell)
    return box.machine.shell
