"""`branchbox provision`: run on a laptop, it pushes a settings file over a serial line and tells what was accepted."""

from __future__ import annotations

import json
import secrets
import sys
import time
import tomllib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from appliance.serial.frames import (
    CONTENT_LIMIT,
    FROM_BOX,
    FROM_LAPTOP,
    Frame,
    FrameLines,
    print_frame,
    read_frame,
)
from appliance.serial.port import LineGoneError, Port, SerialPort
from appliance.serial.sender import Exchange, LineError, Push, push
from appliance.serial.settings import NOT_RUNNING

if TYPE_CHECKING:
    import argparse

__all__ = ["HELP", "NAME", "Pusher", "add_arguments", "run"]

NAME = "provision"
HELP = "send a settings file to a box over a serial line"
EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_ANSWER = 0, 1, 2, 3
KILL_LINE = "\x15"
"Ctrl-U: whatever somebody left half-typed at the prompt goes."
BROKEN_LINE_LIMIT = 120
"Characters of what else came over the line that a transcript keeps."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "file", metavar="FILE", help="TOML as `ctl import` takes it, and [administrator] password"
    )
    parser.add_argument("--port", metavar="DEV", required=True, help="serial device that leads to the box")
    parser.add_argument(
        "--baud", type=int, default=115200, help="speed of the line, 8N1 (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the results as one JSON value")
    parser.add_argument(
        "--transcript", metavar="FILE", help="write down every frame, without what it carries"
    )


def run(args: argparse.Namespace) -> int:
    """0 all accepted, 1 refused and nothing changed, 2 the file or the call is wrong, 3 nobody answers."""
    try:
        content = _read(Path(args.file))
    except (OSError, ValueError, RecursionError) as error:
        return _say(f"{args.file}: {error}", EXIT_USAGE)
    with ExitStack() as stack:
        try:
            transcript = (
                stack.enter_context(Path(args.transcript).open("w", encoding="utf-8"))
                if args.transcript
                else None
            )
        except OSError as error:
            return _say(str(error), EXIT_USAGE)
        try:
            port = SerialPort(args.port, args.baud)
            stack.callback(port.close)
            results = Pusher(port, transcript).run(push(content, secrets.token_hex(4)))
        except (LineGoneError, LineError) as error:
            return _say(str(error), EXIT_NO_ANSWER)
        _report(results, transcript, as_json=args.json)
    if any(each.get("key") == NOT_RUNNING for each in results):
        return EXIT_NO_ANSWER
    return EXIT_DONE if all(each["accepted"] for each in results) else EXIT_REFUSED


class Pusher:
    """Runs the sender on a line."""

    def __init__(self, port: Port, transcript: TextIO | None = None) -> None:
        self._port = port
        self._transcript = transcript
        self._lines = FrameLines()

    def run(self, sending: Push) -> list[dict[str, Any]]:
        """Everything the box answered, item by item. LineError, LineGoneError."""
        try:
            exchange = next(sending)
            while True:
                exchange = sending.send(self._exchange(exchange))
        except StopIteration as end:
            results: list[dict[str, Any]] = end.value
            return results

    def _exchange(self, exchange: Exchange) -> Frame | None:
        frame = exchange.frame
        self._note(f"> {frame.kind} {' '.join(frame.fields[:1])}".rstrip())
        kill = KILL_LINE if frame.kind == "START" else ""
        self._port.write(f"{kill}{print_frame(FROM_LAPTOP, frame)}\r".encode())
        end = time.monotonic() + exchange.seconds
        while (left := end - time.monotonic()) > 0:
            settled = self._settled(exchange, self._lines.feed(self._port.read(left)))
            if settled is not None:
                return settled
        self._note("  no answer")
        return None

    def _settled(self, exchange: Exchange, lines: list[str]) -> Frame | None:
        settled = None
        for line in lines:
            answer = read_frame(FROM_BOX, line)
            if answer is None:
                # Frames are left out, whole or broken: an echo of ours would carry what we sent.
                if "BB1" not in line:
                    self._note(f"  line: {line[:BROKEN_LINE_LIMIT]!r}")
                continue
            self._note(
                f"< {answer.kind} {' '.join(answer.fields[:2] if answer.kind != 'PIECE' else answer.fields[:1])}"
            )
            if exchange.settled_by(answer):
                settled = answer
        return settled

    def _note(self, text: str) -> None:
        if self._transcript is not None:
            self._transcript.write(f"{text}\n")
            self._transcript.flush()


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(CONTENT_LIMIT + 1)
    if not 0 < len(content) <= CONTENT_LIMIT:
        msg = f"must have 1 to {CONTENT_LIMIT} octets"
        raise ValueError(msg)
    tomllib.loads(content.decode())
    return content


def _report(results: list[dict[str, Any]], transcript: TextIO | None, *, as_json: bool) -> None:
    lines = [
        f"{each['item']}: {'accepted' if each['accepted'] else 'refused: ' + each['reason']}"
        for each in results
    ]
    if not all(each["accepted"] for each in results):
        lines.append("nothing was changed")
    text = "".join(f"{line}\n" for line in lines)
    sys.stdout.write(json.dumps(results) + "\n" if as_json else text)
    if transcript is not None:
        transcript.write(text)


def _say(text: str, status: int) -> int:
    sys.stderr.write(f"branchbox provision: {text}\n")
    return status
