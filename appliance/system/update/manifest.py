"""What an update says of itself: the manifest, which is what is signed. Pure."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from appliance.errors import ConfigError

__all__ = ["KINDS", "MANIFEST_LIMIT", "Kind", "Manifest", "Part", "PublicKey", "is_sound_key"]

Kind = Literal["image", "application"]
KINDS: dict[Kind, tuple[str, ...]] = {"image": ("root", "boot"), "application": ("executable",)}
"The parts that each kind has, in the order in which they lie in the file."

MANIFEST_LIMIT = 64 * 1024
"Octets. A manifest has some hundred; it is read into memory before anybody has vouched for it."
LEVEL_LIMIT = 1_000_000
KEYS_LIMIT = 16
"Keys that one manifest may bring or take: a project has two or three."
_VERSION = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){1,3}(?:[-+.][a-z0-9]{1,16}){0,3}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
NOTES_LIMIT = 4000
"Characters of the notes in one language: two screens."
LANGUAGES_LIMIT = 16
_DATE = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One piece of the payload."""

    name: str
    size: int
    "Octets."
    sha256: str
    "64 hexadecimal digits."


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An Ed25519 key that may sign updates (RFC 8032)."""

    id: str
    public: str
    "The 32 octets as 64 hexadecimal digits."
    least_level: int = 0
    "The key vouches for no update of a lower security level: what it signed before is not believed again."


class Manifest(msgspec.Struct, frozen=True):
    """Fields that are not known here are passed over: a newer release may say more."""

    kind: Kind
    version: str
    "Such as 1.4.0. It names a folder, so only digits, small letters, dot, plus and hyphen."
    target: str
    "For an image the card it fits (`arm64-card`), for an application the processor (`aarch64`)."
    security_level: int
    "Never goes down on one box: once an update of level 3 is kept, one of level 2 is refused."
    parts: tuple[Part, ...]
    signed_by: tuple[str, ...]
    "The keys that sign it: who strips a signature alters the bundle."
    new_keys: tuple[PublicKey, ...] = ()
    "Believed from the moment on at which this update is kept."
    revoked_keys: tuple[str, ...] = ()
    "No longer believed from that moment on."
    made_on: str = ""
    "The day on which it was built, such as 2026-12-01; empty: it does not say."
    notes: dict[str, str] = {}
    "What is new in it, in plain text, by language: `en`, `zh`."

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """Read and check it. ConfigError for anything that we would not have written."""
        try:
            manifest = msgspec.json.decode(content, type=cls)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            raise ConfigError("update", "update.bad_manifest") from None
        if not _is_sound(manifest):
            raise ConfigError("update", "update.bad_manifest")
        return manifest

    def __bytes__(self) -> bytes:
        """The manifest as it is signed."""
        return msgspec.json.encode(self)

    @property
    def payload_size(self) -> int:
        """Octets of all parts together."""
        return sum(part.size for part in self.parts)


def is_sound_key(key: PublicKey) -> bool:
    """Whether a key can be one."""
    return bool(
        _NAME.fullmatch(key.id) and _SHA256.fullmatch(key.public) and 0 <= key.least_level <= LEVEL_LIMIT
    )


def _is_sound(manifest: Manifest) -> bool:
    return (
        _VERSION.fullmatch(manifest.version) is not None
        and _NAME.fullmatch(manifest.target) is not None
        and 0 <= manifest.security_level <= LEVEL_LIMIT
        and tuple(part.name for part in manifest.parts) == KINDS[manifest.kind]
        and all(part.size > 0 and _SHA256.fullmatch(part.sha256) for part in manifest.parts)
        and 0 < len(manifest.signed_by) <= KEYS_LIMIT
        and len(manifest.new_keys) <= KEYS_LIMIT
        and len(manifest.revoked_keys) <= KEYS_LIMIT
        and all(map(is_sound_key, manifest.new_keys))
        and (not manifest.made_on or _DATE.fullmatch(manifest.made_on) is not None)
        and len(manifest.notes) <= LANGUAGES_LIMIT
        and all(_is_readable(text) for text in manifest.notes.values())
    )


def _is_readable(text: str) -> bool:
    """It is shown on terminals: nothing in it may steer one."""
    return len(text) <= NOTES_LIMIT and all(line.isprintable() for line in text.split("\n"))
