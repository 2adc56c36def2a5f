"""Makes updates as a builder would, with keys of its own."""

from __future__ import annotations

import io
import random
import tarfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.system.update.acceptance import IMAGE_TARGET, Place
from appliance.system.update.bundle import describe
from appliance.system.update.keys import KeyRing
from appliance.system.update.manifest import Kind, Manifest, PublicKey
from appliance.system.update.write import public_key, write_bundle

MACHINE = "aarch64"
HERE = Place(MACHINE, IMAGE_TARGET, security_level=2, room={"root": 4096})
PROGRAM = b"#!/bin/sh\necho the new one\n"


class Workshop:
    """A folder with parts and keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = {name: Ed25519PrivateKey.generate() for name in ("first", "second", "third")}

    def public(self, name: str, least_level: int = 0) -> PublicKey:
        return public_key(name, self.keys[name], least_level)

    def ring(self, *names: str) -> KeyRing:
        return KeyRing(map(self.public, names or ("first",)))

    def application(self, name: str = "update.bundle", program: bytes = PROGRAM, **fields: Any) -> Path:
        return self._bundle(name, "application", {"executable": program}, fields)

    def image(self, name: str = "image.bundle", root: bytes = b"squash" * 100, **fields: Any) -> Path:
        boot = fields.pop("boot", None) or boot_archive()
        return self._bundle(name, "image", {"root": root, "boot": boot}, fields)

    def _bundle(self, name: str, kind: Kind, contents: dict[str, bytes], fields: dict[str, Any]) -> Path:
        files = {}
        for part, content in contents.items():
            files[part] = self.folder / f"{name}.{part}"
            files[part].write_bytes(content)
        given: dict[str, Any] = {
            "version": "0.2.0",
            "target": IMAGE_TARGET if kind == "image" else MACHINE,
            "security_level": 2,
            "signed_by": ("first",),
        } | fields
        path = self.folder / name
        manifest = Manifest(kind=kind, parts=describe(kind, files), **given)
        write_bundle(path, manifest, files, self.keys)
        return path


BOOT_FILES = {
    "vmlinuz": b"kernel",
    "initrd.img": b"initial",
    "bcm2711-rpi-4-b.dtb": b"tree",
    "entry.conf": b"title Branchbox\nsort-key @ORDER@\nlinux /@SLOT@/vmlinuz\noptions root=@ROOT@ ro\n",
    "u-boot.env": b"slot=@SLOT@\nbootargs=console=ttyS1 root=@ROOT@ ro @TRIAL@\nwhole=yes\n",
}


def boot_archive(files: dict[str, bytes] = BOOT_FILES, **more: tarfile.TarInfo) -> bytes:
    """The part `boot`; `more` are entries of other kinds than files."""
    result = io.BytesIO()
    with tarfile.open(fileobj=result, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in more.values():
            archive.addfile(entry)
    return result.getvalue()


def alter_at_random(whole: bytes, last: int, chance: random.Random) -> bytes:
    """One thing about a bundle is otherwise; `last` octets at its end are its payload."""
    at = chance.randrange(len(whole))
    match chance.randrange(5):
        case 0:
            return whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]
        case 1:
            return whole[:at]
        case 2:
            return whole + chance.randbytes(chance.randint(1, 600))
        case 3:
            run = chance.randbytes(chance.randint(1, 80))
            return whole[:at] + run + whole[at + len(run) :]
        case _:
            # Parts, or pieces of them, change places.
            start = len(whole) - last
            cut = chance.randint(start + 1, len(whole) - 1)
            return whole[:start] + whole[cut:] + whole[start:cut]
