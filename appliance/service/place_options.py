"""What commands about updates are told: where programs and data lie, and where the exchange listens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.service.options import parse_address
from appliance.system.update.site import Site

if TYPE_CHECKING:
    import argparse

__all__ = ["FURTHER_UNITS", "UNIT", "add_addresses", "add_arguments", "site"]

UNIT = "branchbox.service"
FURTHER_UNITS = "branchbox@*.service"
BASE = Path("/usr/lib/branchbox")
"Of the image, and of `branchbox install`."
RELEASES = Path("/data/releases")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folders, each with its variable."""
    for name, default, what in (
        ("data", "./var", "the data folder of the exchange"),
        ("base", str(BASE), "the folder of the program that is always there"),
        ("releases", str(RELEASES), "the folder of updates"),
        ("root", "/", "the root of the box; with another than / no tool of the system is run"),
    ):
        value = os.environ.get(f"BRANCHBOX_{name.upper()}", default)
        parser.add_argument(
            f"--{name}", metavar="DIR", type=Path, default=Path(value), help=f"{what} (default {value})"
        )


def add_addresses(parser: argparse.ArgumentParser) -> None:
    """Where it listens, as `branchbox run` is told."""
    for name, default in (("sip", "0.0.0.0:5060"), ("web", "0.0.0.0:8443")):
        value = os.environ.get(f"BRANCHBOX_{name.upper()}", default)
        parser.add_argument(
            f"--{name}", metavar="ADDR:PORT", type=parse_address, default=value, help=f"default {value}"
        )


def site(arguments: argparse.Namespace) -> Site:
    """The box that the options name."""
    return Site(arguments.base, arguments.releases, arguments.root)
