"""Makes a bundle: `python -m appliance.system.update.write --help`. For the builder; a box never does this.

Private keys are PEM files (PKCS#8, Ed25519, not encrypted) that the builder keeps: `openssl genpkey -algorithm ed25519`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.system.update.bundle import PIECE, describe, header
from appliance.system.update.keys import CONTEXT, read_keys
from appliance.system.update.manifest import KINDS, Kind, Manifest, PublicKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["main", "public_key", "write_bundle"]


def write_bundle(
    path: Path, manifest: Manifest, files: Mapping[str, Path], keys: Mapping[str, Ed25519PrivateKey]
) -> None:
    """Write a bundle of `files` (part -> file), which `manifest` describes. OSError."""
    content = CONTEXT + bytes(manifest)
    signatures = {key: keys[key].sign(content) for key in manifest.signed_by}
    with path.open("wb") as bundle:
        bundle.write(header(manifest, signatures))
        for part in manifest.parts:
            with files[part.name].open("rb") as file:
                while piece := file.read(PIECE):
                    bundle.write(piece)


def public_key(key_id: str, key: Ed25519PrivateKey, least_level: int = 0) -> PublicKey:
    """The half that goes into the image."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return PublicKey(key_id, raw.hex(), least_level)


def main(argv: Sequence[str] | None = None) -> int:
    """Write a bundle, or with `--public` the list of public keys."""
    options = _options(argv)
    keys = {key_id: _private_key(Path(file)) for key_id, file in options.key}
    if options.public:
        listed = [public_key(key_id, key) for key_id, key in keys.items()]
        options.output.write_bytes(msgspec.json.format(msgspec.json.encode(listed), indent=1) + b"\n")
        return 0
    files = {name: Path(file) for name, file in options.part}
    kind: Kind = options.kind
    if set(files) != set(KINDS[kind]):
        sys.stderr.write(f"an {kind} has these parts: {', '.join(KINDS[kind])}\n")
        return 2
    manifest = Manifest(
        kind=kind,
        version=options.version,
        target=options.target,
        security_level=options.security_level,
        parts=describe(kind, files),
        signed_by=tuple(keys),
        new_keys=tuple(read_keys(options.new_keys)) if options.new_keys else (),
        revoked_keys=tuple(options.revoke),
        made_on=options.made_on,
        notes={language: Path(file).read_text(encoding="utf-8").strip() for language, file in options.notes},
    )
    # What no box would read is not written.
    Manifest.parse(bytes(manifest))
    write_bundle(options.output, manifest, files, keys)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="write", description="Make a signed update, or a list of public keys."
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--key", nargs=2, metavar=("ID", "PEM"), action="append", required=True)
    parser.add_argument("--public", action="store_true", help="write the keys' public halves, nothing else")
    parser.add_argument("--kind", choices=tuple(KINDS), default="application")
    parser.add_argument("--version", default="")
    parser.add_argument("--target", default="aarch64")
    parser.add_argument("--security-level", type=int, default=0)
    parser.add_argument("--part", nargs=2, metavar=("NAME", "FILE"), action="append", default=[])
    parser.add_argument("--new-keys", type=Path, metavar="JSON", help="public keys to believe from now on")
    parser.add_argument("--revoke", metavar="ID", action="append", default=[])
    parser.add_argument("--made-on", default="", metavar="YYYY-MM-DD", help="the day on which it was built")
    parser.add_argument(
        *("--notes",), nargs=2, metavar=("LANGUAGE", "FILE"), action="append", default=[], help="what is new"
    )
    return parser.parse_args(argv)


def _private_key(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path} is no Ed25519 key"
        raise TypeError(msg)
    return key


if __name__ == "__main__":
    sys.exit(main())
