"""A stream that is sealed with a passphrase: nobody reads it, shortens it or swaps parts of it unnoticed. All of it blocks.

    header   8 octets MAGIC, 1 FORM, 1 log2(N), 1 p (scrypt, RFC 7914, with r = 8), 16 salt, 16 proof, 8 checksum
    chunks   each of CHUNK octets before it was sealed, the last one of 0 to CHUNK; ChaCha20-Poly1305 (RFC 8439)

scrypt gives 64 octets: the key of the chunks, and the key of the proof. The proof (HMAC-SHA256, cut) is of what stands
before it, and so is the checksum (SHA-256, cut), by which a damaged header is told from a wrong passphrase. A chunk's
nonce is its number in 11 octets and a last one that is 1 for the last chunk; the header is authenticated with each. The
key serves one file, for its salt is random, so no nonce comes twice (Hoang, Reyhanitabar, Rogaway, Vizar: "Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", the construction STREAM).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from io import RawIOBase
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from appliance.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["CHUNK", "HEADER_OCTETS", "Opener", "Sealer", "check_passphrase", "is_sealed"]

MAGIC = b"BrBxSEAL"
FORM = 1
CHUNK = 64 * 1024
"Octets. What is in memory at once, both ways, is a few of these."
TAG_OCTETS = 16
SALT_OCTETS, CHECKSUM_OCTETS, PROOF_OCTETS = 16, 8, 16
SAID_OCTETS = len(MAGIC) + 3 + SALT_OCTETS
HEADER_OCTETS = SAID_OCTETS + CHECKSUM_OCTETS + PROOF_OCTETS

# 32 MiB three times over, a second or two of a small board: what OWASP advises where 128 MiB are too much, and a board
# with 1 GiB must go on switching calls meanwhile.
COST, PARALLEL = 15, 3
BLOCK = 8
# What a header may ask for: it is believed before anything is proved.
COSTS, PARALLELS = range(10, 18), range(1, 17)
MIN_PASSPHRASE, MAX_PASSPHRASE = 8, 256


def check_passphrase(path: str, passphrase: str) -> None:
    """ConfigError for one that a new file must not be sealed with."""
    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        raise ConfigError(path, "error.passphrase_length", low=MIN_PASSPHRASE, high=MAX_PASSPHRASE)
    if not passphrase.isprintable():
        raise ConfigError(path, "error.control_character")


def is_sealed(beginning: bytes) -> bool:
    """Whether a file that begins so is sealed; eight octets are enough."""
    return beginning.startswith(MAGIC)


class Sealer(RawIOBase):
    """Takes octets and writes them sealed to `raw`, which it does not close. Without `close` the file is not whole."""

    def __init__(self, raw: BinaryIO, passphrase: str) -> None:
        said = MAGIC + bytes((FORM, COST, PARALLEL)) + os.urandom(SALT_OCTETS)
        key, proof_key = _keys(said, passphrase)
        proved = said + _proof(proof_key, said)
        self._header = proved + _checksum(proved)
        self._cipher = ChaCha20Poly1305(key)
        self._raw = raw
        self._waiting = bytearray()
        self._number = 0
        raw.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take some more; sealed is what fills a chunk."""
        taken = memoryview(data).cast("B")
        self._waiting += taken
        # More than a chunk, not a whole one: the last must be known as the last, and may not be one too many.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(taken)

    def close(self) -> None:
        """Write the last chunk. Called once more it does nothing."""
        if not self.closed:
            self._seal(bytes(self._waiting), last=True)
            self._waiting.clear()
        super().close()

    def abandon(self) -> None:
        """End without a last chunk: what is written is no whole file, and never opens."""
        super().close()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._raw.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, self._header))
        self._number += 1


class Opener(RawIOBase):
    """Reads what a `Sealer` wrote to `raw`, which it does not close.

    ConfigError: a wrong passphrase, a file that a newer version made, one that is damaged. Nothing is given out that was
    not proved; that nothing is missing at the end is proved by whoever reads to the end.
    """

    def __init__(self, raw: BinaryIO, passphrase: str, name: str) -> None:
        """`name` is what a refusal calls the file."""
        self._raw = raw
        self._name = name
        self._header = raw.read(HEADER_OCTETS)
        self._cipher = ChaCha20Poly1305(self._unlock(passphrase))
        self._next = raw.read(CHUNK + TAG_OCTETS)
        self._open = b""
        self._number = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill some of `buffer`; 0 at the end."""
        target = memoryview(buffer).cast("B")
        while not self._open and not self._ended:
            self._open = self._chunk()
        count = min(len(target), len(self._open))
        target[:count] = self._open[:count]
        self._open = self._open[count:]
        return count

    def _unlock(self, passphrase: str) -> bytes:
        said, proof = self._header[:SAID_OCTETS], self._header[SAID_OCTETS:-CHECKSUM_OCTETS]
        is_whole = len(self._header) == HEADER_OCTETS and self._header.endswith(_checksum(said + proof))
        if not is_whole or not is_sealed(said):
            raise self._damaged()
        form, cost, parallel = said[len(MAGIC) : len(MAGIC) + 3]
        if form != FORM or cost not in COSTS or parallel not in PARALLELS:
            raise ConfigError("backup.file", "error.backup_newer", file=self._name)
        key, proof_key = _keys(said, passphrase)
        if not hmac.compare_digest(_proof(proof_key, said), proof):
            raise ConfigError("backup.passphrase", "error.wrong_passphrase")
        return key

    def _chunk(self) -> bytes:
        sealed, self._next = self._next, self._raw.read(CHUNK + TAG_OCTETS)
        self._ended = not self._next
        try:
            chunk = self._cipher.decrypt(_nonce(self._number, last=self._ended), sealed, self._header)
        except InvalidTag as error:
            raise self._damaged() from error
        self._number += 1
        return chunk

    def _damaged(self) -> ConfigError:
        return ConfigError("backup.file", "error.backup_damaged", file=self._name)


def _keys(said: bytes, passphrase: str) -> tuple[bytes, bytes]:
    _, cost, parallel = said[len(MAGIC) : len(MAGIC) + 3]
    scrypt = Scrypt(said[-SALT_OCTETS:], length=64, n=1 << cost, r=BLOCK, p=parallel)
    # One keyboard makes an accented letter of one character, another of two.
    octets = unicodedata.normalize("NFC", passphrase).encode(errors="replace")
    made = scrypt.derive(octets)
    return made[:32], made[32:]


def _checksum(proved: bytes) -> bytes:
    return hashlib.sha256(proved).digest()[:CHECKSUM_OCTETS]


def _proof(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, "sha256")[:PROOF_OCTETS]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((last,))
