"""Gives a machine every input in every state that it can reach, and watches how it takes it.

The idea is h2's, whose Hypothesis draws the pairs; here all are tried. A state is all that a machine keeps.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from appliance.errors import LocalError, PeerError

__all__ = ["explore"]

M = TypeVar("M")


def explore(
    machines: Iterable[M],
    inputs: Mapping[str, Callable[[M], object]],
    name: Callable[[M], str],
    *,
    steps: int,
) -> dict[tuple[str, str], set[str]]:
    """What came of each input in each state that is reached from `machines` within so many steps.

    The result is by pairs: the state's `name` and the input's; the outcomes are `ok`, `LocalError` and the status of a
    PeerError. Another error is a defect and ends the exploration, as does an input that was refused and changed something.
    """
    outcomes: dict[tuple[str, str], set[str]] = {}
    found = {pickle.dumps(machine) for machine in machines}
    frontier = set(found)
    for _ in range(steps):
        reached = set[bytes]()
        for state in frontier:
            for label, give in inputs.items():
                machine: M = pickle.loads(state)
                pair = name(machine), label
                outcome = _outcome(machine, give)
                outcomes.setdefault(pair, set()).add(outcome)
                after = pickle.dumps(machine)
                assert outcome == "ok" or after == state, (pair, outcome)
                reached.add(after)
        frontier = reached - found
        found |= frontier
    return outcomes


def _outcome(machine: M, give: Callable[[M], object]) -> str:
    try:
        give(machine)
    except PeerError as refusal:
        return str(refusal.status)
    except LocalError:
        return "LocalError"
    return "ok"
