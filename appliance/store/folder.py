"""The data folder: made with the right modes, and held by one process at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER_MODE", "PRIVATE_MODE", "SCRATCH_PREFIX", "FolderLock", "scratch"]

FOLDER_MODE = 0o700
PRIVATE_MODE = 0o600
SCRATCH_PREFIX = ".scratch-"


class FolderLock:
    """Holds `DIR/lock` until it is released or the process ends, however it ends.

    Raises ConfigError: `error.folder_in_use` when another process holds it, `error.folder_unusable` when
    the folder cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            if not folder.is_dir():
                folder.mkdir(mode=FOLDER_MODE, parents=True)
            self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE)
        except OSError as error:
            raise ConfigError(
                "data", "error.folder_unusable", folder=str(folder), reason=error.strerror
            ) from error
        self._take()
        for left in folder.glob(SCRATCH_PREFIX + "*"):
            # A process that was killed in the middle of a backup could not tidy up.
            shutil.rmtree(left, ignore_errors=True)

    def _take(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip() or "?"
            os.close(self._descriptor)
            raise ConfigError(
                "data", "error.folder_in_use", folder=str(self._folder), process=holder
            ) from error
        # The number is for the person who asks who holds the folder; the lock itself is the kernel's, so a
        # full disk that leaves the number out does no harm.
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass

    def release(self) -> None:
        """Let another process have the folder. The file stays: removing it would race with the next holder."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A private folder in the data folder, on the same disk, gone afterwards. OSError when there is no room."""
    place = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=folder))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
