"""Random secrets of the exchange's own, one for each purpose: rows of the table `settings`, made when first asked for."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from appliance.store import settings

if TYPE_CHECKING:
    import sqlite3

__all__ = ["load"]

PREFIX = "secret."
"Before the purpose, where other rows have their area."


def load(db: sqlite3.Connection, purpose: str, octets: int) -> bytes:
    """The secret for this purpose, the same at every start."""
    known = settings.load(db, PREFIX + purpose)
    if known is not None:
        return bytes.fromhex(known.decode().strip('"'))
    made = secrets.token_bytes(octets)
    settings.put(db, PREFIX + purpose, f'"{made.hex()}"'.encode())
    return made
