"""A serial line on this machine: two pseudo-terminals with a cable between that can be bad, pulled and put back."""

from __future__ import annotations

import os
import re
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.serial.port import LineGoneError, SerialPort
from appliance.serial.session import Control, Session

PATIENCE = 20.0
"Seconds after which something that should have come is called missing."

Spoil = Callable[[bytes], bytes]


class Plug:
    """One end: a device that pyserial opens by name, which is a link, so that it can lead elsewhere later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master = -1
        self._slave = -1
        self.put_in()

    def put_in(self) -> None:
        """A new pseudo-terminal under the same name."""
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        scratch = self.path.with_suffix(".new")
        scratch.symlink_to(os.ttyname(self._slave))
        scratch.replace(self.path)
        # A device node has no reader of its own: only who opened it keeps it open.

    def pull(self) -> None:
        """Both ends see a hang-up; the name is gone."""
        self.path.unlink(missing_ok=True)
        for descriptor in (self.master, self._slave):
            with suppress(OSError):
                os.close(descriptor)
        self.master = self._slave = -1


class Typist:
    """A person's or a program's side of a plug: type, and wait for what must appear."""

    def __init__(self, plug: Plug) -> None:
        self.plug = plug
        self.screen = ""
        self._seen = 0

    def type(self, data: str | bytes) -> None:
        os.write(self.plug.master, data.encode() if isinstance(data, str) else data)

    def expect(self, pattern: str) -> str:
        """Wait until something new on the screen matches; gives what was matched."""
        end = time.monotonic() + PATIENCE
        while True:
            match = re.compile(pattern).search(self.screen, self._seen)
            if match:
                self._seen = match.end()
                return match.group()
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.plug.master], [], [], left)[0]:
                msg = f"no {pattern!r} in:\n{self.screen[self._seen :]}"
                raise AssertionError(msg)
            self.screen += os.read(self.plug.master, 4096).decode("utf-8", "replace")

    def answer(self, pattern: str, answer: str) -> None:
        self.expect(pattern)
        self.type(answer + "\r")


@contextmanager
def session_on(path: Path, control: Control, *, machine_idle: float = 5.0) -> Iterator[None]:
    """A session on a device, in a thread of its own, that ends when the line is gone for good."""
    port = _EndingPort(str(path))

    def serve() -> None:
        with suppress(LineGoneError):
            while True:
                Session(port, control, machine_idle=machine_idle).run()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        port.ended.set()
        thread.join(PATIENCE)
        port.close()
        assert not thread.is_alive()


class _EndingPort(SerialPort):
    """A serial port that a test can end: it looks up from reading every now and then."""

    def __init__(self, device: str) -> None:
        self.ended = threading.Event()
        super().__init__(device)

    def read(self, seconds: float) -> bytes:
        end = time.monotonic() + seconds
        while not self.ended.is_set():
            data = super().read(min(0.05, max(0.0, end - time.monotonic())))
            if data or time.monotonic() >= end:
                return data
        raise LineGoneError("the test is over")

    def reopen(self) -> None:
        if self.ended.is_set():
            raise LineGoneError("the test is over")
        super().reopen()


@contextmanager
def cable(a: Plug, b: Plug, spoil: Spoil) -> Iterator[None]:
    """Carry octets between two plugs, spoiling them on the way."""
    ended = threading.Event()

    def carry() -> None:
        while not ended.is_set():
            readable, _, _ = select.select([a.master, b.master], [], [], 0.05)
            for source in readable:
                target = b.master if source == a.master else a.master
                os.write(target, spoil(os.read(source, 4096)))

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE)
