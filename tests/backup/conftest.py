"""Passphrases that are stretched in no time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.backup import sealed
from tests.control.fakes import Bench


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "COST", 10)
    monkeypatch.setattr(sealed, "PARALLEL", 1)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = await Bench.open(tmp_path / "var")
    try:
        yield bench
    finally:
        await bench.store.close()
