"""Download a backup: control writes it to a private folder, it is sent, and the file is gone again."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from webui.answer import download
from webui.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

CHUNK = 64 * 1024
"Octets sent at a time, so that a large backup is not in memory at once."


def save(visit: Visit) -> Answer:
    folder = Path(mkdtemp(prefix="branchbox-backup-"))
    try:
        visit.perform_on_the_box("backup", "save", file=str(folder / "backup"))
        body = _Sent(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    name = f"branchbox-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar.gz"
    return download(body, name, "application/gzip")


class _Sent:
    """The file's octets; the folder goes when they are sent, or when the browser leaves midway."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / "backup").open("rb")

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(CHUNK):
            yield chunk

    def close(self) -> None:
        """WSGI servers call this at the end, come what may (PEP 3333)."""
        self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)


ROUTES = (Route("POST", "/system/backup", save),)
