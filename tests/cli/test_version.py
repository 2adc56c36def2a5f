"""`branchbox version`."""

from __future__ import annotations

import json
import ssl

import pytest

from appliance import __version__
from appliance.cli import dispatch


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
