"""The box's end of machine mode: takes a settings file frame by frame and hands back the results. Pure."""

from __future__ import annotations

import hashlib
import json
from enum import Enum
from typing import TYPE_CHECKING, Any

from appliance.serial.frames import (
    CONTENT_LIMIT,
    FROM_BOX,
    FROM_LAPTOP,
    Frame,
    pieces,
    print_frame,
    read_frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Receiver"]


class _State(Enum):
    LOADING = "taking DATA"
    FAILED = "what came is not what was announced"
    APPLIED = "results wait to be fetched"
    ENDED = "the laptop said BYE"


class Receiver:
    """One transfer. `apply` gets the content when all of it is there, once, and gives the results."""

    def __init__(self, start: Frame, apply: Callable[[bytes], list[dict[str, Any]]]) -> None:
        self._apply = apply
        self._applied = False
        self._begin(start)

    @property
    def ended(self) -> bool:
        """Whether the line is a person's again."""
        return self._state is _State.ENDED

    @property
    def applied(self) -> bool:
        """Whether anything came whole and was applied."""
        return self._applied

    def greet(self) -> str:
        """The answer to the START that made this receiver."""
        return self._start_reply()

    def receive(self, line: str) -> str:
        """The answer to a line."""
        frame = read_frame(FROM_LAPTOP, line)
        if frame is None or (frame.kind != "START" and frame.session != self._session):
            return print_frame(FROM_BOX, Frame("NAK", "-"))
        match frame.kind:
            case "START":
                reply = self._again(frame)
            case "DATA":
                reply = self._data(frame)
            case "DONE":
                reply = self._done()
            case "GET":
                reply = self._get(frame.number())
            case "BYE":
                self._state = _State.ENDED
                reply = self._reply("OK", "BYE")
            case _:
                reply = self._reply("FAIL", "unknown")
        return reply

    def _again(self, start: Frame) -> str:
        """Another START: the same one because our answer was lost, or a laptop that begins anew."""
        if start.session != self._session:
            self._begin(start)
        return self._start_reply()

    def _begin(self, start: Frame) -> None:
        self._session = start.session
        self._size = start.number()
        self._sha256 = start.fields[1] if len(start.fields) > 1 else ""
        self._content = bytearray()
        self._next = 0
        self._results: list[str] = []
        self._state = _State.LOADING if 0 < self._size <= CONTENT_LIMIT else _State.FAILED

    def _start_reply(self) -> str:
        return self._reply("FAIL", "size") if self._state is _State.FAILED else self._reply("OK", "START")

    def _data(self, frame: Frame) -> str:
        if self._state is not _State.LOADING:
            return self._reply("FAIL", "state")
        number = frame.number()
        if number == self._next and len(self._content) < self._size:
            self._content += frame.content()
            self._next += 1
        # What we had already is acknowledged again: our first answer was lost. The laptop never runs ahead.
        return (
            self._reply("OK", "DATA", str(number))
            if 0 <= number < self._next
            else self._reply("FAIL", "order")
        )

    def _done(self) -> str:
        if self._state is _State.LOADING:
            if len(self._content) != self._size or hashlib.sha256(self._content).hexdigest() != self._sha256:
                self._state = _State.FAILED
            else:
                results = self._apply(bytes(self._content))
                self._applied = True
                self._content.clear()  # it holds passwords
                self._results = pieces("".join(f"{json.dumps(each)}\n" for each in results).encode())
                self._state = _State.APPLIED
        if self._state is _State.FAILED:
            return self._reply("FAIL", "sha256")
        return self._reply("DONE", str(len(self._results)))

    def _get(self, number: int) -> str:
        if not 0 <= number < len(self._results):
            return self._reply("FAIL", "order")
        return self._reply("PIECE", str(number), self._results[number])

    def _reply(self, kind: str, *fields: str) -> str:
        return print_frame(FROM_BOX, Frame(kind, self._session, fields))
