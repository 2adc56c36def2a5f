"""What the database remembers of a file whose settings are in it, until the file's secrets are gone: digests with a secret key."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import msgspec

from appliance.store import own_secrets
from appliance.store import settings as settings_table

if TYPE_CHECKING:
    import sqlite3

__all__ = ["MARKER", "forget", "is_applied", "remember"]

MARKER = b"# Branchbox has applied this file and removes what was in it.\n"
"How a file begins whose secrets are being overwritten: written first, and by itself, within one sector."
ROW = "state.first_boot"
PURPOSE = "first_boot"


class _Trace(msgspec.Struct, frozen=True):
    whole: str
    tail: str
    "Of what stands behind the marker's length."


def remember(db: sqlite3.Connection, content: bytes) -> None:
    """Note, in the transaction in which they are stored, that the settings of this file are."""
    settings_table.put(db, ROW, msgspec.json.encode(_trace(db, content)))


def is_applied(db: sqlite3.Connection, content: bytes) -> tuple[bool, bool]:
    """Whether this is the file whose settings are stored: untouched, or with its beginning overwritten in part."""
    stored = settings_table.load(db, ROW)
    if stored is None:
        return False, False
    known, trace = msgspec.json.decode(stored, type=_Trace), _trace(db, content)
    return known.whole == trace.whole, known.tail == trace.tail and content[:1] == MARKER[:1]


def forget(db: sqlite3.Connection) -> None:
    """The file is gone, or known by its marker: the same one may be put there again, and shall count."""
    settings_table.remove(db, ROW)


def _trace(db: sqlite3.Connection, content: bytes) -> _Trace:
    key = own_secrets.load(db, PURPOSE, 32)
    tail = len(content).to_bytes(8, "big") + content[len(MARKER) :]
    return _Trace(hmac.digest(key, content, "sha256").hex(), hmac.digest(key, tail, "sha256").hex())
