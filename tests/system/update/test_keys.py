"""Whose signature is believed, and how one key takes another's place."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from appliance.errors import ConfigError
from appliance.system.update import bundle as bundles
from appliance.system.update.bundle import MAGIC, open_bundle
from appliance.system.update.keys import KeyRing, read_keys
from appliance.system.update.manifest import Manifest
from tests.system.update.workshop import Workshop


def refusal(path: Path, ring: KeyRing) -> str | None:
    with path.open("rb") as file:
        try:
            open_bundle(file, ring)
        except ConfigError as error:
            return error.key
    return None


def test_one_known_key_of_several_suffices(workshop: Workshop) -> None:
    path = workshop.application(signed_by=("third", "second", "first"))
    assert refusal(path, workshop.ring("second")) is None


@pytest.mark.parametrize("known", [(), ("second",), ("second", "third")])
def test_a_stranger_is_refused(workshop: Workshop, known: tuple[str, ...]) -> None:
    assert refusal(workshop.application(), KeyRing(map(workshop.public, known))) == "update.unknown_signer"


def test_a_key_that_was_revoked_vouches_for_nothing(workshop: Workshop) -> None:
    ring = KeyRing([workshop.public("first"), workshop.public("second")], revoked=["first"])
    assert refusal(workshop.application(signed_by=("first",)), ring) == "update.unknown_signer"
    assert refusal(workshop.application(signed_by=("first", "second")), ring) is None


def test_a_key_does_not_vouch_below_its_level(workshop: Workshop) -> None:
    ring = KeyRing([workshop.public("first", least_level=3)])
    assert refusal(workshop.application(security_level=2), ring) == "update.signer_of_other_level"
    assert refusal(workshop.application(security_level=3), ring) is None


def test_another_key_under_a_known_name_is_noticed(workshop: Workshop) -> None:
    ring = KeyRing([msgspec.structs.replace(workshop.public("second"), id="first")])
    assert refusal(workshop.application(), ring) == "update.bad_signature"


def test_a_signature_that_was_taken_off_is_missed(workshop: Workshop) -> None:
    path = workshop.application(signed_by=("first", "second"))
    with path.open("rb") as file:
        manifest: Manifest = open_bundle(file, workshop.ring()).manifest
    signature = workshop.keys["first"].sign(bytes(manifest))
    path.write_bytes(bundles.header(manifest, {"first": signature}))
    assert refusal(path, workshop.ring()) == "update.bad_signature"


def test_a_signature_made_for_something_else_does_not_count(workshop: Workshop) -> None:
    path = workshop.application()
    with path.open("rb") as file:
        manifest = open_bundle(file, workshop.ring()).manifest
    without_context = workshop.keys["first"].sign(bytes(manifest))
    path.write_bytes(bundles.header(manifest, {"first": without_context}))
    assert path.read_bytes().startswith(MAGIC)
    assert refusal(path, workshop.ring()) == "update.bad_signature"


def test_keys_come_from_a_file(workshop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    assert read_keys(file) == []
    file.write_bytes(msgspec.json.encode([workshop.public("first")]))
    assert read_keys(file) == [workshop.public("first")]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'[{"id": "x"}]', b'[{"id": "x", "public": "00"}]', b'[{"id": "", "public": ""}]']
)
def test_half_a_list_of_keys_is_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="bad_keys"):
        read_keys(file)
