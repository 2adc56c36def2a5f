"""Each module of the protocol's core has a test file of its own, which alone runs every line and every branch of it.

Its examples do: what Hypothesis draws is left out. A package's `__init__` has none, for it says only where things are.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from tests.sip.own_coverage import FOLDERS, MODULES, ROOT, file_of_tests

PACKAGES = [f"appliance/sip/{folder}/__init__.py" for folder in FOLDERS]


@pytest.fixture(scope="module")
def missing() -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sip.own_coverage"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(300)  # the first one waits for all test files, each in a process of its own
@pytest.mark.parametrize("module", MODULES)
def test_its_own_tests_cover_it(module: str, missing: dict[str, list[str]]) -> None:
    assert file_of_tests(module).exists()
    assert missing[module] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_does_nothing_itself(package: str) -> None:
    for statement in ast.parse((ROOT / package).read_text(encoding="utf-8")).body:
        match statement:
            case ast.ImportFrom() | ast.Expr(ast.Constant()) | ast.Assign([ast.Name("__all__")]):
                pass
            case _:
                pytest.fail(f"{package} does something in line {statement.lineno}")
