"""What was learned about the servers outside: which optional features of ours they cannot stand.

Kept in memory: a carrier that has mended itself is tried anew after a restart.
"""

from __future__ import annotations

from typing import Literal

__all__ = ["Feature", "Learned"]

Feature = Literal["100rel"]


class Learned:
    """By line or trunk, named as in routes; there are no more of these than are set up."""

    def __init__(self) -> None:
        self._lacking: dict[str, dict[Feature, float]] = {}

    def note(self, way: str, feature: Feature, at: float) -> None:
        """A call came about without the feature, right after it had failed with it. `at`: seconds since 1970."""
        self._lacking.setdefault(way, {}).setdefault(feature, at)

    def lacks(self, way: str, feature: Feature) -> bool:
        """Whether calls by that way do without the feature."""
        return feature in self._lacking.get(way, ())

    def of(self, way: str) -> dict[Feature, float]:
        """What calls by that way do without, and since when."""
        return dict(self._lacking.get(way, {}))

    def forget(self, way: str) -> None:
        """Try everything again there."""
        self._lacking.pop(way, None)
