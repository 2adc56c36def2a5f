"""Download a backup: control writes it to a private folder, it is sent, and the file is gone again."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.answer import download
from webui.pages.system import draw
from webui.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

CHUNK = 64 * 1024
"Octets sent at a time, so that a large backup is not in memory at once."
FIELDS = (
    form.secret("passphrase", shortest=8, omit_empty=True),
    form.secret("passphrase_again", omit_empty=True),
    form.flag("voicemail"),
)


def save(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if reading.good and reading.values.pop("passphrase_again", "") != reading.values.get("passphrase", ""):
        reading.errors["passphrase_again"] = form.FieldError("console.form.not_the_same")
    if not reading.good:
        return draw(visit, "backup", reading)
    folder = Path(mkdtemp(prefix="branchbox-backup-"))
    try:
        visit.perform_on_the_box("backup", "save", file=str(folder / "backup"), **reading.values)
        body = _Sent(folder)
    except ConfigError as error:
        shutil.rmtree(folder, ignore_errors=True)
        return draw(visit, "backup", form.refused(reading, error))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    sealed = "passphrase" in reading.values
    name = f"branchbox-{datetime.now(UTC):%Y%m%d-%H%M%S}.{'sealed' if sealed else 'tar.gz'}"
    return download(body, name, "application/octet-stream" if sealed else "application/gzip")


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
