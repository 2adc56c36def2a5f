"""The command line, one command a file. A new one is a file here and a line in COMMANDS.

A command has `NAME`, `HELP`, `add_arguments(parser)` and `run(arguments)`, which returns the exit status.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Protocol

from appliance.cli import ctl, version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["COMMANDS", "Command", "dispatch"]


class Command(Protocol):
    """What a module of a command offers."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what the command takes."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the result is the exit status."""


COMMANDS: tuple[Command, ...] = (ctl, version)
"Those that need nothing but control; `main` adds the ones that build the exchange."


def dispatch(argv: Sequence[str] | None, commands: Iterable[Command] = COMMANDS) -> int:
    """Run the command that `argv` names (None: this process's own) and return its exit status.

    Wrong usage ends the process with status 2, and `--help` with 0, as argparse does.
    """
    parser = argparse.ArgumentParser(prog="branchbox", description="A telephone exchange for a small office.")
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        each = choices.add_parser(
            command.NAME, help=command.HELP, description=f"{command.HELP[0].upper()}{command.HELP[1:]}."
        )
        command.add_arguments(each)
        each.set_defaults(command=command)
    arguments, rest = parser.parse_known_args(argv)
    if rest:
        # argparse gives up on words after an option between words: `ctl extensions --json list`.
        if not hasattr(arguments, "words") or any(each.startswith("-") for each in rest):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        arguments.words += rest
    status: int = arguments.command.run(arguments)
    return status
