"""When a line that is registered at a server of second choice asks the first one again.

RFC 3263 §4.3 says when to leave a server, and nothing of coming back; RFC 2782 has all use the first priority that is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.sip.transport.flow import Flow

__all__ = ["AFTER", "NEEDS", "SOON", "FailBack"]

AFTER = 600.0
"Seconds at a server before a refresh tries those that DNS would rather have: one that dies and comes back pulls nobody to and fro."
NEEDS = 40.0
"Seconds that a registration must last still: a first server that is silent costs 32 of them (timer F)."
SOON = 5.0
"Seconds after a refresh that a registration is tried which never lasts so long at its next one."


class FailBack:
    """Of one line."""

    def __init__(self) -> None:
        self._flow: Flow | None = None
        self._since = 0.0

    def settled(self, flow: Flow | None, now: float) -> None:
        """The line is registered there, once more or anew."""
        if flow is None or self._flow is None or not flow.same_way(self._flow):
            self._flow, self._since = flow, now

    def tried(self, now: float) -> None:
        """Better servers are being asked."""
        self._since = now

    def is_due(self, now: float, until: float | None) -> bool:
        """Whether better servers may be asked, by a line that stays registered `until` then."""
        return now - self._since >= AFTER and until is not None and until - now >= NEEDS

    def hastened(self, pause: float, now: float, until: float) -> float:
        """The pause before a refresh, which is shorter where a later one could not ask better servers."""
        late = not self.is_due(now + pause, until)
        return min(pause, SOON) if late and self.is_due(now + SOON, until) else pause
