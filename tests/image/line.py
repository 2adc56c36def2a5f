"""The other end of the box's serial line: a person who reads and types."""

from __future__ import annotations

import socket
import threading
import time

__all__ = ["Line"]

ANSWER_SECONDS = 60.0
"For one answer, in software emulation on a busy machine."


class Line:
    """Reads up to what is awaited, types lines, remembers everything.

    A thread takes in what comes at all times: a Unix socket holds some hundred octets when they come one by one, and
    then QEMU waits for us in the middle of an instruction, and the whole box with it.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._came = threading.Condition()
        self._read_to = 0
        self._ended = False
        self.transcript = ""
        self._reader = threading.Thread(target=self._read, name="serial line", daemon=True)
        self._reader.start()

    def expect(self, *awaited: str, seconds: float = ANSWER_SECONDS) -> str:
        """Wait for the first of `awaited` to appear; gives what came before it, it included."""
        give_up = time.monotonic() + seconds
        with self._came:
            while True:
                unread = self.transcript[self._read_to :]
                ends = [unread.index(text) + len(text) for text in awaited if text in unread]
                if ends:
                    self._read_to += min(ends)
                    return unread[: min(ends)]
                shown = f"waiting for {' or '.join(map(repr, awaited))} after:\n{self.transcript[-3000:]}"
                assert not self._ended, f"the machine went off {shown}"
                assert self._came.wait(give_up - time.monotonic()), f"{seconds} s {shown}"

    def type(self, text: str = "") -> None:
        """One line and Enter, as a terminal sends it."""
        self._line.sendall(text.encode() + b"\r")

    def answer(self, question: str, text: str, *, seconds: float = ANSWER_SECONDS) -> str:
        """Wait for a question and answer it; gives what was shown up to the question."""
        seen = self.expect(question, seconds=seconds)
        self.type(text)
        return seen

    def close(self) -> None:
        """The machine is off: wait for its last words."""
        self._reader.join()

    def _read(self) -> None:
        octets = b""
        while True:
            try:
                octets = self._line.recv(65536)
            except ConnectionError:
                octets = b""
            with self._came:
                self.transcript += octets.decode(errors="replace")
                self._ended = not octets
                self._came.notify_all()
            if not octets:
                return
