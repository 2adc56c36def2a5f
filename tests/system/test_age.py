"""appliance/system/age.py"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.system.age import built_at, days_old

IMAGE = {"BRANCHBOX_APPLIANCE": "1"}


def test_the_image_says_when_it_was_built(tmp_path: Path) -> None:
    (tmp_path / "base").write_text("0.1.0\n")
    os.utime(tmp_path / "base", (1e9, 1e9))
    there = {**IMAGE, "BRANCHBOX_BASE": str(tmp_path)}
    assert built_at(there) == 1e9
    assert built_at({"BRANCHBOX_BASE": str(tmp_path)}) is None, "a checkout"
    (tmp_path / "base").unlink()
    assert built_at(there) is None


@pytest.mark.parametrize(
    ("built", "now", "days"),
    [(None, 1e9, 0), (1e9, 1e9 + 86_399, 0), (1e9, 1e9 + 15_552_000, 180), (1e9, 0, 0)],
)
def test_its_age_in_days(built: float | None, now: float, days: int) -> None:
    assert days_old(built, now) == days
