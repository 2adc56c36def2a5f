"""`branchbox selftest`: does this program, on this machine, carry a call?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import anyio

from appliance.errors import ConfigError
from appliance.locale import say
from appliance.locale.tongue import language
from appliance.selftest.scenario import run_scenario

if TYPE_CHECKING:
    import argparse

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "selftest"
HELP = "start an exchange, place a call between two built-in phones, and listen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are no options."""
    parser.description = (
        "Start an exchange on loopback, place a call between two built-in phones, and listen."
    )


def run(_: argparse.Namespace) -> int:
    """0 when every step passed; 1 otherwise, with the step and the reason on standard error."""
    tongue = language()

    def tell(step: str) -> None:
        sys.stdout.write(f"[ok] {say(f'selftest.step.{step}', tongue)}\n")
        sys.stdout.flush()

    failure = anyio.run(run_scenario, tell)
    if failure is None:
        sys.stdout.write(say("selftest.passed", tongue) + "\n")
        return 0
    step = say(f"selftest.step.{failure.step}", tongue)
    reason = failure.reason
    if isinstance(reason, ConfigError):
        reason = f"{reason.path}: {say(reason.key, tongue, **reason.params)}"
    lines = [say("selftest.failed", tongue, step=step, reason=reason)]
    if failure.log:
        lines += [say("selftest.log", tongue), *(f"  {line}" for line in failure.log)]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return 1
