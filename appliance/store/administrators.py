"""Table `administrators`: who may change the exchange. Passwords are kept as Argon2id (RFC 9106) only.

Hashing takes a tenth of a second and more: call `hash_password` and `verify_password` in a worker thread.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

if TYPE_CHECKING:
    import sqlite3

__all__ = ["any_exists", "hash_password", "password_hash", "put", "verify_password"]

# RFC 9106 §4 would like 64 MiB; a Raspberry Pi 3 has 1 GiB for everything and must go on switching calls
# meanwhile. 32 MiB in three passes is above OWASP's floor (19 MiB, two passes) and takes it under a second.
MEMORY_KIB = 32 * 1024
PASSES = 3
# One lane: the exchange itself needs the other cores.
LANES = 1
SALT_OCTETS = 16
HASH_OCTETS = 32


def any_exists(db: sqlite3.Connection) -> bool:
    """Whether somebody has set the box up."""
    return db.execute("SELECT 1 FROM administrators LIMIT 1").fetchone() is not None


def password_hash(db: sqlite3.Connection, name: str) -> str | None:
    """The stored hash, with its parameters in it (PHC form); None for an unknown name."""
    row = db.execute("SELECT password_hash FROM administrators WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def put(db: sqlite3.Connection, name: str, hashed: str) -> None:
    """Add an administrator or give one a new password."""
    db.execute(
        "INSERT OR REPLACE INTO administrators (name, password_hash, changed_at) VALUES (?, ?, ?)",
        (name, hashed, time.time()),
    )


def hash_password(password: str) -> str:
    """Hash a password, slowly on purpose."""
    return Argon2id(
        salt=os.urandom(SALT_OCTETS),
        length=HASH_OCTETS,
        iterations=PASSES,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    ).derive_phc_encoded(password.encode())


def verify_password(password: str, hashed: str) -> bool:
    """Whether the password belongs to the hash, by the parameters the hash was made with."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), hashed)
    except InvalidKey:
        return False
    return True
