"""The laptop's end of machine mode: pushes a settings file and fetches the results. Pure.

A generator: it yields an `Exchange` (a frame to send, and how long to wait), and is sent the box's frame that settles it, or None.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from appliance.errors import BranchboxError
from appliance.serial.frames import Frame, pieces

__all__ = ["Exchange", "LineError", "Push", "push"]

ANSWER_SECONDS = 0.5
"A frame and its answer take 20 ms; the box's processor may be busy with calls. Asking twice does no harm."
DONE_SECONDS = 60.0
"Applying hashes a password (half a second on a small board) and commits every extension."
ATTEMPTS = 12
"With one line in three broken, one transfer in a thousand would fail at a frame."


class LineError(BranchboxError):
    """The box does not answer, or answers that it cannot. The text says which, in English."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send `frame`, then wait at most `seconds` for a frame of the same session."""

    frame: Frame
    kind: str
    fields: tuple[str, ...] = ()
    "What the answer must begin with; others are late ones of earlier frames."
    seconds: float = ANSWER_SECONDS

    def settled_by(self, answer: Frame) -> bool:
        """Whether `answer` belongs to this frame, or says that it broke on the way."""
        if answer.kind == "NAK":
            return True
        matches = answer.kind == "FAIL" or (
            answer.kind == self.kind and answer.fields[: len(self.fields)] == self.fields
        )
        return matches and answer.session == self.frame.session


Push: TypeAlias = Generator[Exchange, Frame | None, list[dict[str, Any]]]


def push(content: bytes, session: str) -> Push:
    """Transfer `content`; gives the box's results, one value an item. LineError."""
    digest = hashlib.sha256(content).hexdigest()
    yield from _exchange(Frame("START", session, (str(len(content)), digest)), "OK", "START")
    for number, piece in enumerate(pieces(content)):
        yield from _exchange(Frame("DATA", session, (str(number), piece)), "OK", "DATA", str(number))
    done = yield from _exchange(Frame("DONE", session), "DONE", seconds=DONE_SECONDS)
    text = bytearray()
    for number in range(done.number()):
        piece_frame = yield from _exchange(Frame("GET", session, (str(number),)), "PIECE", str(number))
        text += piece_frame.content()
    # If BYE is lost the box goes back to its prompt by itself after a while.
    yield Exchange(Frame("BYE", session), "OK", ("BYE",))
    return [json.loads(line) for line in text.decode().splitlines()]


def _exchange(
    frame: Frame, kind: str, *fields: str, seconds: float = ANSWER_SECONDS
) -> Generator[Exchange, Frame | None, Frame]:
    for _ in range(ATTEMPTS):
        answer = yield Exchange(frame, kind, fields, seconds)
        if answer is None or answer.kind == "NAK":
            continue
        if answer.kind == "FAIL":
            msg = f"the box refused the transfer: {' '.join(answer.fields)}"
            raise LineError(msg)
        return answer
    msg = "no answer on the line"
    raise LineError(msg)
