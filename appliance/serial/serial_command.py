"""`branchbox serial`: the set-up conversation and the menu on a serial line or on this terminal."""

from __future__ import annotations

import locale
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.control.client import Client, socket_in
from appliance.errors import ConfigError
from appliance.serial.dialogue import Words
from appliance.serial.port import LineGoneError, SerialPort, TerminalPort
from appliance.serial.session import Session

if TYPE_CHECKING:
    import argparse
    from types import FrameType

    from appliance.serial.dialogue import Perform
    from appliance.serial.port import Port
    from appliance.serial.session import Control

__all__ = ["HELP", "NAME", "add_arguments", "run"]

logger = logging.getLogger(__name__)

NAME = "serial"
HELP = "set up and look after the box over a serial line"
BAUD = 115200
REQUEST_SECONDS = 30.0
"The slowest request, hashing a password on a small board that is busy, takes a few."
LONG_SECONDS = 3600.0
"""A backup of a large box is written to a stick and read back; an update is copied from one; a file of a thousand extensions is
hashed three times over."""
LONG_AREAS = frozenset({"backup", "update", "provision"})
EXIT_DONE, EXIT_REFUSED, EXIT_NO_LINE = 0, 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--port", metavar="DEV", required=True, help="serial device, or - for this terminal")
    parser.add_argument(
        "--baud", type=int, default=BAUD, help="speed of the line, 8N1 (default: %(default)s)"
    )
    data = os.environ.get("BRANCHBOX_DATA", "var")
    parser.add_argument(
        "--data", metavar="DIR", default=data, help="the exchange's data folder (default: %(default)s)"
    )
    parser.add_argument("--socket", metavar="PATH", help="the exchange's control socket, instead of --data")
    parser.add_argument("--ascii", action="store_true", help="the terminal does not show UTF-8")


def run(args: argparse.Namespace) -> int:
    """Talk until the person leaves (this terminal) or for ever (a device). 0 left, 1 refused, 3 no such line."""
    signal.signal(signal.SIGTERM, _end)
    port: Port
    try:
        port = TerminalPort() if args.port == "-" else SerialPort(args.port, args.baud)
    except LineGoneError as error:
        sys.stderr.write(f"branchbox serial: {error}\n")
        return EXIT_NO_LINE
    control = _control(Path(args.socket) if args.socket else socket_in(args.data))
    unicode = not args.ascii and not (args.port == "-" and _speaks_other_than_utf8())
    try:
        while True:
            Session(port, control, unicode=unicode).run()
            if args.port == "-":
                return EXIT_DONE
    except LineGoneError:
        return EXIT_DONE
    except ConfigError as error:
        # The exchange will not even tell its state: it is busy, or this is not its user. systemd tries again.
        sys.stderr.write(f"branchbox serial: {Words().refusal(error)}\n")
        return EXIT_REFUSED
    finally:
        port.close()


def _control(path: Path) -> Control:
    def perform(request: Perform) -> Any:
        # A connection for each request: the exchange may restart between two.
        seconds = LONG_SECONDS if request.area in LONG_AREAS else REQUEST_SECONDS
        with Client(path, seconds) as client:
            return client.perform(request.area, request.verb, request.key, request.values)

    return perform


def _speaks_other_than_utf8() -> bool:
    """Whether the environment names another character set. Without any, as under systemd, UTF-8 is likelier."""
    named = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "")
    return bool(named) and locale.getencoding().lower().replace("-", "") != "utf8"


def _end(_signal: int, _frame: FrameType | None) -> None:
    # As an exception: the terminal gets back its settings on the way out.
    raise SystemExit(0)
