"""Targets that failed lately: they are tried last for a while.

RFC 3263 §4.3; RFC 3261 §20.33 (Retry-After), §21.5.4 (503).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.sip.message import Response
    from appliance.sip.transport.locate import Target

__all__ = ["FAILED_FOR", "MAX_RETRY_AFTER", "FailedTargets", "retry_after"]

FAILED_FOR = 60.0
"Seconds that a target which was silent or refused is tried last: about twice what a try takes (timer B)."

MAX_RETRY_AFTER = 3600.0
"Seconds, whatever a server asks for: it may have been mistaken, or mended."

MAX_FAILED = 1024
"Targets remembered, some 300 octets each; the one that failed longest ago gives way."

_SECONDS = re.compile(r"[0-9]{1,10}")


class FailedTargets:
    """A bounded memory."""

    def __init__(self) -> None:
        self._until: dict[Target, float] = {}

    def note(self, target: Target, now: float, seconds: float | None = None) -> None:
        """The target failed; it asked to be left alone for so many `seconds`, or said nothing."""
        self._until.pop(target, None)
        self._until[target] = now + (FAILED_FOR if seconds is None else min(seconds, MAX_RETRY_AFTER))
        if len(self._until) > MAX_FAILED:
            del self._until[next(iter(self._until))]

    def works(self, target: Target) -> None:
        """The target answered."""
        self._until.pop(target, None)

    def order(self, targets: Iterable[Target], now: float) -> list[Target]:
        """The same targets: those that failed lately behind the others, the soonest to come back first."""
        return sorted(targets, key=lambda target: self._rest(target, now))

    def _rest(self, target: Target, now: float) -> float:
        until = self._until.get(target)
        if until is None:
            return 0.0
        if until <= now:
            del self._until[target]
            return 0.0
        return until - now


def retry_after(response: Response) -> float | None:
    """The seconds of a Retry-After header; None when it says none."""
    found = _SECONDS.match(response.headers.get("Retry-After") or "")
    return None if found is None else float(found[0])
