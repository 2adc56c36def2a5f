"""The other end of the box's serial line: a person who reads and types."""

from __future__ import annotations

import socket
import time

__all__ = ["Line"]

ANSWER_SECONDS = 60.0
"For one answer, in software emulation on a busy machine."


class Line:
    """Reads up to what is awaited, types lines, remembers everything."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._unread = ""
        self.transcript = ""

    def expect(self, *awaited: str, seconds: float = ANSWER_SECONDS) -> str:
        """Wait for the first of `awaited` to appear; gives what came before it, it included."""
        give_up = time.monotonic() + seconds
        while True:
            ends = [self._unread.index(text) + len(text) for text in awaited if text in self._unread]
            if ends:
                seen, self._unread = self._unread[: min(ends)], self._unread[min(ends) :]
                return seen
            left = give_up - time.monotonic()
            assert left > 0, (
                f"no {' or '.join(map(repr, awaited))} within {seconds} s after:\n{self.transcript[-3000:]}"
            )
            self._read(left)

    def type(self, text: str = "") -> None:
        """One line and Enter, as a terminal sends it."""
        self._line.sendall(text.encode() + b"\r")

    def answer(self, question: str, text: str, *, seconds: float = ANSWER_SECONDS) -> str:
        """Wait for a question and answer it; gives what was shown up to the question."""
        seen = self.expect(question, seconds=seconds)
        self.type(text)
        return seen

    def drain(self) -> str:
        """Everything that was shown up to now."""
        self._read(1.0)
        return self.transcript

    def _read(self, seconds: float) -> None:
        self._line.settimeout(seconds)
        try:
            octets = self._line.recv(65536)
        except TimeoutError:
            return
        assert octets, "the serial line is closed: the machine is off"
        text = octets.decode(errors="replace")
        self._unread += text
        self.transcript += text
