"""Wrong passwords, counted for each pair of source address and extension.

Two hundred phones behind one address have two hundred pairs: one that is mistyped does not shut out the rest.
"""

from __future__ import annotations

__all__ = ["MAX_FAILURES", "MAX_PAIRS", "WINDOW", "Throttle"]

MAX_FAILURES = 10
"Wrong passwords in one window. A phone with an old password tries once or twice a minute."

WINDOW = 60.0
"Seconds. Ten tries a minute are 5 million a year, against a generated password's 10**17."

MAX_PAIRS = 8192
"Pairs remembered, about 250 octets each; the one that failed longest ago gives way."


class Throttle:
    """Says when a pair has failed too often to be believed."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], tuple[float, int]] = {}

    def blocks(self, source: str, number: str, now: float) -> bool:
        """Whether the pair has failed so often lately that even the right password would not do."""
        since, count = self._failures.get((source, number), (now, 0))
        return count >= MAX_FAILURES and now - since < WINDOW

    def failed(self, source: str, number: str, now: float) -> None:
        """Count a wrong password."""
        since, count = self._failures.pop((source, number), (now, 0))
        if now - since >= WINDOW:
            since, count = now, 0
        self._failures[source, number] = since, count + 1
        if len(self._failures) > MAX_PAIRS:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, source: str, number: str) -> None:
        """Forget a pair's failures: the person found the right password."""
        self._failures.pop((source, number), None)
