"""Table `tokens`: bearer tokens of the HTTP API (RFC 6750), kept as SHA-256.

A token is 32 random octets, so that a plain hash of it tells nobody anything.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

__all__ = ["MAX_TOKENS", "TokenRow", "add", "find", "load", "remove"]

# A script needs one each; a box with more of them has lost count, and so would its administrator.
MAX_TOKENS = 100
TOKEN_OCTETS = 32


class TokenRow(msgspec.Struct, frozen=True):
    """What is known about a token. The token itself is not."""

    id: str
    name: str
    created_at: float
    "Seconds since 1970 in UTC."


def add(db: sqlite3.Connection, name: str) -> tuple[TokenRow, str] | None:
    """Make a token; it is returned this once. None when there are MAX_TOKENS already."""
    (count,) = db.execute("SELECT count(*) FROM tokens").fetchone()
    if count >= MAX_TOKENS:
        return None
    row, token = TokenRow(secrets.token_hex(4), name, time.time()), secrets.token_urlsafe(TOKEN_OCTETS)
    db.execute(
        "INSERT INTO tokens (id, name, hash, created_at) VALUES (?, ?, ?, ?)",
        (row.id, row.name, _hash(token), row.created_at),
    )
    return row, token


def load(db: sqlite3.Connection) -> list[TokenRow]:
    """All tokens, the oldest first."""
    return [
        TokenRow(*row)
        for row in db.execute("SELECT id, name, created_at FROM tokens ORDER BY created_at, id")
    ]


def find(db: sqlite3.Connection, token: str) -> TokenRow | None:
    """Whose token this is; None for nobody's."""
    row = db.execute("SELECT id, name, created_at FROM tokens WHERE hash = ?", (_hash(token),)).fetchone()
    return None if row is None else TokenRow(*row)


def remove(db: sqlite3.Connection, token_id: str) -> bool:
    """Make a token void; False when there is none with this id."""
    return db.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount > 0


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
