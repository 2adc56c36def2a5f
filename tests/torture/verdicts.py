"""Where the torture messages are, and what each may be answered with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

__all__ = ["CASES", "FOLDER"]

FOLDER = Path(os.environ.get("BRANCHBOX_TORTURE") or Path(__file__).parents[3] / "shared" / "torture")
VERDICTS = ["rfc4475/expected.json", "rfc5118/expected.json"]


def load() -> list[Any]:
    cases = []
    for verdicts in VERDICTS:
        path = FOLDER / verdicts
        if not path.exists():
            reason = f"{path} is not there; BRANCHBOX_TORTURE names the folder of the torture messages"
            cases.append(pytest.param(path, {}, id=verdicts, marks=pytest.mark.skip(reason=reason)))
            continue
        cases += [
            pytest.param(path.parent / verdict["file"], verdict, id=verdict["file"])
            for verdict in json.loads(path.read_text())["messages"]
        ]
    return cases


CASES = load()
"Parameters `path, verdict`; one that is skipped by name where a folder is missing."
