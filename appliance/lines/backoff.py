"""When to register again: before a registration expires, and after one has failed. Pure: chance is an argument.

RFC 3261 §10.2.4 (refresh), §20.33 (Retry-After); RFC 5626 §4.5 (back-off).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AWAY", "LOST", "REFUSED", "STEADY", "Pauses", "obeyed", "refresh_after"]

MARGIN = 64.0
"Seconds that a refresh has before the end, where there are so many: two servers may stay silent, each for timer F."

LEAST_PAUSE = 5.0
"Seconds before another try, whatever a server asks for: `Retry-After: 0` is no reason to ask it without end."

LONGEST_PAUSE = 3600.0
"Seconds, whatever a server asks for: it may have been mistaken, or mended."

LOST = 3.0
"""Seconds at most before we come back after a connection is lost: at once, but not in the same moment as all other
customers of a server that has started anew."""

STEADY = 120.0
"""Seconds that a registration stands before the loss of its connection says nothing against the server: RFC 5626 §4.5
forgets failures after as much."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses that grow with each failure, up to a ceiling, and never end."""

    first: float
    "The longest that the first one may be, in seconds."
    ceiling: float
    "The longest that any may be, in seconds."
    spread: float
    "The share of it that is left to chance: not all customers of a carrier shall come back at once."

    def after(self, failures: int, chance: float) -> float:
        """Seconds after that many failures in a row, 1 or more; `chance` is from 0 to below 1."""
        # §4.5: the upper bound doubles with each failure; the exponent is held down, not the result alone.
        longest = min(self.ceiling, self.first * 2.0 ** min(failures - 1, 30))
        return longest * (1.0 - self.spread * chance)


AWAY = Pauses(60.0, 600.0, 0.5)
"""Nobody answers, or not now. §4.5: 30 s doubled once and again, of which 50 to 100 % are waited. Its ceiling of 1,800 s
would leave an office without its line for half an hour after the carrier is back."""

REFUSED = Pauses(600.0, 3600.0, 0.1)
"""The carrier does not want us: somebody has to change something, here or there, and it may lock an account that asks
too often."""


def obeyed(retry_after: float | None, usual: float, chance: float) -> float:
    """The pause when a server has asked for one, which may be longer or shorter than the usual one; in seconds."""
    if not retry_after:
        return usual
    # What it asked for is the least: up to a tenth more keeps its customers apart.
    return max(LEAST_PAUSE, min(retry_after, LONGEST_PAUSE)) * (1.0 + 0.1 * chance)


def refresh_after(expiry: float, chance: float) -> float:
    """Seconds until a registration that lasts `expiry` seconds is refreshed: between half and nine tenths of them."""
    early, late = 0.5 * expiry, 0.9 * expiry
    late = max(early, min(late, expiry - MARGIN))
    return early + (late - early) * chance
