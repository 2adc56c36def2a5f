"""The box under test: its card, its power switch, and what was agreed with it so far."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from tests.image.console import Console
from tests.image.machine import Machine
from tests.image.office import Office, Phone, first_answer

__all__ = ["Board", "Box"]

Board = Callable[[Path, dict[tuple[str, int], int]], Machine]
"Puts a card into a machine whose ports are forwarded."

START_SECONDS = 300.0
"From power on to the first answer: 40 to 60 s on an idle machine of two cores, in software emulation; a busy one takes minutes."


class Box:
    """One card through several starts."""

    def __init__(
        self,
        card: Path,
        folder: Path,
        forwards: dict[tuple[str, int], int],
        board: Board = Machine,
    ) -> None:
        self.card = card
        self._board = board
        self._forwards = forwards
        self._power = contextlib.ExitStack()
        self._machine: Machine | None = None
        self.sip_port = forwards["udp", 5060]
        self.console = Console(forwards["tcp", 443])
        self.office = Office(self.sip_port, folder)
        self.phones: list[Phone] = []
        self.password = "correct-horse-7"
        "What the administrator chose."

    @property
    def machine(self) -> Machine:
        assert self._machine is not None, "the power is off: an earlier test failed"
        return self._machine

    def power_on(self) -> float:
        """Seconds until the box answered its first OPTIONS."""
        self.cut_power()
        self._machine = self._power.enter_context(self._board(self.card, self._forwards))
        try:
            seconds = first_answer(self.sip_port, START_SECONDS) - self._machine.powered_at
            self.console.wait(START_SECONDS)
        except AssertionError as error:
            msg = f"{error}\n{self._machine.last_words()}"
            raise AssertionError(msg) from None
        return seconds

    def cut_power(self) -> None:
        """QEMU is killed, as a plug is pulled."""
        self._machine = None
        self._power.close()

    def close(self) -> None:
        """Power off, and the phones put away."""
        self.cut_power()
        for phone in self.phones:
            phone.sound.close()
