"""The part `boot` of an image: a tar of plain files in no folder, what a slot needs on the FAT partition."""

from __future__ import annotations

import io
import re
import tarfile
from typing import TYPE_CHECKING, Final

from appliance.errors import ConfigError
from appliance.system.update.bundle import PIECE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from typing_extensions import Buffer

    from appliance.system.update.bundle import Bundle

__all__ = ["TEMPLATES", "boot_files", "check_boot"]

TEMPLATES: Final = ("entry.conf", "u-boot.env")
"For systemd-boot, and for U-Boot on a Raspberry Pi."
NEEDED = frozenset({"vmlinuz", "initrd.img", *TEMPLATES})
FILES_LIMIT = 100
"A slot has a kernel, an initramfs and the templates; a later one may have the device trees of some boards."
TEMPLATE_LIMIT = 16 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_boot(bundle: Bundle) -> None:
    """Look through the whole part. ConfigError when something is missing, or is not a plain file."""
    seen: list[str] = []
    for name, pieces in boot_files(bundle):
        size = sum(len(piece) for piece in pieces)
        if name in TEMPLATES and size > TEMPLATE_LIMIT:
            raise ConfigError("update", "update.bad_boot", file=name)
        seen.append(name)
    # FAT knows no difference between small and large letters.
    if len({name.lower() for name in seen}) < len(seen) or len(seen) > FILES_LIMIT:
        raise ConfigError("update", "update.bad_boot", file=seen[-1])
    if missing := sorted(NEEDED.difference(seen)):
        raise ConfigError("update", "update.bad_boot", file=missing[0])


def boot_files(bundle: Bundle) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each file with its content, to be read before the next. ConfigError, also after the last file."""
    pieces = bundle.pieces("boot")
    try:
        with tarfile.open(
            fileobj=io.BufferedReader(_Stream(pieces), PIECE), mode="r|", errorlevel=2
        ) as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is None or not _NAME.fullmatch(entry.name):
                    raise ConfigError("update", "update.bad_boot", file=entry.name[:80])
                yield entry.name, _read(content)
    except tarfile.TarError as error:
        raise ConfigError("update", "update.bad_boot", file=str(error)[:80]) from None
    for _ in pieces:
        pass  # to the end, where it is proved


def _read(content: IO[bytes]) -> Iterator[bytes]:
    while piece := content.read(PIECE):
        yield piece


class _Stream(io.RawIOBase):
    """An iterator of pieces as a file that can only be read on."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        if not self._left:
            self._left = next(self._pieces, b"")
        given = self._left[: len(view)]
        self._left = self._left[len(given) :]
        view[: len(given)] = given
        return len(given)
