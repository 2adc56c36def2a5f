"""One key takes another's place, from the builder's PEM files to the box's refusals: nothing between is left out.

The builder signs with `write`, as `image/bundle.sh` does; the box examines, writes its partitions (files here), starts from
the other slot, keeps it, and starts from it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from appliance.errors import ConfigError
from appliance.system.update.acceptance import IMAGE_TARGET
from appliance.system.update.card import other
from appliance.system.update.manifest import KINDS, Kind
from appliance.system.update.standing import come_back, keep
from appliance.system.update.write import main as write
from tests.system.update.box import MACHINE, FakeBox
from tests.system.update.workshop import PROGRAM, Workshop, boot_archive


@dataclass(frozen=True)
class Builder:
    """A folder with private keys and parts, and the command that signs."""

    folder: Path
    workshop: Workshop

    def pem(self, name: str) -> tuple[str, str, str]:
        file = self.folder / f"{name}.pem"
        file.write_bytes(
            self.workshop.keys[name].private_bytes(
                *(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8),
                serialization.NoEncryption(),
            )
        )
        return "--key", name, str(file)

    def public(self, name: str) -> Path:
        file = self.folder / f"{name}.json"
        assert write(["--output", str(file), "--public", *self.pem(name)]) == 0
        return file

    def bundle(self, kind: Kind, version: str, signed_by: tuple[str, ...], *more: str) -> Path:
        contents = {"executable": PROGRAM, "root": version.encode() * 100, "boot": boot_archive()}
        parts = []
        for name in KINDS[kind]:
            (self.folder / name).write_bytes(contents[name])
            parts += ["--part", name, str(self.folder / name)]
        file = self.folder / f"{version}-{'-'.join(signed_by)}.bundle"
        keys = [word for name in signed_by for word in self.pem(name)]
        target = MACHINE if kind == "application" else IMAGE_TARGET
        words = ["--kind", kind, "--version", version, "--target", target, "--security-level", "1"]
        assert write(["--output", str(file), *words, *parts, *keys, *more]) == 0
        return file


@pytest.fixture
def box(tmp_path: Path, workshop: Workshop) -> FakeBox:
    return FakeBox(tmp_path / "box", workshop)


@pytest.fixture
def builder(tmp_path: Path, workshop: Workshop) -> Builder:
    folder = tmp_path / "builder"
    folder.mkdir()
    return Builder(folder, workshop)


def refusal(box: FakeBox, bundle: Path) -> str:
    """Why it is not taken; and nothing was touched."""
    before = box.contents()
    with pytest.raises(ConfigError) as refused:
        box.update(bundle)
    assert box.contents() == before
    return refused.value.key


def prove(box: FakeBox, bundle: Path, *, good: bool = True) -> None:
    """Take it, start it on trial, and keep it; or let it go."""
    trial = box.update(bundle)
    if trial.kind == "application":
        folder = box.site.programs().folder
        (folder / "next").rename(folder / "trying")
    else:
        box.start(other(box.card().kept()), trial=True)
    if good:
        keep(box.site, trial)
    else:
        come_back(box.site, trial, ["sip"])
    if trial.kind == "image":
        box.start(box.card().kept())


@pytest.mark.parametrize("kind", ["image", "application"])
def test_the_old_key_brings_the_new_one_and_retires(box: FakeBox, builder: Builder, kind: Kind) -> None:
    passes_on = ("--new-keys", str(builder.public("second")), "--revoke", "first")
    roll_over = builder.bundle(kind, "0.2.0", ("first",), *passes_on)
    by_new = builder.bundle(kind, "0.3.0", ("second",))
    by_old = builder.bundle(kind, "0.4.0", ("first",))
    assert refusal(box, by_new) == "update.unknown_signer"

    prove(box, roll_over, good=False)
    assert refusal(box, by_new) == "update.unknown_signer", "a key counts from an update that is kept"

    prove(box, roll_over)
    assert refusal(box, by_old) == "update.unknown_signer"
    assert refusal(box, roll_over) == "update.unknown_signer", "nor what it signed before"
    prove(box, by_new)
    last = box.state.last
    assert last is not None
    assert (last.version, last.outcome) == ("0.3.0", "kept")

    assert refusal(box, by_old) == "update.unknown_signer"
    # For boxes that know only the old one both sign; to those that know the new one it says enough.
    prove(box, builder.bundle(kind, "0.5.0", ("first", "second")))


def test_the_new_key_does_not_sign_itself_in(box: FakeBox, builder: Builder) -> None:
    passes_on = ("--new-keys", str(builder.public("second")))
    assert refusal(box, builder.bundle("image", "0.2.0", ("second",), *passes_on)) == "update.unknown_signer"
