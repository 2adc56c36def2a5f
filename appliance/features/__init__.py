"""Supplementary services, one a file. What is not in `FEATURES` does not run."""

from __future__ import annotations

__all__ = ["FEATURES"]

FEATURES: tuple[object, ...] = ()
"Every service of the exchange, in the order in which they are asked."
