"""Files that are there whole or not at all, whatever the power does."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["UnfitFileError", "read_bounded", "write_atomically"]

READ_LIMIT = 64 * 1024
"Octets. What one process leaves for another is some hundred octets; more is a mistake or an attack."


class UnfitFileError(OSError):
    """The file is larger than anything we would have written, or is no regular file."""


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace `path` by `content`; after a power cut either the old or the new is there. OSError."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        scratch.unlink()
    try:
        # O_EXCL: a link put there by somebody else is never followed.
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)  # the umask may have taken bits away
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError:
        with suppress(OSError):
            scratch.unlink()
        raise
    _sync_directory(path.parent)


def read_bounded(path: Path) -> bytes:
    """The content of a small regular file; symbolic links are not followed. OSError."""
    # The reader may be root and the folder the service's own: O_NOFOLLOW keeps it from being led elsewhere,
    # O_NONBLOCK from waiting for ever on a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            msg = f"{path} is no regular file"
            raise UnfitFileError(msg)
        content = file.read(READ_LIMIT + 1)
    if len(content) > READ_LIMIT:
        msg = f"{path} is larger than {READ_LIMIT} octets"
        raise UnfitFileError(msg)
    return content


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
