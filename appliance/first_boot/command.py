"""`branchbox first-boot`: apply a settings file from the boot partition; systemd runs it before the exchange."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from appliance import log
from appliance.first_boot.applying import Outcome, first_boot
from appliance.first_boot.card import Card
from appliance.first_boot.example import example
from appliance.locale.tongue import explain

if TYPE_CHECKING:
    import argparse

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "first-boot"
HELP = "apply a settings file from the boot partition (run by systemd)"
EXIT_DONE, EXIT_REFUSED, EXIT_NO_CARD = 0, 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.description = (
        "Apply a settings file whole or not at all, while the exchange does not run. FILE.done says what became of it,"
        " or FILE.error.txt why nothing did; FILE itself is overwritten and removed, for it holds passwords."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--file", metavar="FILE", type=Path, help="such as /boot/branchbox.toml")
    what.add_argument("--example", action="store_true", help="print a file that explains every setting")
    parser.add_argument(
        "--data", metavar="DIR", type=Path, default=Path("var"), help="the exchange's data folder"
    )


def run(args: argparse.Namespace) -> int:
    """0 applied or nothing to do, 1 refused, 3 the card cannot be read or written."""
    if args.example:
        sys.stdout.write(example())
        return EXIT_DONE
    log.configure()
    try:
        outcome = anyio.run(first_boot, Card(args.file.parent), args.data, args.file.name)
    except OSError as error:
        sys.stderr.write(f"branchbox first-boot: {error.filename or args.file}: {error.strerror}\n")
        return EXIT_NO_CARD
    sys.stdout.write(f"{_said(outcome)}\n")
    return EXIT_REFUSED if outcome.kind == "refused" else EXIT_DONE


def _said(outcome: Outcome) -> str:
    return outcome.kind if outcome.error is None else f"{outcome.kind}: {explain(outcome.error, 'en')}"
