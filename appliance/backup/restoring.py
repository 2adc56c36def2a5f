"""A restore that a power cut finds before it, or after it, and never half-way.

What is to come lies ready in DIR/.restoring before anything of ours is touched, with `before.db`, the database as it was.
The database is replaced in one transaction and taken over; then `committed` is written, and the files are put in their
places. At a start, what is not committed is taken back, and what is committed is finished. Functions here block, but for
`recover`.
"""

from __future__ import annotations

import filecmp
import logging
import os
import shutil
from typing import TYPE_CHECKING

import anyio.to_thread

from appliance.backup.archive import CERTIFICATES, FOLDERS
from appliance.store.database import StoreError, check_copy

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.store.store import Store

__all__ = ["BEFORE", "PENDING", "commit", "discard", "put_files", "put_prompts", "recover", "set_out"]

logger = logging.getLogger(__name__)

PENDING = ".restoring"
BEFORE = "before.db"
COMMITTED = "committed"


def set_out(place: Path, folder: Path) -> Path:
    """Make the unpacked backup in `place` the one that is to come; gives where it lies from now on. OSError."""
    pending = folder / PENDING
    for path in (*place.rglob("*"), place):
        _sync(path)
    place.rename(pending)
    _sync(folder)
    return pending


def commit(pending: Path) -> None:
    """From now on there is no way back. OSError."""
    with (pending / COMMITTED).open("wb") as file:
        os.fsync(file.fileno())
    _sync(pending)


def put_prompts(pending: Path, folder: Path) -> None:
    """The owner's music first: settings name it, and files that nobody names do no harm. OSError."""
    _put(pending, folder, "prompts")


def put_files(pending: Path, folder: Path) -> bool:
    """Move all files to where they belong, each in one step; whether any certificate is another. OSError."""
    differ = _put(pending, folder, CERTIFICATES)
    for name in FOLDERS:
        _put(pending, folder, name)
    return differ


def discard(pending: Path) -> None:
    """The restore is over. Not `committed` first: the rest would be taken for one to be taken back. OSError."""
    done = pending.with_name(".scratch-restored")
    shutil.rmtree(done, ignore_errors=True)
    pending.rename(done)
    _sync(pending.parent)
    shutil.rmtree(done, ignore_errors=True)


async def recover(store: Store) -> None:
    """Before anything reads settings: end a restore that lost its power. OSError."""
    pending = store.folder / PENDING
    if not await anyio.to_thread.run_sync(pending.is_dir):
        return
    if await anyio.to_thread.run_sync((pending / COMMITTED).exists):
        logger.warning("a restore that was cut off is finished")
        await anyio.to_thread.run_sync(put_files, pending, store.folder)
    else:
        logger.warning("a restore that was cut off is taken back")
        await _take_back(store, pending / BEFORE)
    await anyio.to_thread.run_sync(discard, pending)


async def _take_back(store: Store, before: Path) -> None:
    try:
        # It may be of an older version, when the box was updated meanwhile.
        await anyio.to_thread.run_sync(check_copy, before)
        await store.database.replace_from(before)
    except StoreError as error:
        # The database is the old one or the new one, whole: better than a box that does not start.
        logger.error("the database from before the restore cannot be used: %s %s", error.key, error.params)


def _put(pending: Path, folder: Path, name: str) -> bool:
    differ = False
    for source in sorted((pending / name).rglob("*")):
        target = folder / source.relative_to(pending)
        if source.is_dir():
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not target.is_file() or not filecmp.cmp(source, target, shallow=False):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            source.replace(target)
            differ = True
            _sync(target.parent)
    return differ


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
