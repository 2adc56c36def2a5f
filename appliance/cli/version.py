"""`branchbox version`: what this is, and which libraries it really uses."""

from __future__ import annotations

import json
import platform
import sqlite3
import ssl
import sys
from typing import TYPE_CHECKING

from cryptography.hazmat.backends.openssl import backend

from appliance import __version__
from appliance.cli.licences import licence_texts
from appliance.cli.table import as_text

if TYPE_CHECKING:
    import argparse

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "version"
HELP = "say the version, and which OpenSSL and SQLite are in use"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.add_argument(
        "--licences", action="store_true", help="print the licences of all that is in the executable"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    if arguments.licences:
        sys.stdout.writelines(
            list(licence_texts()) or ["nothing is carried along: this runs from a checkout\n"]
        )
        return 0
    facts = {
        "branchbox": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "frozen": bool(getattr(sys, "frozen", False)),
        "openssl_tls": ssl.OPENSSL_VERSION,
        "openssl_certificates": backend.openssl_version_text(),
        "sqlite": sqlite3.sqlite_version,
    }
    sys.stdout.write(json.dumps(facts) + "\n" if arguments.json else as_text(facts))
    return 0
