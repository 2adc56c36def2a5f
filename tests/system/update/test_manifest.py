"""What a manifest may say. It is read before anybody has vouched for it, so nothing in it may lead astray."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ConfigError
from appliance.system.update.manifest import Manifest

GOOD: dict[str, Any] = {
    "kind": "application",
    "version": "1.4.0",
    "target": "aarch64",
    "security_level": 3,
    "parts": [{"name": "executable", "size": 10, "sha256": "ab" * 32}],
    "signed_by": ["first"],
}


def test_a_manifest_says_the_same_after_printing() -> None:
    manifest = Manifest.parse(json.dumps(GOOD).encode())
    assert Manifest.parse(bytes(manifest)) == manifest
    assert manifest.payload_size == 10


def test_it_may_say_when_it_was_made_and_what_is_new() -> None:
    more = {"made_on": "2026-12-01", "notes": {"en": "Faster.\nSafer.", "zh": "更快。"}}
    manifest = Manifest.parse(json.dumps(GOOD | more).encode())
    assert (manifest.made_on, manifest.notes) == (more["made_on"], more["notes"])
    assert Manifest.parse(bytes(manifest)) == manifest


def test_what_a_newer_release_says_more_is_passed_over() -> None:
    assert Manifest.parse(json.dumps(GOOD | {"mood": "good"}).encode()).version == "1.4.0"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "firmware"},
        {"version": "../../etc"},
        {"version": "1"},
        {"version": ""},
        {"version": "1.0\n"},
        {"target": "a/b"},
        {"security_level": -1},
        {"security_level": 10**9},
        {"security_level": "3"},
        {"parts": []},
        {"parts": GOOD["parts"] * 2},
        {"parts": [GOOD["parts"][0] | {"name": "root"}]},
        {"parts": [GOOD["parts"][0] | {"size": 0}]},
        {"parts": [GOOD["parts"][0] | {"size": -5}]},
        {"parts": [GOOD["parts"][0] | {"sha256": "AB" * 32}]},
        {"signed_by": []},
        {"made_on": "yesterday"},
        {"made_on": "2026-13-01"},
        {"notes": {"en": "\x1b[2J"}},
        {"notes": {"en": "x" * 4001}},
        {"notes": {str(n): "" for n in range(17)}},
        {"signed_by": ["x"] * 17},
        {"revoked_keys": ["x"] * 17},
        {"new_keys": [{"id": "x", "public": "short"}]},
    ],
    ids=str,
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="bad_manifest"):
        Manifest.parse(json.dumps(GOOD | wrong).encode())


@given(st.binary())
def test_any_octets_are_a_manifest_or_refused(content: bytes) -> None:
    with pytest.raises(ConfigError):
        Manifest.parse(content)
