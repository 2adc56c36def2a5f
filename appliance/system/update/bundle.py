"""The file that brings an update: header, manifest, signatures, payload. Read in pieces, never whole in memory.

branchbox-update-1\\n     19 octets
length of the manifest, length of the signatures   4 octets each, big-endian
SHA-256 of those lengths, manifest and signatures   32 octets: finds damage, proves nothing
manifest (JSON), signatures (JSON: key id -> hexadecimal)
the parts, one after another, to the end of the file
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from appliance.errors import ConfigError
from appliance.system.update.manifest import KINDS, MANIFEST_LIMIT, Manifest, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from appliance.system.update.keys import KeyRing

__all__ = ["MAGIC", "Bundle", "describe", "header", "open_bundle"]

MAGIC = b"branchbox-update-1\n"
FAMILY = b"branchbox-update-"
LENGTHS = struct.Struct(">II")
DIGEST_OCTETS = 32
SIGNATURES_LIMIT = 16 * 1024
"Octets: sixteen signatures of 64 octets with their names."
PIECE = 1024 * 1024
"Octets that are in memory at a time."


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose header is whole and signed by somebody we know. Its payload is not yet proved."""

    file: BinaryIO
    manifest: Manifest
    payload_at: int

    def prove(self) -> None:
        """Read all of the payload. ConfigError when it is short, long or altered."""
        for part in self.manifest.parts:
            for _ in self.pieces(part.name):
                pass
        if self.file.read(1):
            raise ConfigError("update", "update.too_long")

    def pieces(self, name: str) -> Iterator[bytes]:
        """One part, piece by piece. ConfigError after the last when it was not what was signed.

        The file may change between two readings, so whoever writes a part proves it in the same reading.
        """
        at, part = self._place(name)
        self.file.seek(at)
        left, digest = part.size, hashlib.sha256()
        while left:
            piece = self.file.read(min(left, PIECE))
            if not piece:
                raise ConfigError("update", "update.truncated", missing=left)
            left -= len(piece)
            digest.update(piece)
            yield piece
        if digest.hexdigest() != part.sha256:
            raise ConfigError("update", "update.altered", part=name)

    def _place(self, name: str) -> tuple[int, Part]:
        at = self.payload_at
        for part in self.manifest.parts:
            if part.name == name:
                return at, part
            at += part.size
        raise KeyError(name)


def open_bundle(file: BinaryIO, ring: KeyRing) -> Bundle:
    """Read the header of a seekable file. ConfigError for what is no bundle, damaged, or signed by nobody we know."""
    start = _exactly(file, len(MAGIC))
    if start != MAGIC:
        known = start.startswith(FAMILY)
        raise ConfigError("update", "update.unknown_format" if known else "update.not_a_bundle")
    lengths = _exactly(file, LENGTHS.size)
    digest = _exactly(file, DIGEST_OCTETS)
    manifest_length, signatures_length = LENGTHS.unpack(lengths)
    if manifest_length > MANIFEST_LIMIT or signatures_length > SIGNATURES_LIMIT:
        raise ConfigError("update", "update.damaged_header")
    content = _exactly(file, manifest_length)
    signatures = _exactly(file, signatures_length)
    if hashlib.sha256(lengths + content + signatures).digest() != digest:
        raise ConfigError("update", "update.damaged_header")
    manifest = Manifest.parse(content)
    ring.check(content, manifest, _signatures(signatures))
    return Bundle(file, manifest, file.tell())


def _exactly(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        if count == len(MAGIC) and not MAGIC.startswith(content):
            raise ConfigError("update", "update.not_a_bundle")
        raise ConfigError("update", "update.truncated", missing=count - len(content))
    return content


def _signatures(content: bytes) -> dict[str, bytes]:
    try:
        texts = msgspec.json.decode(content, type=dict[str, str])
        return {key: bytes.fromhex(text) for key, text in texts.items()}
    except (msgspec.MsgspecError, ValueError):
        raise ConfigError("update", "update.damaged_header") from None


def header(manifest: Manifest, signatures: Mapping[str, bytes]) -> bytes:
    """All that stands before the payload, for the writer."""
    content = bytes(manifest)
    signed = msgspec.json.encode({key: signature.hex() for key, signature in signatures.items()})
    lengths = LENGTHS.pack(len(content), len(signed))
    digest = hashlib.sha256(lengths + content + signed).digest()
    return MAGIC + lengths + digest + content + signed


def describe(kind: str, files: Mapping[str, Path]) -> tuple[Part, ...]:
    """The parts of a payload that is still in files, in the kind's order."""
    return tuple(
        _part(name, files[name]) for wanted, names in KINDS.items() if wanted == kind for name in names
    )


def _part(name: str, path: Path) -> Part:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Part(name, file.tell(), digest.hexdigest())
