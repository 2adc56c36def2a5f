"""How the database came to have its shape. Order matters; add at the end, never edit what was released.

An update that does not prove itself goes, and the program before it opens the database that the update migrated. So a
migration adds: tables, and columns with a default. What takes something away or gives it another meaning waits for a
release after the one that stopped using it, and its number goes into BREAKING.
"""

from __future__ import annotations

__all__ = ["APPLICATION_ID", "BREAKING", "MIGRATIONS"]

# "BrBx", so that a backup can be told from any other SQLite file (and `file` can be taught to name it).
APPLICATION_ID = 0x42724278

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE settings (area TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
        """CREATE TABLE extensions (
            number TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            ha1_md5 TEXT NOT NULL,
            ha1_sha256 TEXT NOT NULL,
            enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
            ring_seconds INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE records (
            row INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            started_at REAL NOT NULL,
            answered_at REAL,
            ended_at REAL NOT NULL,
            from_number TEXT NOT NULL,
            from_name TEXT NOT NULL,
            to_number TEXT NOT NULL,
            answered_by TEXT,
            duration REAL NOT NULL,
            status INTEGER NOT NULL,
            cause TEXT NOT NULL,
            ended_by TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX records_from ON records (from_number, row)",
        "CREATE INDEX records_to ON records (to_number, row)",
        "CREATE INDEX records_by ON records (answered_by, row)",
        """CREATE TABLE administrators (
            name TEXT PRIMARY KEY,
            password_hash TEXT NOT NULL,
            changed_at REAL NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE tokens (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE,
            created_at REAL NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE bindings (
            number TEXT NOT NULL,
            contact TEXT NOT NULL,
            q REAL NOT NULL,
            transport TEXT NOT NULL,
            local_host TEXT NOT NULL,
            local_port INTEGER NOT NULL,
            remote_host TEXT NOT NULL,
            remote_port INTEGER NOT NULL,
            granted INTEGER NOT NULL,
            user_agent TEXT NOT NULL,
            call_id TEXT NOT NULL,
            cseq INTEGER NOT NULL,
            registered_at REAL NOT NULL,
            PRIMARY KEY (number, contact)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE extensions ADD COLUMN ha1_sha512_256 TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE bindings ADD COLUMN path TEXT NOT NULL DEFAULT ''",
    ),
    (
        "ALTER TABLE extensions ADD COLUMN level INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE items (
            area TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (area, key)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE records ADD COLUMN way_in TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE records ADD COLUMN way_out TEXT NOT NULL DEFAULT ''",
    ),
    ("ALTER TABLE records ADD COLUMN steps TEXT NOT NULL DEFAULT '[]'",),
    (
        """CREATE TABLE lessons (
            way TEXT NOT NULL,
            feature TEXT NOT NULL,
            with_it INTEGER NOT NULL CHECK (with_it IN (0, 1)),
            said TEXT NOT NULL,
            learned_at REAL NOT NULL,
            pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
            PRIMARY KEY (way, feature)
        ) STRICT, WITHOUT ROWID""",
    ),
    ("ALTER TABLE records ADD COLUMN emergency INTEGER NOT NULL DEFAULT 0 CHECK (emergency IN (0, 1))",),
)

BREAKING: frozenset[int] = frozenset({1})
"Numbers of migrations, counted from 1, after which a program that does not know them cannot use the database."
