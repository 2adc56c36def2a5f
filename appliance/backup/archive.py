"""The backup file: a gzipped tar, sealed if wanted, of the database, the certificates and the sounds. All of it blocks.

backup.json  branchbox.db  certs/...  prompts/...  voicemail/...  recordings/...
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO, cast

import msgspec

from appliance.backup.contents import FORM, MANIFEST, Contents
from appliance.backup.sealed import Opener, Sealer, is_sealed
from appliance.errors import ConfigError
from appliance.store.database import StoreError, check_copy
from appliance.store.store import DATABASE_NAME as DATABASE

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

__all__ = [
    "ALWAYS",
    "CERTIFICATES",
    "DATABASE",
    "FOLDERS",
    "SOUNDS",
    "Unpacked",
    "files_in",
    "unpack",
    "write",
]

CERTIFICATES = "certs"
ALWAYS = (CERTIFICATES, "prompts")
SOUNDS = ("voicemail", "recordings")
"Folders that are in a backup where that is wanted."
FOLDERS = (*ALWAYS, *SOUNDS)
DEEPEST = 4
"Parts of a path: `certs/NAME/cert.pem` has three, a mailbox's message four."
MAX_MEMBERS = 200_000
"Years of voicemail; 30 MB of names and digests in memory."
MAX_OCTETS = 512 * 1024 * 1024
"Of the database, which is bounded by its tables (60 MB of records), and of each other file."
MAX_MANIFEST = 64 * 1024
RESERVE = 64 * 1024 * 1024
"Octets that stay free on the disk of a running exchange."
PIECE = 64 * 1024
LEVEL = 6
NO_ARCHIVE = (tarfile.TarError, EOFError, ValueError, zlib.error, gzip.BadGzipFile)

Digests = dict[str, bytes]
"By a member's name: SHA-256 of its content."


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of a file."""

    contents: Contents
    digests: Digests
    sealed: bool

    def files(self, folder: str) -> int:
        """How many files of a folder it holds."""
        return sum(name.startswith(folder + "/") for name in self.digests)


def files_in(folder: Path, names: Sequence[str]) -> list[tuple[str, Path]]:
    """The files that belong into a backup, each with its name there: of these folders below the data folder."""
    found = [
        (path.relative_to(folder).as_posix(), path) for name in names for path in (folder / name).rglob("*")
    ]
    return sorted(
        (name, path) for name, path in found if _is_known(name) and path.is_file() and not path.is_symlink()
    )


def write(
    raw: BinaryIO, contents: Contents, database: Path, files: Sequence[tuple[str, Path]], passphrase: str = ""
) -> Digests:
    """Write all of it to `raw`; gives what was written. OSError. A file that goes away meanwhile is left out."""
    if not passphrase:
        return _write_packed(raw, contents, database, files)
    sealer = Sealer(raw, passphrase)
    try:
        digests = _write_packed(cast("BinaryIO", sealer), contents, database, files)
    except BaseException:
        sealer.abandon()
        raise
    sealer.close()
    return digests


def _write_packed(
    raw: BinaryIO, contents: Contents, database: Path, files: Sequence[tuple[str, Path]]
) -> Digests:
    digests: Digests = {}
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=raw) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        _add(tar, MANIFEST, BytesIO(msgspec.json.encode(contents)), digests)
        for name, path in ((DATABASE, database), *files):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            with file:
                _add(tar, name, file, digests)
    return digests


def _add(tar: tarfile.TarFile, name: str, file: BinaryIO, digests: Digests) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = file.seek(0, os.SEEK_END), 0o600
    file.seek(0)
    hashed = _Hashed(file)
    # Just so much as it had: a message may grow while it is spoken.
    tar.addfile(member, cast("IO[bytes]", hashed))
    digests[name] = hashed.digest()


class _Form(msgspec.Struct, frozen=True):
    form: int


