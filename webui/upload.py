"""A form with a file: its fields, and the file on the disk for as long as its page works on it.

RFC 7578 (multipart/form-data), RFC 2046 §5.1.1 (boundaries); the WHATWG HTML standard, "multipart form data" (names).
"""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from os import statvfs
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, BinaryIO

from webui.request import BodyRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MORE_TIME",
    "MOST_BUNDLE",
    "MOST_UPLOAD",
    "SPOOLED",
    "Upload",
    "has_file",
    "received",
    "received_alone",
]

MOST_UPLOAD = 64_000_000
"Octets: six minutes of sound as on a CD; ten minutes in mono."
MOST_BUNDLE = 1_000_000_000
"Octets of an update: six times the image that there is."
SPARE_OCTETS = 64_000_000
"Left free beside it: what is not checked yet must not fill the place of voice mail and records."
SPOOLED = "branchbox-upload-"
"What the folders of uploads begin with; one that is found at the start is of a process that was killed."
MORE_TIME = "branchbox.more_time"
"In the WSGI environment: what to call when a request may take longer than others, since we know who sends it."
MOST_PARTS = 20
MOST_FIELD = 4096
"Octets of a field that is no file."
MOST_HEADER_LINES = 10
LINE = 64 * 1024

BOUNDARY = re.compile(r'multipart/form-data\s*;.*boundary="?([\x21\x23-\x7e]{1,70})"?', re.IGNORECASE)
NAME = re.compile(r'[ ;]name="([^"]*)"')
FILE_NAME = re.compile(r'[ ;]filename="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Upload:
    """What was received."""

    fields: dict[str, str]
    file: Path | None
    "None when no file was chosen."
    file_name: str
    "What the browser calls it, without folders."


def has_file(environ: dict[str, Any]) -> bool:
    """Whether the request's form is of the kind that has files."""
    return bool(BOUNDARY.match(environ.get("CONTENT_TYPE", "")))


@contextmanager
def received(environ: dict[str, Any], most: int = MOST_UPLOAD, spool: Path | None = None) -> Iterator[Upload]:
    """Read the request's form of `most` octets into a folder of `spool`'s (None: of the system's); its file is gone at the end.

    BodyRefusedError: 411 without a length, 413 when it is too long, 400 when it is no such form, 507 when there is no room.
    """
    length = _length(environ, most)
    boundary = BOUNDARY.match(environ.get("CONTENT_TYPE", ""))
    if boundary is None:
        raise BodyRefusedError(400)
    with _place_for(environ, length, spool) as folder:
        yield _Form(_Bounded(environ["wsgi.input"], length), boundary[1].encode(), folder, most).read()


@contextmanager
def received_alone(
    environ: dict[str, Any], most: int = MOST_UPLOAD, spool: Path | None = None
) -> Iterator[Upload]:
    """The same for a body that is the file itself. BodyRefusedError: 400 when less came than was announced."""
    left = _length(environ, most)
    with _place_for(environ, left, spool) as folder:
        file = folder / "file"
        with file.open("wb") as out:
            while left:
                piece = environ["wsgi.input"].read(min(LINE, left))
                if not piece:
                    raise BodyRefusedError(400)
                left -= len(piece)
                out.write(piece)
        yield Upload({}, file, "")


def _length(environ: dict[str, Any], most: int) -> int:
    """Of the body, in octets. BodyRefusedError before anything is read."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdigit() or environ.get("HTTP_TRANSFER_ENCODING"):
        raise BodyRefusedError(411)
    if int(length) > most:
        raise BodyRefusedError(413)
    return int(length)


@contextmanager
def _place_for(environ: dict[str, Any], length: int, spool: Path | None) -> Iterator[Path]:
    """A folder for a body of that length, and the time to read it."""
    if more_time := environ.get(MORE_TIME):
        more_time()
    folder = Path(mkdtemp(prefix=SPOOLED, dir=spool))
    try:
        usage = statvfs(folder)
        if spool is not None and usage.f_bavail * usage.f_frsize < length + SPARE_OCTETS:
            raise BodyRefusedError(507)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Bounded:
    """Lines of a body, and not an octet past its end."""

    def __init__(self, body: Any, length: int) -> None:
        self._body = body
        self._left = length

    def line(self) -> bytes:
        """The next line with its end, or a piece of a long one. BodyRefusedError at the end: a form ends before."""
        line: bytes = self._body.readline(min(LINE, self._left)) if self._left else b""
        if not line:
            raise BodyRefusedError(400)
        self._left -= len(line)
        return line


class _Form:
    """Reads the parts of one form."""

    def __init__(self, body: _Bounded, boundary: bytes, folder: Path, most: int) -> None:
        self._body = body
        self._next = b"--" + boundary
        self._last = self._next + b"--"
        self._folder = folder
        self._most = most

    def read(self) -> Upload:
        if self._body.line().rstrip(b"\r\n") != self._next:
            raise BodyRefusedError(400)
        fields: dict[str, str] = {}
        file: Path | None = None
        file_name = ""
        for _ in range(MOST_PARTS):
            name, called = self._head()
            if called is not None and file is None:
                file, file_name = self._folder / "file", called.replace("\\", "/").rpartition("/")[2]
                with file.open("wb") as out:
                    is_last = self._copy(out, self._most)
            else:
                text = BytesIO()
                is_last = self._copy(text, MOST_FIELD)
                fields[name] = text.getvalue().decode(errors="replace")
            if is_last:
                # A browser sends an empty file without a name where none was chosen.
                return Upload(fields, file if file_name else None, file_name)
        raise BodyRefusedError(400)

    def _head(self) -> tuple[str, str | None]:
        """A part's name, and the file's name if it is a file."""
        name, called = "", None
        for _ in range(MOST_HEADER_LINES):
            line = self._body.line().decode(errors="replace").strip()
            if not line:
                return name, called
            if line.lower().startswith("content-disposition:"):
                named, file = NAME.search(line), FILE_NAME.search(line)
                name, called = named[1] if named else "", file[1] if file else None
        raise BodyRefusedError(400)

    def _copy(self, out: BinaryIO, most: int) -> bool:
        """Write a part's content to `out`; return whether it was the last part."""
        # The line end before a boundary belongs to the boundary, so it is written once more has come.
        end, starts = b"", True
        left = most
        while True:
            line = self._body.line()
            if starts and line.rstrip(b"\r\n") in (self._next, self._last):
                return line.startswith(self._last)
            line = end + line
            starts = line.endswith(b"\n")
            end = b"\r\n" if line.endswith(b"\r\n") else b"\r" if line.endswith(b"\r") else b""
            left -= len(line)
            if left < 0:
                raise BodyRefusedError(413)
            out.write(line[: len(line) - len(end)])
