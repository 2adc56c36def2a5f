"""Logging to standard error, one line an event, in the form the journal reads best."""

from __future__ import annotations

import logging
import os
import sys

__all__ = ["configure"]


def configure(level: int = logging.INFO) -> None:
    """Set up logging for this process. Under systemd, which adds the time itself, lines carry none."""
    under_systemd = "JOURNAL_STREAM" in os.environ
    layout = "%(levelname)s %(name)s: %(message)s"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(layout if under_systemd else f"%(asctime)s {layout}"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
