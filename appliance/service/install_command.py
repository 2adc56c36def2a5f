"""`branchbox install`: from one executable to a running service on a plain Debian 12 host."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from appliance.locale import say
from appliance.locale.tongue import explain, language
from appliance.system.apply import Box
from appliance.system.box import on_appliance
from appliance.system.installation import DATA, Installation

if TYPE_CHECKING:
    import argparse

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "install"
HELP = "install this program as a service of a Debian 12 host"
EXIT_DONE, EXIT_REFUSED = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--keys", metavar="FILE", type=Path, help="the public keys that sign updates")
    parser.add_argument("--program", metavar="FILE", type=Path, help="the executable (default: this one)")
    parser.add_argument(
        "--root",
        metavar="DIR",
        type=Path,
        default=Path("/"),
        help="write files below DIR only, start nothing",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 it is installed and started; 1 it is not, with the reason."""
    tongue = language()
    machine = Box(arguments.root)
    try:
        program = arguments.program or _this_one()
        if machine.root == Path("/"):
            _check_host()
        Installation(machine, program, arguments.keys).install()
    except ConfigError as error:
        sys.stderr.write(f"branchbox: {explain(error, tongue)}\n")
        return EXIT_REFUSED
    except OSError as error:
        sys.stderr.write(f"branchbox: {error}\n")
        return EXIT_REFUSED
    lines = [*machine.said, say("install.done", tongue, data=f"/{DATA}")]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return EXIT_DONE


def _this_one() -> Path:
    """The running executable; ConfigError when it is no single file."""
    program = Path(sys.executable)
    # Beside the program of a folder lie its libraries.
    if not getattr(sys, "frozen", False) or (program.parent / "_internal").exists():
        raise ConfigError("install", "install.no_executable")
    return program


def _check_host() -> None:
    if on_appliance() or not Path("/run/systemd/system").is_dir():
        raise ConfigError("install", "install.no_host")
    if os.geteuid() != 0:
        raise ConfigError("install", "install.not_root")
