"""Commands as a person starts them, against a control socket over fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.cli import dispatch
from tests.control.fakes import Bench, served

Ctl = Callable[..., int]


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "BRANCHBOX_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with served(tmp_path / "var") as (bench, _):
        yield bench


@pytest.fixture
def ctl(bench: Bench) -> Ctl:
    """`ctl("extensions", "list")` is `branchbox ctl --data DIR extensions list`; gives the exit status."""
    return lambda *words: dispatch(["ctl", "--data", str(bench.store.folder), *words])
