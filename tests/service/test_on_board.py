"""The exchange as on the board, with root's part beside it on a root of its own: trials, power cuts, the screen."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.system import apply_command
from appliance.system.wanted import read_wanted
from tests.interop.exchange import Exchange, running_exchange, wait_until

VLAN_FILE = "run/systemd/network/10-branchbox-vlan.network"


class Board:
    """One card, on which the exchange is started again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.run = folder, folder / "root", folder / "run"
        for each in (self.root / "usr/share/zoneinfo", self.root / "etc", self.run):
            each.mkdir(parents=True)
        (self.root / "usr/share/zoneinfo/UTC").touch()

    @contextmanager
    def exchange(self) -> Iterator[Exchange]:
        environment = ("env", "BRANCHBOX_APPLIANCE=1", f"RUNTIME_DIRECTORY={self.run}")
        program = (*environment, sys.executable, "-m", "tests.interop.watched")
        with running_exchange(self.folder, program=program) as exchange:
            yield exchange

    def apply(self) -> bool:
        """What root does when the file has changed, or at a start; whether the box is in a VLAN then."""
        assert apply_command.run(argparse.Namespace(data=self.folder / "data", root=self.root)) == 0
        return (self.root / VLAN_FILE).exists()

    def wait_wanted(self, *, confirmed: int, tried: int | None) -> None:
        """Until the file for root says this."""

        def says() -> bool:
            wanted = read_wanted(self.folder / "data")
            if wanted is None:
                return False
            trial = wanted.trial and wanted.trial.network.vlan
            return (wanted.network.vlan, trial) == (confirmed, tried)

        wait_until(says, f"VLAN {confirmed}, on trial {tried}")


def cut_power(exchange: Exchange) -> None:
    exchange.process.send_signal(signal.SIGKILL)
    exchange.process.wait()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_a_power_cut_during_a_trial_leads_back(board: Board) -> None:
    with board.exchange() as exchange:
        assert exchange.perform("system", "set", None, {"vlan": 7})["trial"]["vlan"] == 7
        board.wait_wanted(confirmed=0, tried=7)
        assert board.apply()
        cut_power(exchange)
    with board.exchange() as exchange:
        shown = exchange.perform("system", "show")
        assert (shown["vlan"], shown["trial"]) == (0, None)
        board.wait_wanted(confirmed=0, tried=None)
        assert not board.apply()


def test_what_was_confirmed_outlives_a_power_cut_at_once(board: Board) -> None:
    with board.exchange() as exchange:
        exchange.perform("system", "set", None, {"vlan": 7})
        board.wait_wanted(confirmed=0, tried=7)
        assert exchange.perform("system", "confirm")["vlan"] == 7
        cut_power(exchange)
    with board.exchange() as exchange:
        assert exchange.perform("system", "show")["vlan"] == 7
        board.wait_wanted(confirmed=7, tried=None)
        assert board.apply()


def test_undone_by_hand(board: Board) -> None:
    with board.exchange() as exchange:
        exchange.perform("system", "set", None, {"vlan": 7})
        board.wait_wanted(confirmed=0, tried=7)
        exchange.perform("system", "undo")
        board.wait_wanted(confirmed=0, tried=None)
        with pytest.raises(ConfigError, match=r"error\.nothing_on_trial"):
            exchange.perform("system", "confirm")


def test_the_screen_shows_the_code_until_the_box_is_set_up(board: Board) -> None:
    screen = board.run / "screen"
    with board.exchange() as exchange:
        code = exchange.perform("admin", "first-code")["code"]
        wait_until(lambda: screen.exists() and code in screen.read_text(), "the code on the screen")
        exchange.perform("admin", "set-up", None, {"code": code, "password": "correct horse"})
        wait_until(lambda: "code" not in screen.read_text(), "a screen without a code")
        assert exchange.perform("admin", "first-code")["code"] == ""
