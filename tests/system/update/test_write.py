"""The builder's side: a bundle from files and a key, by the command that the build uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.system.update.bundle import open_bundle
from appliance.system.update.keys import KeyRing, read_keys
from appliance.system.update.write import main
from tests.system.update.workshop import PROGRAM, Workshop


def key_file(folder: Path, workshop: Workshop, name: str) -> tuple[str, str, str]:
    file = folder / f"{name}.pem"
    file.write_bytes(
        workshop.keys[name].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return "--key", name, str(file)


def test_a_bundle_from_the_command_line(tmp_path: Path, workshop: Workshop) -> None:
    program, bundle, public = tmp_path / "program", tmp_path / "bundle", tmp_path / "public.json"
    program.write_bytes(PROGRAM)
    keys = [*key_file(tmp_path, workshop, "first"), *key_file(tmp_path, workshop, "second")]
    assert main(["--output", str(public), "--public", *key_file(tmp_path, workshop, "second")]) == 0
    words = ["--version", "0.2.0", "--part", "executable", str(program), "--revoke", "old"]
    notes = tmp_path / "notes"
    notes.write_text("更快。\n", encoding="utf-8")
    words += ["--made-on", "2026-11-30", "--notes", "zh", str(notes)]
    assert main(["--output", str(bundle), *keys, *words, "--new-keys", str(public)]) == 0
    with bundle.open("rb") as file:
        read = open_bundle(file, KeyRing(read_keys(public)))
        read.prove()
    assert read.manifest.new_keys == (workshop.public("second"),)
    assert read.manifest.revoked_keys == ("old",)
    assert read.manifest.signed_by == ("first", "second")
    assert (read.manifest.made_on, read.manifest.notes) == ("2026-11-30", {"zh": "更快。"})


def test_a_part_that_is_missing(
    tmp_path: Path, workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--kind", "image", "--version", "0.2.0", "--part", "root", __file__]
    assert main(["--output", str(tmp_path / "x"), *key_file(tmp_path, workshop, "first"), *words]) == 2
    assert "root, boot" in capsys.readouterr().err


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    file = tmp_path / "ec.pem"
    file.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(TypeError, match="no Ed25519 key"):
        main(["--output", str(tmp_path / "x"), "--public", "--key", "x", str(file)])
