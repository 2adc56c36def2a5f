"""Control over fakes, and passwords that hash in no time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from appliance.store import administrators
from tests.control.fakes import Bench, served


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(administrators, "MEMORY_KIB", 64)
    monkeypatch.setattr(administrators, "PASSES", 1)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = await Bench.open(tmp_path / "var")
    try:
        yield bench
    finally:
        await bench.store.close()


@pytest.fixture
def socket_path(tmp_path: Path) -> Iterator[Path]:
    with served(tmp_path) as (_, path):
        yield path
