"""The line itself: a serial port (115200 8N1 by pyserial), or the terminal this process was started on."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from contextlib import suppress
from typing import Protocol

from serial import Serial, SerialException, SerialTimeoutException

from appliance.errors import BranchboxError

__all__ = ["LineGoneError", "Port", "SerialPort", "TerminalPort"]

READ_OCTETS = 4096
WRITE_SECONDS = 10.0
"A screen takes 0.2 s. A USB gadget that nobody reads takes for ever, and then what we say is for nobody."
REOPEN_FIRST, REOPEN_LONGEST = 0.25, 5.0
"Seconds between tries to open a port that went away, doubling: an adapter that is plugged in again is found soon."


class LineGoneError(BranchboxError):
    """The line is dead: unplugged, hung up, or there is none."""


class Port(Protocol):
    """What a session needs of a line."""

    def read(self, seconds: float) -> bytes:
        """What came in; empty when nothing did for `seconds`. LineGoneError."""

    def write(self, data: bytes) -> None:
        """Send. LineGoneError."""

    def reopen(self) -> None:
        """Wait until the line is there again. LineGoneError when it never will be."""

    def close(self) -> None:
        """Leave the line as it was found."""


class SerialPort:
    """A serial port by its device name."""

    def __init__(self, device: str, baud: int = 115200) -> None:
        """Open it. LineGoneError with the reason."""
        self._device = device
        self._baud = baud
        self._serial = self._open()

    def read(self, seconds: float) -> bytes:
        try:
            self._serial.timeout = seconds
            first: bytes = self._serial.read(1)
            if not first:
                return b""
            return first + bytes(self._serial.read(min(self._serial.in_waiting, READ_OCTETS)))
        except (SerialException, OSError, TypeError) as error:
            # TypeError: pyserial's own, when the descriptor is taken away while it reads.
            raise LineGoneError(str(error)) from error

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except SerialTimeoutException:
            with suppress(SerialException, OSError, termios.error):
                self._serial.reset_output_buffer()
        except (SerialException, OSError) as error:
            raise LineGoneError(str(error)) from error

    def reopen(self) -> None:
        self.close()
        delay, never = REOPEN_FIRST, threading.Event()
        while True:
            try:
                self._serial = self._open()
            except LineGoneError:
                never.wait(delay)
                delay = min(2 * delay, REOPEN_LONGEST)
            else:
                return

    def close(self) -> None:
        with suppress(SerialException, OSError, termios.error):
            self._serial.close()

    def _open(self) -> Serial:
        try:
            # exclusive: two conversations on one line would read each other's answers.
            return Serial(self._device, self._baud, write_timeout=WRITE_SECONDS, exclusive=True)
        except (SerialException, OSError, ValueError, termios.error) as error:
            msg = f"{self._device}: {error}"
            raise LineGoneError(msg) from error


class TerminalPort:
    """Standard input and output, as in a systemd unit with StandardInput=tty. It does not come back once gone."""

    def __init__(self) -> None:
        self._input, self._output = sys.stdin.fileno(), sys.stdout.fileno()
        self._before = termios.tcgetattr(self._input) if os.isatty(self._input) else None
        if self._before is not None:
            # Raw: Ctrl-C is a key like any other, and the echo is ours.
            tty.setraw(self._input)

    def read(self, seconds: float) -> bytes:
        try:
            if not select.select([self._input], [], [], seconds)[0]:
                return b""
            data = os.read(self._input, READ_OCTETS)
        except OSError as error:
            raise LineGoneError(str(error)) from error
        if not data:
            raise LineGoneError("end of input")
        return data

    def write(self, data: bytes) -> None:
        rest = data
        try:
            while rest:
                if not select.select([], [self._output], [], WRITE_SECONDS)[1]:
                    return
                rest = rest[os.write(self._output, rest) :]
        except OSError as error:
            raise LineGoneError(str(error)) from error

    def reopen(self) -> None:
        raise LineGoneError("the terminal is gone")

    def close(self) -> None:
        if self._before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)
