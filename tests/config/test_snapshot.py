"""Edits of a snapshot, and the checks across areas."""

from __future__ import annotations

import msgspec
import pytest

from appliance.config import snapshot as snapshots
from appliance.config.snapshot import Snapshot, verify
from appliance.config.system import System
from appliance.errors import ConfigError
from tests.config.test_extension import extension

EMPTY = Snapshot(0, System(), {})


def test_an_edit_leaves_the_snapshot_before_it_alone() -> None:
    one = EMPTY.with_extension(extension("101"))
    two = one.with_extensions([extension("102"), extension("101", name="A")])
    assert (list(EMPTY.extensions), list(one.extensions), list(two.extensions)) == (
        [],
        ["101"],
        ["101", "102"],
    )
    assert one.extensions["101"].name == ""
    assert list(two.without_extension("101").extensions) == ["102"]
    assert two.without_extension("999") == two


def test_a_new_extension_is_looked_at() -> None:
    with pytest.raises(ConfigError) as refused:
        verify(EMPTY, EMPTY.with_extension(extension("1")))
    assert refused.value.path == "extensions.1.number"


def test_what_was_there_is_not_looked_at_again() -> None:
    # Stored by an older version with other rules, say: it must not block every other change.
    old = EMPTY.with_extension(extension("1"))
    verify(old, old.with_extension(extension("101")))


def test_the_realm_stays() -> None:
    with pytest.raises(ConfigError) as refused:
        verify(EMPTY, msgspec.structs.replace(EMPTY, system=System(realm="other")))
    assert (refused.value.path, refused.value.key) == ("system.realm", "error.read_only")


def test_a_number_is_its_key() -> None:
    with pytest.raises(ConfigError) as refused:
        verify(EMPTY, msgspec.structs.replace(EMPTY, extensions={"101": extension("102")}))
    assert refused.value.path == "extensions.101.number"


def test_there_is_an_end_to_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MAX_EXTENSIONS", 1)
    one = EMPTY.with_extension(extension("101"))
    verify(EMPTY, one)
    with pytest.raises(ConfigError) as refused:
        verify(one, one.with_extension(extension("102")))
    assert refused.value.key == "error.too_many"
