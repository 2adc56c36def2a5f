"""The pictures in docs/screenshots: the documents show all of them, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.documented import PICTURES

CHECKOUT = Path(__file__).parents[1]
FOLDER = CHECKOUT / "docs" / "screenshots"
MOST_OCTETS = 120_000
"Of one: whoever clones the repository takes them all along."

_SHOWN = re.compile(r"\]\(([^)]*screenshots/[^)]+)\)")


def test_documents_show_what_there_is() -> None:
    documents = [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")]
    shown = {
        (document.parent / found).resolve()
        for document in documents
        for found in _SHOWN.findall(document.read_text(encoding="utf-8"))
    }
    assert shown == set(FOLDER.resolve().iterdir())


@pytest.mark.parametrize("name", [name for each in PICTURES.values() for name in each])
def test_pictures_of_services_are_small(name: str) -> None:
    octets = (FOLDER / f"{name}.webp").read_bytes()
    assert octets[:4] + octets[8:12] == b"RIFFWEBP"
    assert len(octets) < MOST_OCTETS
