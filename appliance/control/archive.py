"""The backup file: a gzipped tar with the database, the certificates and the owner's music, nothing else. All of it blocks."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from appliance.errors import ConfigError
from appliance.store.database import check_copy
from appliance.store.store import DATABASE_NAME as DATABASE

__all__ = ["DATABASE", "pack", "put_certificates", "put_prompts", "unpack"]

CERTIFICATES = "certs"
PROMPTS = "prompts"
FOLDERS = (CERTIFICATES, PROMPTS)
# A backup of ours has a handful of members; the database is bounded by its tables (60 MB of records), music is 10 MB.
MAX_MEMBERS = 100
MAX_OCTETS = 512 * 1024 * 1024


def pack(place: Path, folder: Path, file: Path) -> int:
    """Write the copied database in `place`, the certificates and the music of `folder` to `file`; return its size.

    The file appears whole or not at all, and its owner alone may read it.
    """
    if folder.resolve() in file.resolve().parents:
        # It might take the place of the database itself; and a backup beside what it saves saves nothing.
        raise ConfigError("backup.file", "error.in_data_folder", folder=str(folder))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name[:64]}.", dir=file.parent)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as raw:
                with tarfile.open(fileobj=raw, mode="w:gz") as tar:
                    tar.add(place / DATABASE, DATABASE)
                    for each in _beside(folder):
                        tar.add(each, f"{each.parent.name}/{each.name}")
                raw.flush()
                os.fsync(raw.fileno())
            part.replace(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(
            "backup.file", "error.cannot_write", file=str(file), reason=error.strerror
        ) from error
    return file.stat().st_size


def unpack(file: Path, place: Path) -> None:
    """Unpack `file` into `place` and check what came out. Raises ConfigError."""
    try:
        with tarfile.open(file, mode="r:gz") as tar:
            names = _extract(tar, place)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ConfigError("backup.file", "error.not_a_backup", file=file.name) from error
    except OSError as error:
        if error.errno is None:  # gzip.BadGzipFile
            raise ConfigError("backup.file", "error.not_a_backup", file=file.name) from error
        raise ConfigError(
            "backup.file", "error.cannot_read", file=str(file), reason=error.strerror
        ) from error
    if DATABASE not in names:
        raise ConfigError("backup.file", "error.not_a_backup", file=file.name)
    check_copy(place / DATABASE)


def put_prompts(place: Path, folder: Path) -> None:
    """Move the unpacked music to where it belongs. Its files are named by what is in them: none takes another's place."""
    target = folder / PROMPTS
    target.mkdir(mode=0o700, exist_ok=True)
    for each in (place / PROMPTS).iterdir():
        each.replace(target / each.name)


def put_certificates(place: Path, folder: Path) -> bool:
    """Move the unpacked certificates to where they belong, each in one step; return whether any is another."""
    target = folder / CERTIFICATES
    target.mkdir(mode=0o700, exist_ok=True)
    differ = False
    for each in (place / CERTIFICATES).iterdir():
        old = target / each.name
        if not old.is_file() or old.read_bytes() != each.read_bytes():
            each.replace(old)
            differ = True
    return differ


def _beside(folder: Path) -> list[Path]:
    """The files that go along with the database; what is half written begins with a dot."""
    found = [each for name in FOLDERS for each in sorted((folder / name).glob("[!.]*"))]
    return [each for each in found if each.is_file() and not each.is_symlink()]


def _extract(tar: tarfile.TarFile, place: Path) -> set[str]:
    """Only names that we know and only plain files: a tar may hold `../` and links, and this runs with rights."""
    for each in FOLDERS:
        (place / each).mkdir(mode=0o700)
    names: set[str] = set()
    octets = 0
    for member in tar:
        path = PurePosixPath(member.name)
        known = member.name == DATABASE or (len(path.parts) == 2 and path.parts[0] in FOLDERS)
        octets += member.size
        if (
            not member.isfile()
            or not known
            or path.name == ".."
            or octets > MAX_OCTETS
            or len(names) >= MAX_MEMBERS
        ):
            raise tarfile.TarError(member.name)
        source = tar.extractfile(member)
        assert source is not None  # a plain file has content
        descriptor = os.open(place / path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with source, os.fdopen(descriptor, "wb") as target:
            shutil.copyfileobj(source, target)
        names.add(member.name)
    return names
