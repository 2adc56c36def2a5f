"""docs/features.md shows a real service: word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "file", ["appliance/features/anonymous_rejection.py", "tests/features/test_anonymous_rejection.py"]
)
def test_the_page_shows_the_file(file: str) -> None:
    page = (ROOT / "docs/features.md").read_text(encoding="utf-8")
    shown = page.partition(f"`{file}`:\n\n```python\n")[2].partition("```")[0]
    assert shown == (ROOT / file).read_text(encoding="utf-8")


def test_every_question_is_on_the_page() -> None:
    page = (ROOT / "docs/features.md").read_text(encoding="utf-8")
    source = (ROOT / "appliance/features/feature.py").read_text(encoding="utf-8")
    asked = [line.strip().split("(")[0][4:] for line in source.splitlines() if line.startswith("    def ")]
    assert [each for each in asked if not each.startswith("_") and f"| `{each}` |" not in page] == []
