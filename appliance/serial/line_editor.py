"""A line editor for dumb terminals: octets in, lines and the echo out. Pure.

It lives with whatever a serial line brings: noise, broken UTF-8, NULs, arrow keys (ECMA-48 §5.4), any line end.
"""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = ["Key", "Line", "LineEditor", "width"]

LINE_LIMIT = 256
"Characters. The longest line anyone needs is a machine's frame of some 130; the rest is a cat on the keyboard."
ESCAPE_LIMIT = 32
"Characters of one escape sequence; a longer one is noise, and noise must not swallow the rest of the session."
BELL: Final = "\a"


class Key(Enum):
    """A key that is no part of a line."""

    INTERRUPT = "Ctrl-C"
    END = "Ctrl-D on an empty line"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was ended with Enter."""

    text: str


class _Escape(Enum):
    NONE = 0
    STARTED = 1
    "After ESC."
    SEQUENCE = 2
    "After ESC [: until a letter."
    LAST = 3
    "After ESC O: one more character."


class LineEditor:
    """Collects one line at a time. `secret` makes the echo stars."""

    def __init__(self) -> None:
        self.secret = False
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._line: list[str] = []
        self._escape = _Escape.NONE
        self._escape_length = 0
        self._after_return = False
        self._echo: list[str] = []

    def feed(self, data: bytes) -> list[Line | Key]:
        """What these octets complete. The echo waits in `take_echo`."""
        events: list[Line | Key] = []
        for character in self._decoder.decode(data):
            if not self._in_escape(character):
                event = self._take(character)
                if event is not None:
                    events.append(event)
        return events

    def take_echo(self) -> str:
        """What the terminal should show for the octets fed since the last call."""
        echo = "".join(self._echo)
        self._echo.clear()
        return echo

    def clear(self) -> None:
        """Forget a half-typed line, as when the line went dead."""
        self._line.clear()
        self._escape = _Escape.NONE
        self._decoder.reset()

    def _in_escape(self, character: str) -> bool:
        """Swallow escape sequences. A control character ends a broken one and counts for itself."""
        state = self._escape
        if character == "\x1b":
            self._escape, self._escape_length = _Escape.STARTED, 0
            return True
        if state is _Escape.NONE:
            return False
        self._escape_length += 1
        if character < " " or self._escape_length > ESCAPE_LIMIT:
            self._escape = _Escape.NONE
            return False
        match state:
            case _Escape.STARTED:
                following = {"[": _Escape.SEQUENCE, "O": _Escape.LAST}
                self._escape = following.get(character, _Escape.NONE)
            case _Escape.SEQUENCE:
                if "@" <= character <= "~":
                    self._escape = _Escape.NONE
            case _Escape.LAST:
                self._escape = _Escape.NONE
        return True

    def _take(self, character: str) -> Line | Key | None:
        after_return, self._after_return = self._after_return, False
        match character:
            case "\n" if after_return:
                return None  # CR LF is one line end
            case "\r" | "\n":
                self._after_return = character == "\r"
                return self._finish()
            case "\x03":
                self._line.clear()
                return Key.INTERRUPT
            case "\x04":
                return None if self._line else Key.END
            case "\b" | "\x7f":
                self._erase(1)
            case "\x15":
                self._erase(len(self._line))
            case _ if character.isprintable():
                self._insert(character)
            case _:
                self._after_return = after_return and character == "\0"  # telnet sends CR NUL
        return None

    def _finish(self) -> Line:
        text = "".join(self._line)
        self._line.clear()
        self._echo.append("\r\n")
        return Line(text)

    def _insert(self, character: str) -> None:
        if len(self._line) >= LINE_LIMIT:
            self._echo.append(BELL)
            return
        self._line.append(character)
        self._echo.append("*" if self.secret else character)

    def _erase(self, count: int) -> None:
        for _ in range(min(count, len(self._line))):
            columns = width(self._line.pop())
            self._echo.append("\b \b" * (1 if self.secret else columns))


def width(text: str) -> int:
    """Columns that `text` takes on a terminal; Chinese characters take two."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )
