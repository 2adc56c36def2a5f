"""Socket paths that are longer than a socket address has room for.

sun_path takes 107 octets (unix(7)); a longer path is reached through an open descriptor of its folder.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["reachable"]

SUN_PATH_OCTETS = 107


@contextmanager
def reachable(path: Path) -> Iterator[Path]:
    """A path to the same socket that fits, good until the context ends. OSError when the folder is not there."""
    if len(os.fsencode(path)) <= SUN_PATH_OCTETS:
        yield path
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{folder}") / path.name
    finally:
        os.close(folder)
