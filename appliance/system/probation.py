"""A change of the network on probation: tried out, and undone unless somebody confirms it from where it leads.

    settled --begin--> on trial --confirm--> settled on the new
                           |-----undo, 120 s, a restart of either kind--> settled on the old

What was confirmed is what the database has and what boots. A trial lives in memory, and for root in `system.json`
with the boot it belongs to; so a power cut at any moment leads back to what was confirmed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.system.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.clock import Timer, Timers
    from appliance.config.network import NetworkSettings

__all__ = ["PROBATION_S", "REPORT_FILE", "Probation", "Trial", "applied_id", "boot_id"]

PROBATION_S = 120.0
"Long enough to plug a laptop in elsewhere and log in, short enough to wait for after a mistake."
REPORT_FILE = "run/branchbox-system/trial"
"Below root: the id of the trial that `system-apply` has put into force. In a folder of root's own."
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Trial:
    """One change that is being tried out."""

    network: NetworkSettings
    until: float
    "By the clock it was begun by."
    id: str


class Probation:
    """At most one trial at a time."""

    def __init__(
        self,
        timers: Timers,
        told: Callable[[Trial | None], None],
        applied: Callable[[], str] | None = None,
    ) -> None:
        """`told` is told of each change of the trial; `applied` gives the id of the trial that is in force (blocks)."""
        self._timers = timers
        self._told = told
        self._applied = applied or applied_id
        self._timer: Timer | None = None
        self._trial: Trial | None = None

    @property
    def trial(self) -> Trial | None:
        """What is tried out now."""
        return self._trial

    @property
    def seconds_left(self) -> float:
        """Until it is undone; 0 without a trial."""
        return 0.0 if self._trial is None else max(0.0, self._trial.until - self._timers.now())

    def begin(self, network: NetworkSettings) -> None:
        """Try this out, for the whole time from now on, in place of what was tried before."""
        self._become(Trial(network, self._timers.now() + PROBATION_S, secrets.token_hex(8)))

    def end(self) -> None:
        """The trial is over: confirmed, or given up. What the settings say holds. Without a trial nothing happens."""
        if self._trial is not None:
            self._become(None)

    def is_applied(self) -> bool:
        """Whether the trial is really in force, so that whoever reaches the box reaches it by the new way. Blocks."""
        return self._trial is not None and self._applied() == self._trial.id

    def _become(self, trial: Trial | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._trial = trial
        self._timer = None if trial is None else self._timers.after(PROBATION_S, self.end)
        self._told(trial)


def applied_id(root: Path = Path("/")) -> str:
    """The trial that root reported as applied; empty without one."""
    try:
        return read_bounded(root / REPORT_FILE).decode("ascii", "replace").strip()
    except OSError:
        return ""


def boot_id() -> str:
    """Which boot this is; another one after every start of the machine. Empty where Linux does not say."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
