"""`branchbox version`."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING

import pytest

from appliance import __version__
from appliance.cli import dispatch
from appliance.cli.licences import licence_texts

if TYPE_CHECKING:
    from pathlib import Path


def test_it_says_what_is_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["version"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["branchbox", __version__]
    assert any(ssl.OPENSSL_VERSION in line for line in lines)


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["version", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["branchbox"] == __version__
    assert facts["openssl_tls"] == ssl.OPENSSL_VERSION
    assert facts["frozen"] is False


def test_a_checkout_carries_nobody_elses_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["version", "--licences"]) == 0
    assert "checkout" in capsys.readouterr().out


def test_licences_are_told_by_package(tmp_path: Path) -> None:
    for name in ("segno", "anyio"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "LICENSE").write_bytes(b"\n" + name.encode() + b" \xa9 somebody\n")
    first, second = licence_texts(tmp_path)
    assert first.startswith("== anyio/LICENSE\n\nanyio ")
    assert second.startswith("== segno/LICENSE\n\n")
