"""Whether an update has proved itself. Pure: what was found, and when, goes in; the verdict comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["DEADLINE_S", "HOLD_S", "Probation", "Verdict"]

HOLD_S = 180.0
"All must be well for that long without a break: a leak or a crash in a loop shows itself within minutes."
DEADLINE_S = 900.0
"""From the beginning of the trial. Phones register anew within minutes after a restart, carriers that answered 403
or 503 to a fast second REGISTER within ten."""

Verdict = Literal["wait", "keep", "come_back"]


@dataclass(slots=True)
class Probation:
    """One trial."""

    began_at: float
    hold: float = HOLD_S
    deadline: float = DEADLINE_S
    well_since: float | None = None
    missing: frozenset[str] = field(default_factory=frozenset)
    "What failed at the last look."

    def look(self, now: float, missing: frozenset[str]) -> Verdict:
        """`missing` are the checks that fail now (seconds of one clock)."""
        self.missing = missing
        if missing:
            self.well_since = None
        elif self.well_since is None:
            self.well_since = now
        if self.well_since is not None and now - self.well_since >= self.hold:
            return "keep"
        # Who is well at the deadline, but not yet for long enough, gets the time that is missing.
        if now - self.began_at >= self.deadline and self.well_since is None:
            return "come_back"
        return "wait"
