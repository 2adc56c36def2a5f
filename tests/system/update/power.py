"""A power cut at a chosen step of what is done to files, with what a card loses by it.

Every call that changes a name, and every fsync, is a step. What was written to a file and not yet synced when the
power goes is lost: the file has zeros, as after a journal was replayed without the data.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

STEPS = ("replace", "rename", "symlink", "unlink", "mkdir", "rmdir", "fsync")


class PowerCutError(BaseException):
    """Not an Exception: nothing may catch it, as nothing runs after a power cut."""


class Power:
    """Counts steps below `folder`, and ends everything after the given one."""

    def __init__(self, folder: Path, last: int | None) -> None:
        self.folder = folder
        self.steps = 0
        self._last = last
        self._synced: set[tuple[int, int]] = set()

    def step(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def do(*args: Any, **options: Any) -> Any:
            if self._last is not None and self.steps >= self._last:
                raise PowerCutError
            result = real(*args, **options)
            if name == "fsync":
                status = os.fstat(args[0])
                self._synced.add((status.st_dev, status.st_ino))
            self.steps += 1
            return result

        return do

    def lose(self, before: set[Path]) -> None:
        """Files that are new since `before` and were never synced lose their content."""
        for path in files(self.folder) - before:
            status = path.stat()
            if (status.st_dev, status.st_ino) not in self._synced:
                path.write_bytes(bytes(status.st_size))


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


@contextmanager
def power(folder: Path, last: int | None = None) -> Iterator[Power]:
    """What is done inside ends after `last` steps; without it they are counted."""
    source = Power(folder, last)
    before = files(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, source.step(name, getattr(os, name)))
        with suppress(PowerCutError):
            yield source
    if last is not None:
        source.lose(before)
