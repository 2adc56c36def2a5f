"""From the file on the card to settings in the database, and to a file without secrets. A power cut may come at any moment.

1. The settings and the administrator's password are stored in one transaction, with a trace of the file.
2. `NAME.done` is written: what became of it, and its settings without secrets.
3. The file's beginning is overwritten by a marker, alone; then the rest of it, in place.
4. The trace is forgotten, and the file removed.

At the next start the file is gone, or begins with the marker (on with 3), or is the one with a trace (on with 2 or 3), or
is one that was never applied. The exchange must not be running: the database is taken for the while.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import anyio.to_thread
import msgspec
import tomli_w

from appliance import __version__
from appliance.backup.restoring import recover
from appliance.config.config import Config
from appliance.config.stored import save
from appliance.control.areas.import_ import Imported, counted
from appliance.control.areas.placeholders import secrets
from appliance.control.login import Login
from appliance.errors import ConfigError
from appliance.features import settings_areas
from appliance.first_boot import trace
from appliance.first_boot.document import read, redacted, settings
from appliance.locale import LANGUAGES, say
from appliance.locale.tongue import explain
from appliance.store import administrators
from appliance.store.store import Store
from appliance.system.wanted import Wanted, write_wanted

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from appliance.config.snapshot import Snapshot
    from appliance.first_boot.card import Card
    from appliance.first_boot.document import Document

__all__ = ["Outcome", "first_boot"]

ADMINISTRATOR = "admin"
LINE_END = "\r\n"
"The card is read on laptops of every kind."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    kind: Literal["nothing", "applied", "refused", "cleaned"]
    "`cleaned`: an earlier start had applied it already."
    error: ConfigError | None = None


async def first_boot(card: Card, data: Path, name: str) -> Outcome:
    """Apply the file `name`, if it is there. OSError: the card cannot be written; what was applied stays so."""
    try:
        content = await anyio.to_thread.run_sync(card.read, name)
        if content is None:
            return Outcome("nothing")
        store = await Store.open(data)
    except ConfigError as error:
        return await _refused(card, name, error)
    try:
        return await _Application(card, store, name, content).run()
    except ConfigError as error:
        return await _refused(card, name, error)
    finally:
        await store.close()


class _Application:
    """One file."""

    def __init__(self, card: Card, store: Store, name: str, content: bytes) -> None:
        self._card = card
        self._store = store
        self._name = name
        self._content = content

    async def run(self) -> Outcome:
        if self._content.startswith(trace.MARKER) or trace.MARKER.startswith(self._content or b"-"):
            await self._clean()
            return Outcome("cleaned")
        await recover(self._store)
        now = (await Config.open(self._store, settings_areas())).current
        untouched, touched = await self._store.run(lambda db: trace.is_applied(db, self._content))
        if touched and not untouched:
            await self._clean()
            return Outcome("cleaned")
        document = read(self._content, now)
        if untouched:
            # What it has changed, the power cut took with it; that it is applied is all there is to say.
            await self._finish(redacted(document, secrets(now)), Wanted.by(now.system), None)
            return Outcome("cleaned")
        wanted, imported = await self._apply(now, document)
        await self._finish(redacted(document, secrets(now)), wanted, imported)
        return Outcome("applied")

    async def _apply(self, now: Snapshot, document: Document) -> tuple[Wanted, Imported]:
        new = await anyio.to_thread.run_sync(settings, now, document)
        password = document.get("administrator", {}).get("password")
        hashed = None if password is None else await Login().make("administrator.password", password)
        stored = msgspec.structs.replace(new, revision=now.revision + 1)

        def commit(db: sqlite3.Connection) -> None:
            if new != now:
                save(db, now, stored)
            if hashed is not None:
                administrators.put(db, ADMINISTRATOR, hashed)
            trace.remember(db, self._content)

        # Root would refuse it later, when nobody is asked any more.
        wanted = Wanted.by(new.system)
        await self._store.run(commit)
        return wanted, counted(now, new)

    async def _finish(self, document: Document, wanted: Wanted, imported: Imported | None) -> None:
        # For root, who makes the network by it in this very start; the exchange writes the same once it runs.
        await anyio.to_thread.run_sync(write_wanted, self._store.folder, wanted)
        text = await anyio.to_thread.run_sync(_told, self._name, document, imported)
        await anyio.to_thread.run_sync(self._card.write, self._name + ".done", text)
        await anyio.to_thread.run_sync(self._card.remove, self._name + ".error.txt")
        await self._clean()

    async def _clean(self) -> None:
        rest = b"#" * max(0, len(self._content) - len(trace.MARKER))
        await anyio.to_thread.run_sync(self._card.overwrite, self._name, 0, trace.MARKER)
        await anyio.to_thread.run_sync(self._card.overwrite, self._name, len(trace.MARKER), rest)
        await self._store.run(trace.forget)
        await anyio.to_thread.run_sync(self._card.remove, self._name)


async def _refused(card: Card, name: str, error: ConfigError) -> Outcome:
    """Say beside the file why; the file stays, to be mended. Not written anew at each start, for the card's sake."""
    lines = [
        part
        for language in LANGUAGES
        for part in (say("first_boot.refused", language, file=name), explain(error, language), "")
    ]
    text = LINE_END.join(lines).encode()
    if await anyio.to_thread.run_sync(card.read, name + ".error.txt") != text:
        await anyio.to_thread.run_sync(card.write, name + ".error.txt", text)
    return Outcome("refused", error)


def _told(name: str, document: Document, imported: Imported | None) -> bytes:
    at = f"{datetime.fromtimestamp(time.time(), UTC):%Y-%m-%d %H:%M} UTC"
    lines = [say("first_boot.done", each, file=name, at=at, version=__version__) for each in LANGUAGES]
    if imported is not None:
        counts = {"added": imported.added, "changed": imported.changed}
        lines += [say("first_boot.counts", each, **counts) for each in LANGUAGES]
    lines += [say("first_boot.no_secrets", each) for each in LANGUAGES]
    lines += [say("first_boot.undo", each) for each in LANGUAGES]
    comments = [f"# {line}" for line in lines]
    return LINE_END.join([*comments, "", *tomli_w.dumps(document).splitlines(), ""]).encode()
