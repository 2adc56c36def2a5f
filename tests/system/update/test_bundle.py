"""A bundle is read as it was written, and refused with its own reason when anything about it is otherwise."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.system.update import bundle as bundles
from appliance.system.update.bundle import MAGIC, Bundle, open_bundle
from appliance.system.update.keys import KeyRing
from tests.system.update.workshop import PROGRAM, Workshop


def prove(path: Path, ring: KeyRing) -> None:
    with path.open("rb") as file:
        open_bundle(file, ring).prove()


def reason(path: Path, ring: KeyRing) -> str:
    with pytest.raises(ConfigError) as refused:
        prove(path, ring)
    return refused.value.key


def test_what_is_written_is_read(workshop: Workshop) -> None:
    with workshop.application(version="0.3.0-rc.1").open("rb") as file:
        read = open_bundle(file, workshop.ring())
        read.prove()
        assert read.manifest.version == "0.3.0-rc.1"
        assert b"".join(read.pieces("executable")) == PROGRAM


def test_parts_are_told_apart_and_read_in_any_order(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "PIECE", 7)
    path = workshop.image(root=b"the root of it", boot=b"what boots")
    with path.open("rb") as file:
        read = open_bundle(file, workshop.ring())
        assert b"".join(read.pieces("boot")) == b"what boots"
        assert b"".join(read.pieces("root")) == b"the root of it"
        with pytest.raises(KeyError):
            next(read.pieces("executable"))


def test_a_payload_is_never_whole_in_memory(workshop: Workshop) -> None:
    path = workshop.application(program=b"x" * (3 * bundles.PIECE + 5))
    with path.open("rb") as file:
        pieces = [len(piece) for piece in open_bundle(file, workshop.ring()).pieces("executable")]
    assert pieces == [bundles.PIECE] * 3 + [5]


@pytest.mark.parametrize(
    ("alter", "key"),
    [
        (lambda whole: b"", "update.truncated"),
        (lambda whole: b"PK\x03\x04", "update.not_a_bundle"),
        (lambda whole: b"\x7fELF" + whole[4:], "update.not_a_bundle"),
        (lambda whole: MAGIC.replace(b"-1", b"-2") + whole[len(MAGIC) :], "update.unknown_format"),
        (lambda whole: whole[:30], "update.truncated"),
        (lambda whole: whole[:100], "update.truncated"),
        (lambda whole: whole[:-1], "update.truncated"),
        (lambda whole: whole + b"\0", "update.too_long"),
        (lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), "update.altered"),
        (lambda whole: whole[:120] + bytes([whole[120] ^ 1]) + whole[121:], "update.damaged_header"),
        (lambda whole: MAGIC + struct.pack(">II", 2**31, 9) + whole[27:], "update.damaged_header"),
    ],
)
def test_each_wrong_file_has_its_reason(
    workshop: Workshop, alter: Callable[[bytes], bytes], key: str
) -> None:
    path = workshop.application()
    path.write_bytes(alter(path.read_bytes()))
    assert reason(path, workshop.ring()) == key


def test_a_file_that_changes_between_two_readings_is_noticed(workshop: Workshop) -> None:
    path = workshop.application()
    with path.open("rb") as file:
        read: Bundle = open_bundle(file, workshop.ring())
        read.prove()
        path.write_bytes(path.read_bytes().replace(b"new", b"old"))
        with pytest.raises(ConfigError, match="altered"):
            list(read.pieces("executable"))
