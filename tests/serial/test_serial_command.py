"""How `branchbox serial` ends when it cannot go on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.serial import serial_command
from tests.serial.exchange import FakeExchange
from tests.serial.line import Plug


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    plug = Plug(tmp_path / "tty")
    yield plug
    plug.pull()


def options(port: Path) -> argparse.Namespace:
    return argparse.Namespace(port=str(port), baud=115200, data=str(port.parent), socket=None, ascii=False)


def test_no_such_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serial_command.run(options(tmp_path / "nowhere")) == 3
    assert "nowhere" in capsys.readouterr().err


def test_an_exchange_that_refuses(
    plug: Plug, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange = FakeExchange()
    exchange.refuse["status", "show"] = ConfigError("", "error.not_an_appliance")
    monkeypatch.setattr(serial_command, "_control", lambda _path: exchange)
    assert serial_command.run(options(plug.path)) == 1
    assert "only possible on the appliance" in capsys.readouterr().err
