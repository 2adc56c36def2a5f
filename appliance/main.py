"""The command `branchbox`: the list of its commands. It imports everything, nothing imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance import cli, serial
from appliance.first_boot import command as first_boot
from appliance.selftest import command as selftest
from appliance.service import health_command, install_command, run_command, update_command
from appliance.system import apply_command

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line says (None: this process's own); the exit status."""
    upkeep = update_command, health_command, install_command, selftest, apply_command, first_boot
    return cli.dispatch(argv, (run_command, *cli.COMMANDS, *serial.COMMANDS, *upkeep))
