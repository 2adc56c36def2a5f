"""Whose signature is believed. Ed25519 (RFC 8032).

A bundle may be signed by several keys, and one that is known suffices: so a new key is brought by an update that the
old one signs, and for as long as there are boxes that know only the old one, both sign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.errors import ConfigError
from appliance.system.update.manifest import PublicKey, is_sound_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from appliance.system.update.manifest import Manifest

__all__ = ["CONTEXT", "KeyRing", "read_keys"]

CONTEXT = b"branchbox update 1\0"
"Stands before what is signed, so that no signature made for another purpose passes here."


class KeyRing:
    """The keys of one box."""

    def __init__(self, keys: Iterable[PublicKey], revoked: Iterable[str] = ()) -> None:
        """`revoked` are the ids of keys that are believed no longer."""
        gone = frozenset(revoked)
        self._keys = {key.id: key for key in keys if key.id not in gone}

    def __len__(self) -> int:
        return len(self._keys)

    def check(self, content: bytes, manifest: Manifest, signatures: Mapping[str, bytes]) -> None:
        """ConfigError unless somebody we know vouches for `content`, which is the manifest's own text."""
        if set(signatures) != set(manifest.signed_by):
            raise ConfigError("update", "update.bad_signature")
        known = [self._keys[each] for each in manifest.signed_by if each in self._keys]
        if not known:
            raise ConfigError("update", "update.unknown_signer", keys=", ".join(manifest.signed_by)[:200])
        # All that can be checked are checked: one that is wrong means that the file is not as it was made.
        for key in known:
            _verify(key, content, signatures[key.id])
        if all(key.least_level > manifest.security_level for key in known):
            raise ConfigError("update", "update.signer_of_other_level", level=manifest.security_level)


def _verify(key: PublicKey, content: bytes, signature: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public)).verify(signature, CONTEXT + content)
    except InvalidSignature:
        raise ConfigError("update", "update.bad_signature") from None


def read_keys(path: Path) -> list[PublicKey]:
    """The keys in a JSON file that comes with the program or the image; none when there is no file.

    ConfigError for a file that is no list of keys: a box that believes half a list would be hard to explain.
    """
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=list[PublicKey])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError):
        raise ConfigError("update", "update.bad_keys", file=str(path)) from None
    if not all(map(is_sound_key, keys)):
        raise ConfigError("update", "update.bad_keys", file=str(path))
    return keys
