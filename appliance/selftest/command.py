"""`branchbox selftest`: does this program, on this machine, carry a call?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import anyio

from appliance.errors import ConfigError
from appliance.locale import say
from appliance.locale.tongue import explain, language
from appliance.selftest.scenario import StoppedError, run_scenario

if TYPE_CHECKING:
    import argparse

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "selftest"
INTERRUPTED = 130  # what shells say for a program that was told to stop
HELP = "start an exchange, place a call between two built-in phones, and listen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are no options."""
    parser.description = (
        "Start an exchange on loopback, place a call between two built-in phones, and listen."
    )


def run(_: argparse.Namespace) -> int:
    """0 when every step passed; 1 otherwise, with the step and the reason on standard error; 130 when stopped."""
    tongue = language()

    def tell(step: str) -> None:
        sys.stdout.write(f"[ok] {say(f'selftest.step.{step}', tongue)}\n")
        sys.stdout.flush()

    try:
        failure = anyio.run(run_scenario, tell)
    except StoppedError:
        return INTERRUPTED
    if failure is None:
        sys.stdout.write(say("selftest.passed", tongue) + "\n")
        return 0
    step = say(f"selftest.step.{failure.step}", tongue)
    reason = failure.reason
    if isinstance(reason, ConfigError):
        reason = explain(reason, tongue)
    lines = [say("selftest.failed", tongue, step=step, reason=reason)]
    if failure.log:
        lines += [say("selftest.log", tongue), *(f"  {line}" for line in failure.log)]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return 1
