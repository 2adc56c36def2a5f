"""Where conversations meet a line: says what they say, asks what they ask, and takes a machine's frames between.

Everything here blocks: a line is one person's, and has a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from appliance.control.client import NotRunningError
from appliance.errors import ConfigError
from appliance.serial.dialogue import Ask, Back, Interrupted, Perform, Say, Wait, Words
from appliance.serial.frames import (
    FROM_BOX,
    FROM_LAPTOP,
    Frame,
    FrameLines,
    looks_like_frame,
    print_frame,
    read_frame,
)
from appliance.serial.line_editor import Key, Line, LineEditor
from appliance.serial.menu import conversation
from appliance.serial.port import LineGoneError
from appliance.serial.receiver import Receiver
from appliance.serial.settings import apply_settings

if TYPE_CHECKING:
    from appliance.serial.dialogue import Effect, Talk
    from appliance.serial.port import Port

__all__ = ["Control", "Session"]

Control: TypeAlias = Callable[[Perform], Any]
"Does one request: its result, or ConfigError, NotRunningError."

MACHINE_IDLE_SECONDS = 15.0
"A laptop that was unplugged in the middle must not keep the line from people for long."
READ_SECONDS = 60.0
"How long one read waits; nothing depends on it."


class _Applied(Exception):  # noqa: N818 - nothing is wrong: a machine was here
    """Settings came over the line, so the conversation begins anew."""


class Session:
    """One line."""

    def __init__(
        self,
        port: Port,
        control: Control,
        *,
        unicode: bool = True,
        machine_idle: float = MACHINE_IDLE_SECONDS,
    ) -> None:
        self._port = port
        self._control = control
        self._words = Words("en", unicode)
        self._machine_idle = machine_idle
        self._editor = LineEditor()
        self._pending = b""
        self._gone = False

    def run(self) -> None:
        """One conversation, from the greeting until the person leaves. LineGoneError when the line is lost."""
        while True:
            try:
                self._hold(conversation(self._words))
            except _Applied:
                continue
            return

    def _hold(self, talk: Talk[None]) -> None:
        try:
            effect = next(talk)
            while True:
                try:
                    result = self._do(effect)
                except (Interrupted, Back, ConfigError, NotRunningError) as event:
                    effect = talk.throw(event)
                else:
                    effect = talk.send(result)
        except StopIteration:
            return
        finally:
            talk.close()

    def _do(self, effect: Effect) -> Any:
        match effect:
            case Say(text):
                self._print(text + "\n")
                return None
            case Ask(prompt, secret):
                return self._ask(prompt, secret=secret)
            case Perform():
                return self._control(effect)
            case Wait(seconds):
                return self._wait(seconds)

    def _ask(self, prompt: str, *, secret: bool) -> str:
        self._print(prompt)
        self._editor.secret = secret
        while True:
            event = self._next_event(READ_SECONDS)
            match event:
                case Key.INTERRUPT:
                    raise Interrupted
                case Key.END:
                    raise Back
                case Line(text) if not self._is_machine(text):
                    return text
                case Line():
                    self._print(prompt)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            event = self._next_event(left, echo=False)
            if event is Key.INTERRUPT:
                raise Interrupted
            if isinstance(event, Line):
                self._is_machine(event.text)

    def _next_event(self, seconds: float, *, echo: bool = True) -> Line | Key | None:
        """The next line or key; None when nothing came for a while. Octets after it wait for their own turn,
        so that a pasted answer to the next question is echoed, or starred, as that question wants."""
        if not self._pending:
            self._pending = self._read(seconds)
        for position, octet in enumerate(self._pending, start=1):
            events = self._editor.feed(bytes((octet,)))
            if events:
                self._pending = self._pending[position:]
                self._show_echo(echo=echo)
                return events[0]
        self._pending = b""
        self._show_echo(echo=echo)
        return None

    def _show_echo(self, *, echo: bool) -> None:
        text = self._editor.take_echo()
        if echo and text:
            self._write(text)

    def _read(self, seconds: float) -> bytes:
        if not self._gone:
            try:
                return self._port.read(seconds)
            except LineGoneError:
                self._gone = True
        self._port.reopen()
        self._gone = False
        self._editor.clear()
        self._print("\n" + self._words("line_back") + "\n")
        # The question is asked again: what was half-typed is lost, what was answered is not.
        raise Interrupted

    def _print(self, text: str) -> None:
        """Text of ours and of others': nothing in it may steer the terminal."""
        self._write(
            "".join("\r\n" if each == "\n" else each for each in text if each == "\n" or each.isprintable())
        )

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            self._port.write(text.encode("utf-8" if self._words.unicode else "ascii", "replace"))
        except LineGoneError:
            self._gone = True  # the next read waits until it is back

    # Machine mode

    def _is_machine(self, line: str) -> bool:
        """Whether a line was a machine's, which is then served."""
        frame = read_frame(FROM_LAPTOP, line)
        if frame is not None and frame.kind == "START":
            self._serve(frame)
            return True
        if frame is not None or looks_like_frame(line):
            self._write(print_frame(FROM_BOX, Frame("NAK", "-")) + "\r\n")
            return True
        return False

    def _serve(self, start: Frame) -> None:
        receiver = Receiver(start, self._apply)
        lines = FrameLines()
        waiting, self._pending = lines.feed(self._pending), b""
        self._write(receiver.greet() + "\r\n")
        end = time.monotonic() + self._machine_idle
        while not receiver.ended and (left := end - time.monotonic()) > 0:
            for line in waiting or lines.feed(self._read(left)):
                self._write(receiver.receive(line) + "\r\n")
                if read_frame(FROM_LAPTOP, line):
                    # Noise alone does not keep a machine's session alive.
                    end = time.monotonic() + self._machine_idle
            waiting = []
        if receiver.applied:
            self._print("\n" + self._words("provisioned") + "\n")
            raise _Applied

    def _apply(self, content: bytes) -> list[dict[str, Any]]:
        talk = apply_settings(content)
        try:
            effect = next(talk)
            while True:
                try:
                    result = self._do(effect)
                except (ConfigError, NotRunningError) as error:
                    effect = talk.throw(error)
                else:
                    effect = talk.send(result)
        except StopIteration as end:
            results: list[dict[str, Any]] = end.value
            return results
