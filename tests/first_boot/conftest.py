"""Passwords that hash in no time."""

from __future__ import annotations

import pytest

from appliance.store import administrators


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(administrators, "MEMORY_KIB", 64)
    monkeypatch.setattr(administrators, "PASSES", 1)
