"""How old the system is that runs: a box that takes no updates falls behind, and nobody notices."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.system.box import on_appliance

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OLD_DAYS", "built_at", "days_old"]

OLD_DAYS = 180
"From then on it is said. Debian has mended something that matters every few weeks."
BASE_VARIABLE = "BRANCHBOX_BASE"
BASE = "/usr/lib/branchbox"
FILE = "base"
"Comes with the image, whose files all have the moment that it stands for (SOURCE_DATE_EPOCH)."
DAY_S = 86_400.0


def built_at(environment: Mapping[str, str] = os.environ) -> float | None:
    """Of the image that runs, in seconds since 1970; None where this is no image, or it does not say. Blocks."""
    if not on_appliance(environment):
        return None
    try:
        return Path(environment.get(BASE_VARIABLE) or BASE, FILE).stat().st_mtime or None
    except OSError:
        return None


def days_old(built: float | None, now: float) -> int:
    """Whole days; 0 when it is not known, or the clock is not set yet."""
    return 0 if built is None else max(0, int((now - built) / DAY_S))
