"""Brings an update from the network into a file, so that it can be read twice."""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from appliance.errors import ConfigError
from appliance.system.update.bundle import PIECE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["fetched", "is_url"]

SCHEMES = ("http", "https")
SILENCE_S = 60.0
"A server that says nothing for that long will say nothing more."
SPARE_OCTETS = 64 * 1024 * 1024
"Left free while it is fetched: what is not checked yet must not fill the place of voice mail and records."


def is_url(source: str) -> bool:
    """Whether it is to be fetched; anything else is the name of a file."""
    return urlsplit(source).scheme in SCHEMES


@contextmanager
def fetched(url: str, folder: Path) -> Iterator[BinaryIO]:
    """The file behind `url`, in a file of `folder` that goes again. ConfigError, OSError."""
    # No certificate is asked for: the signature in the file says whom it is from, whoever hands it over.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    path = folder / "fetched"
    with suppress(FileNotFoundError):
        path.unlink()
    try:
        with path.open("x+b") as file:
            try:
                with urllib.request.urlopen(url, timeout=SILENCE_S, context=context) as answer:
                    _copy(answer, file, folder)
            except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as error:
                reason = str(getattr(error, "reason", error))[:200]
                raise ConfigError("update", "update.not_fetched", reason=reason) from None
            file.seek(0)
            yield file
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def _copy(answer: BinaryIO, file: BinaryIO, folder: Path) -> None:
    while piece := answer.read(PIECE):
        usage = os.statvfs(folder)
        if usage.f_bavail * usage.f_frsize < SPARE_OCTETS + len(piece):
            raise ConfigError("update", "update.no_space")
        file.write(piece)
