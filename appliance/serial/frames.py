"""The lines of machine mode: how `branchbox provision` talks to the wizard over a noisy line. Pure.

Every frame is one line of ASCII that a person's prompt can tell from typing, guarded by a CRC-32:

    @BB1 START session octets sha256 crc     laptop to box; at any prompt
    @BB1 DATA session number base64 crc
    @BB1 DONE session crc                    all sent: check the SHA-256 and apply
    @BB1 GET session number crc              a piece of the results
    @BB1 BYE session crc                     back to the prompt

The box answers each with `#BB1 OK|DONE|PIECE|FAIL ...`, and a broken one with `#BB1 NAK - crc`. The laptop alone drives: it
repeats what is not answered, and every request may be repeated without harm. The box's echo of a START typed at a
prompt begins with `@` and so is never taken for an answer.
"""

from __future__ import annotations

import base64
import re
from binascii import crc32
from dataclasses import dataclass
from typing import Final

__all__ = [
    "CONTENT_LIMIT",
    "FROM_BOX",
    "FROM_LAPTOP",
    "PIECE",
    "Frame",
    "FrameLines",
    "looks_like_frame",
    "pieces",
    "print_frame",
    "read_frame",
]

FROM_LAPTOP: Final = "@BB1"
FROM_BOX: Final = "#BB1"
PIECE = 60
"Octets of content in a frame: a line of some 110 characters, 10 ms at 115200 baud, cheap to repeat."
CONTENT_LIMIT = 256 * 1024
"Octets of a settings file: a thousand extensions take a tenth of it."
RAW_LINE_LIMIT = 256
"Characters of a line in machine mode; a longer one lost its end to noise."
_FIELD = re.compile(r"[A-Za-z0-9+/=-]+")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `fields` are the words after the session."""

    kind: str
    session: str
    fields: tuple[str, ...] = ()

    def number(self, index: int = 0) -> int:
        """A field that counts; -1 when it is none."""
        text = self.fields[index] if index < len(self.fields) else ""
        return int(text) if text.isdecimal() and text.isascii() and len(text) < 8 else -1

    def content(self, index: int = 1) -> bytes:
        """A field of base64; empty when it is none."""
        try:
            return base64.b64decode(self.fields[index], validate=True)
        except (IndexError, ValueError):
            return b""


def print_frame(marker: str, frame: Frame) -> str:
    """The line, without its end."""
    line = " ".join((marker, frame.kind, frame.session, *frame.fields))
    return f"{line} {crc32(line.encode()):08x}"


def read_frame(marker: str, line: str) -> Frame | None:
    """The frame in a line, after whatever stood there half-typed; None when there is none or it is broken."""
    start = line.rfind(marker + " ")
    if start < 0:
        return None
    text, _, checksum = line[start:].rstrip().rpartition(" ")
    if not text.isascii() or checksum != f"{crc32(text.encode()):08x}":
        return None
    words = text.split(" ")[1:]
    if len(words) < 2 or not all(_FIELD.fullmatch(word) for word in words):
        return None
    return Frame(words[0], words[1], tuple(words[2:]))


def looks_like_frame(line: str) -> bool:
    """Whether a line at a prompt was meant as a frame, even if noise broke it: then it is no person's answer.

    A START has 64 hexadecimal digits of SHA-256; no answer that we take is that long.
    """
    return "BB1 " in line or (len(line) > 80 and sum(each in "0123456789abcdef" for each in line) > 56)


def pieces(content: bytes) -> list[str]:
    """Content as the base64 fields of its frames, in order."""
    return [base64.b64encode(content[at : at + PIECE]).decode() for at in range(0, len(content), PIECE)]


class FrameLines:
    """Octets into lines for machine mode: no editing, no echo, any line end; long lines are cut."""

    def __init__(self) -> None:
        self._line = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines these octets complete; empty ones are left out."""
        lines: list[str] = []
        for octet in data:
            if octet in b"\r\n":
                if self._line:
                    lines.append(self._line.decode("latin-1"))
                self._line.clear()
            elif len(self._line) < RAW_LINE_LIMIT:
                self._line.append(octet)
        return lines
