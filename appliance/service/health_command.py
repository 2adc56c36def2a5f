"""`branchbox health`: is the exchange well? With `--verdict`: is the update on trial, and what becomes of it?

systemd starts the latter at every start of the box and after every update (branchbox-health.service). It runs from the
program that is kept, so a new one does not judge itself.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from appliance.errors import ConfigError
from appliance.locale import say
from appliance.locale.tongue import explain, language
from appliance.service import place_options
from appliance.service.health import CHECKS, Health
from appliance.system.apply import Box
from appliance.system.update.standing import come_back, conclude, keep, standing
from appliance.system.update.state import Before, read_state
from appliance.system.update.verdict import Probation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from appliance.system.update.site import Site
    from appliance.system.update.state import Trial
    from appliance.system.update.verdict import Verdict

__all__ = ["HELP", "NAME", "add_arguments", "run", "watch"]

NAME = "health"
HELP = "say whether the exchange is well"
LOOK_EVERY_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    place_options.add_arguments(parser)
    place_options.add_addresses(parser)
    parser.add_argument(
        "--verdict", action="store_true", help="watch an update that is on trial, and keep it or go back"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 all well, or the trial has ended; 1 something is not."""
    tongue = language()
    # Beside the folder of updates: /data/servers, /var/lib/branchbox/servers.
    further = arguments.releases.parent / "servers"
    health = Health(arguments.data, arguments.sip, arguments.web, further)
    if not arguments.verdict:
        missing = health.missing(Before())
        for name in CHECKS:
            sys.stdout.write(f"{'--' if name in missing else 'ok'}  {say(f'update.check.{name}', tongue)}\n")
        return 1 if missing else 0
    site = place_options.site(arguments)
    try:
        sys.stdout.write(anyio.run(watch, site, health.missing, Box(site.root)) + "\n")
    except ConfigError as error:
        # Nothing that another try would change: the box goes on with what runs.
        sys.stderr.write(f"branchbox: {explain(error, tongue)}\n")
    return 0


async def watch(site: Site, look: Callable[[Before], frozenset[str]], machine: Box) -> str:
    """Wait for the end of the trial, if there is one; a line on how it ended. ConfigError, OSError."""
    trial = read_state(site.releases).trial
    if trial is None:
        return say("update.no_trial", language())
    end = await _end(site, trial, look)
    if end.verdict == "keep":
        if trial.kind == "application":
            # They ran what was kept until now; an update is tried by the first one alone.
            machine.run("systemctl", "--no-block", "try-restart", place_options.FURTHER_UNITS)
        return say("update.is_kept", language(), version=trial.version)
    if end.runs:
        match trial.kind:
            case "application":
                machine.run("systemctl", "--no-block", "restart", place_options.UNIT)
            case "image":
                machine.run("systemctl", "reboot")
    return say("update.is_gone", language(), version=trial.version, missing=", ".join(sorted(end.missing)))


@dataclass(frozen=True, slots=True)
class _End:
    """How a trial ended."""

    verdict: Verdict
    missing: frozenset[str] = frozenset()
    runs: bool = False
    "Whether what was tried still runs; otherwise what was before does already, and nobody's call need end."


async def _end(site: Site, trial: Trial, look: Callable[[Before], frozenset[str]]) -> _End:
    probation = Probation(anyio.current_time())
    while True:
        match stands := await anyio.to_thread.run_sync(standing, site, trial):
            case "kept":
                # The power was cut between keeping it and remembering so.
                await anyio.to_thread.run_sync(conclude, site, "kept")
                return _End("keep")
            case "gone":
                # It ended before it could be judged, and what ran before was started again.
                await anyio.to_thread.run_sync(come_back, site, trial, probation.missing)
                return _End("come_back", probation.missing)
            case "waiting":
                missing = frozenset({"sip"})
            case "trying":
                missing = await anyio.to_thread.run_sync(look, trial.before)
        verdict = probation.look(anyio.current_time(), missing)
        if verdict == "keep":
            await anyio.to_thread.run_sync(keep, site, trial)
            return _End(verdict)
        if verdict == "come_back":
            await anyio.to_thread.run_sync(partial(come_back, site, trial, sorted(missing)))
            return _End(verdict, missing, runs=stands == "trying")
        await anyio.sleep(LOOK_EVERY_S)
