"""docs/features.md names tests that there are, and the codes that the services have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.config.codes import Code
from appliance.features import FEATURES

TEXT = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
TESTS = re.findall(r"`(test_\w+\.py)::(test_\w+)`", TEXT)
LETTERS = re.findall(r"^\| ([A-Z][0-9]+) \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("file", "test"), TESTS)
def test_each_test_exists(file: str, test: str) -> None:
    assert re.search(rf"^(async )?def {test}\(", (Path(__file__).parent / file).read_text(), re.MULTILINE)


def test_each_letter_names_a_test_and_is_used() -> None:
    cells = "".join(line for line in TEXT.splitlines() if line.startswith("| **"))
    used = {
        each
        for found in re.findall(r"\(([A-Z][0-9]+(?:, [A-Z][0-9]+)*)\)", cells)
        for each in found.split(", ")
    }
    assert used == set(LETTERS)
    assert len(LETTERS) == len(set(LETTERS))


@pytest.mark.parametrize(
    "code", [code for feature in FEATURES for code in feature.codes], ids=lambda code: code.name
)
def test_each_code_is_told(code: Code) -> None:
    assert f"`{code.default}`" in TEXT
