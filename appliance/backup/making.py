"""A backup is written, read back, restored into a scratch database and compared; only then it gets its name. All of it blocks."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance import __version__
from appliance.backup import archive
from appliance.backup.contents import Contents, count, snapshot_in
from appliance.errors import ConfigError
from appliance.store.database import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.backup.archive import Unpacked
    from appliance.config.settings_area import SettingsArea

__all__ = ["Made", "Order", "make"]

PROOF = "proof"
"A folder in the scratch folder."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be made."""

    file: Path
    folder: Path
    "The data folder."
    areas: Mapping[str, SettingsArea]
    host_name: str
    passphrase: str = ""
    "Empty: it is not sealed."
    sounds: tuple[str, ...] = ()
    "Which of `archive.SOUNDS`."


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was proved."""

    file: Path
    octets: int
    contents: Contents
    unreadable: tuple[str, ...]
    "Certificates and keys that no server could use. They are in the backup as they are on the box."


def make(order: Order, place: Path) -> Made:
    """Make a backup of the database copy in the scratch folder `place` and of the files of the data folder.

    The file appears whole and proved or not at all, and its owner alone may read it. ConfigError.
    """
    file = order.file
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name[:64]}.", suffix=".part", dir=file.parent)
        part = Path(name)
        try:
            made = _make(order, place, descriptor, part)
            part.replace(file)
            _sync_folder(file.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(
            "backup.file", "error.cannot_write", file=str(file), reason=error.strerror
        ) from error
    return made


def _make(order: Order, place: Path, descriptor: int, part: Path) -> Made:
    database = place / archive.DATABASE
    names = (*archive.ALWAYS, *order.sounds)
    files = archive.files_in(order.folder, names)
    holds = count(database) | {each: sum(name.startswith(each + "/") for name, _ in files) for each in names}
    contents = Contents(
        version=__version__, made_at=round(time.time(), 3), host_name=order.host_name, holds=holds
    )
    _check_room(order, database, files)
    with os.fdopen(descriptor, "wb") as raw:
        digests = archive.write(raw, contents, database, files, order.passphrase)
        raw.flush()
        os.fsync(raw.fileno())
        # To be read back from the card or the stick itself, not from what the kernel still remembers of it.
        os.posix_fadvise(raw.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    proof = place / PROOF
    proof.mkdir(mode=0o700)
    unpacked = archive.unpack(part, proof, order.passphrase, keep=(archive.CERTIFICATES,))
    _compare(order, unpacked, digests, contents, proof)
    # A message may have been deleted while others were packed.
    holds |= {each: unpacked.files(each) for each in names}
    octets = part.stat().st_size
    return Made(order.file, octets, msgspec.structs.replace(contents, holds=holds), _unreadable(proof))


def _check_room(order: Order, database: Path, files: list[tuple[str, Path]]) -> None:
    """Sound hardly gets smaller; and on the disk of a running exchange some room must stay. StoreError."""
    needed = database.stat().st_size + sum(path.stat().st_size for _, path in files if path.exists())
    at_home = order.file.parent.stat().st_dev == order.folder.stat().st_dev
    if shutil.disk_usage(order.file.parent).free < needed + (archive.RESERVE if at_home else 0):
        raise StoreError("error.disk_full")


def _compare(
    order: Order, unpacked: Unpacked, digests: archive.Digests, contents: Contents, proof: Path
) -> None:
    """What came out must be what went in, and the settings and records as many as there are."""
    database = proof / archive.DATABASE
    counted = count(database)
    same = all(contents.holds[each] == number for each, number in counted.items())
    snapshot = snapshot_in(database, order.areas)
    if not same or unpacked.digests != digests or len(snapshot.extensions) != counted["extensions"]:
        raise ConfigError("backup.file", "error.backup_damaged", file=order.file.name)


def _unreadable(proof: Path) -> tuple[str, ...]:
    folder = proof / archive.CERTIFICATES
    found = [path for path in sorted(folder.rglob("*.pem")) if not _is_usable(path)]
    return tuple(path.relative_to(proof).as_posix() for path in found)


def _is_usable(path: Path) -> bool:
    octets = path.read_bytes()
    try:
        if path.name == "key.pem":
            load_pem_private_key(octets, password=None)
        else:
            x509.load_pem_x509_certificates(octets)
    except (ValueError, TypeError):  # TypeError: a key that wants a password
        return False
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
