"""Small steps on disk. Each is there whole or not at all, and when it returns, a power cut does not undo it.

That holds on FAT, too, which has no journal, as Linux writes it: a name is in its folder's sectors at once, the place of its content
only when the file itself is synced, and space is free for others at once when the last who has the file open lets go of it. So a
file that goes is held open until its name is gone from the card. What a power cut leaves of the rest is space that nobody
has, or a file cut short that nobody starts; `fsck.vfat` finds both before the next writing (site.py).
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["drop", "fill", "make_folder", "move", "point", "remove_tree", "sync"]


def make_folder(folder: Path) -> None:
    """Make a folder that the exchange, another user, may read, whatever the umask is. OSError."""
    if not folder.is_dir():
        if not folder.parent.is_dir():
            make_folder(folder.parent)
        folder.mkdir()
        folder.chmod(0o755)
        sync(folder.parent)


def fill(path: Path, pieces: Iterable[bytes], mode: int = 0o644) -> None:
    """Write a new file that nobody reads yet. Its name is not yet safe: `sync` or `move` what holds it. OSError."""
    with suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        # FAT has no modes; there the mount says who may.
        with suppress(PermissionError):
            os.fchmod(file.fileno(), mode)
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def point(link: Path, target: str) -> None:
    """Make `link` a symbolic link to `target`, or turn it there. OSError."""
    scratch = link.with_name(f".{link.name}.new")
    with suppress(FileNotFoundError):
        scratch.unlink()
    scratch.symlink_to(target)
    move(scratch, link)


def move(old: Path, new: Path) -> None:
    """Rename within one file system; what `new` was is gone. OSError."""
    with _held(new):
        old.replace(new)
        # In this order: otherwise FAT may have two names for one place, and who deletes one takes it from the other.
        sync(new.parent)
        if old.parent != new.parent:
            sync(old.parent)
        if not new.is_symlink():
            sync(new)


def drop(path: Path) -> None:
    """Delete a file or link, if there is one. OSError."""
    with suppress(FileNotFoundError), _held(path):
        path.unlink()
        sync(path.parent)


def remove_tree(folder: Path) -> None:
    """Delete a folder that nothing points to. What would not go stays and is tried again the next time."""
    shutil.rmtree(folder, ignore_errors=True)


def sync(path: Path) -> None:
    """Make the names in a folder safe, or the content of a file with where it lies. OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keep the space of a regular file, if there is one, from being given to others for as long as this lasts."""
    try:
        is_file = stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        is_file = False
    if not is_file:
        yield
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield
    finally:
        os.close(descriptor)