class _Hashed:
    """A file that notes what was read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> bytes:
        return self._hash.digest()


def unpack(file: Path, place: Path, passphrase: str = "", keep: Container[str] = FOLDERS) -> Unpacked:
    """Unpack `file` into the folder `place` and check what came out; its database has this version's form then.

    Of the folders that are not in `keep` everything is read and nothing kept. ConfigError.
    """
    try:
        with file.open("rb") as raw:
            sealed = is_sealed(raw.peek(8))
            if sealed and not passphrase:
                raise ConfigError("backup.passphrase", "error.passphrase_needed", file=file.name)
            with _packed(raw, passphrase if sealed else "", file.name) as packed:
                unpacked = _extract(packed, place, keep, file.name)
    except NO_ARCHIVE as error:
        raise ConfigError("backup.file", "error.not_a_backup", file=file.name) from error
    except OSError as error:
        raise ConfigError(
            "backup.file", "error.cannot_read", file=str(file), reason=error.strerror
        ) from error
    contents, digests = unpacked
    if DATABASE not in digests:
        raise ConfigError("backup.file", "error.not_a_backup", file=file.name)
    check_copy(place / DATABASE)
    return Unpacked(contents, digests, sealed)


@contextmanager
def _packed(raw: BufferedReader, passphrase: str, name: str) -> Iterator[gzip.GzipFile]:
    stream: BinaryIO = raw
    if passphrase:
        stream = BufferedReader(Opener(raw, passphrase, name), PIECE)
    with gzip.GzipFile(fileobj=stream, mode="rb") as packed:
        yield packed


def _extract(packed: gzip.GzipFile, place: Path, keep: Container[str], name: str) -> tuple[Contents, Digests]:
    """Only names that we know and only plain files: a tar may hold `../` and links, and this runs with rights."""
    contents = Contents()
    digests: Digests = {}
    with tarfile.open(fileobj=packed, mode="r|") as tar:
        for member in tar:
            if not _may_be_in(member) or member.name in digests or len(digests) >= MAX_MEMBERS:
                raise tarfile.TarError(member.name)
            source = tar.extractfile(member)
            assert source is not None  # a plain file has content
            hashed = _Hashed(source)
            if member.name == MANIFEST:
                contents = _manifest(hashed.read(MAX_MANIFEST), name)
            else:
                _unpack_one(hashed, member, place, keep)
            digests[member.name] = hashed.digest()
    # To the very end: there stand the checksum, and the proof that nothing is missing.
    while packed.read(PIECE):
        pass
    return contents, digests


def _unpack_one(source: _Hashed, member: tarfile.TarInfo, place: Path, keep: Container[str]) -> None:
    if member.name != DATABASE and PurePosixPath(member.name).parts[0] not in keep:
        while source.read(PIECE):
            pass
        return
    if shutil.disk_usage(place).free < member.size + RESERVE:
        raise StoreError("error.disk_full")
    path = place / member.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        while piece := source.read(PIECE):
            target.write(piece)


def _may_be_in(member: tarfile.TarInfo) -> bool:
    known = member.name in (MANIFEST, DATABASE) or _is_known(member.name)
    most = MAX_MANIFEST if member.name == MANIFEST else MAX_OCTETS
    return known and member.isfile() and member.size <= most


def _is_known(name: str) -> bool:
    """A file below one of our folders, without detours, and none that is hidden or half-made."""
    parts = name.split("/")
    return (
        parts[0] in FOLDERS
        and 2 <= len(parts) <= DEEPEST
        and all(each and not each.startswith(".") and each.isprintable() for each in parts)
    )


def _manifest(octets: bytes, name: str) -> Contents:
    try:
        # The form alone first: what else a newer one has, nobody here knows.
        if msgspec.json.decode(octets, type=_Form).form > FORM:
            raise ConfigError("backup.file", "error.backup_newer", file=name)
        return msgspec.json.decode(octets, type=Contents)
    except msgspec.DecodeError as error:
        raise tarfile.TarError(MANIFEST) from error
