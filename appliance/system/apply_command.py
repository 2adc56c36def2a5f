"""`branchbox system-apply`: the oneshot that does as root what the exchange may not do itself.

systemd starts it at every boot, before the network, and whenever `DIR/system.json` or `DIR/request.json` changes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from appliance.system import box
from appliance.system.apply import Box
from appliance.system.wanted import read_wanted

if TYPE_CHECKING:
    import argparse

    from appliance.system.wanted import Wanted

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "system-apply"
HELP = "apply host name, time zone, network and requests as root (run by systemd)"
SERVICE = "branchbox.service"
UPDATE_UNIT = "branchbox-update.service"
EXIT_DONE, EXIT_REFUSED = 0, 1
ROUNDS = 4
"People do not change their minds faster than this, and a loop must end."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.description = "Apply what the exchange left in its data folder. Run as root, by systemd."
    parser.add_argument(
        "--data", metavar="DIR", type=Path, default=Path("var"), help="the exchange's data folder"
    )
    parser.add_argument(
        "--root", metavar="DIR", type=Path, default=Path("/"), help="change files below DIR only"
    )


def run(args: argparse.Namespace) -> int:
    """Apply, then do what was requested. 0 done, 1 something was refused or failed."""
    machine = Box(args.root)
    applied: Wanted | None = None
    # systemd does not start us again for what changes while we run: look once more, and some more times at most.
    for _ in range(ROUNDS):
        try:
            wanted = read_wanted(args.data)
            if wanted == applied:
                break
            if wanted is not None:
                machine.apply(wanted)
            applied = wanted
        except (ConfigError, OSError) as error:
            # A bad file changes nothing: the box stays as it was, with the network it had.
            machine.fail(f"refused: {error}")
            break
    if applied is None and not machine.failed:
        machine.said.append("nothing is wanted")
    _do_request(args.data, machine)
    sys.stdout.write("".join(f"{line}\n" for line in machine.said or ["nothing to do"]))
    return EXIT_REFUSED if machine.failed else EXIT_DONE


def _do_request(data: Path, machine: Box) -> None:
    action = box.read_request(data)
    if action is None:
        # systemd starts us for as long as it is there.
        box.forget_request(data)
        return
    machine.said.append(f"requested: {action}")
    match action:
        # --no-block: this oneshot is ordered before the service and would wait for itself.
        case "restart-service":
            box.forget_request(data)
            done = machine.run("systemctl", "--no-block", "restart", SERVICE)
        case "reboot":
            box.forget_request(data)
            done = machine.run("systemctl", "--no-block", "reboot")
        case "update":
            box.forget_request(data)
            done = machine.run("systemctl", "--no-block", "start", UPDATE_UNIT)
        case "factory-reset":
            done = _factory_reset(data, machine)
    machine.failed = machine.failed or not done


def _factory_reset(data: Path, machine: Box) -> bool:
    """Everything of the exchange's goes, then the box starts as on its first day."""
    machine.run("systemctl", "stop", SERVICE)
    left = box.wipe(data)
    if left:
        machine.said.append(f"could not delete: {', '.join(left)}")
    # Forgotten also when something would not go: a box that resets for ever is worse than one with a rest.
    box.forget_request(data)
    return machine.run("systemctl", "--no-block", "reboot") and not left
