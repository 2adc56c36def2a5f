"""`branchbox health` before a real exchange: well, partly well, gone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from appliance.service.health import CHECKS, Health, gone, measure
from appliance.system.update.state import Before
from tests.interop.exchange import CHECKOUT, Exchange
from tests.peers.probe import free_port

pytestmark = pytest.mark.interop


def health(exchange: Exchange) -> Health:
    return Health(exchange.folder, exchange.sip, exchange.web)


def test_an_exchange_that_runs_is_well(exchange: Exchange) -> None:
    assert health(exchange).missing(Before()) == frozenset()
    assert measure(exchange.folder) == Before()


def test_lines_and_telephones_that_do_not_come_again_are_missed(exchange: Exchange) -> None:
    carrier = {"name": "carrier", "server": "127.0.0.1:1", "account": "1", "password": "x"}
    exchange.perform("lines", "add", None, carrier)
    assert health(exchange).missing(Before(lines=("carrier",))) == {"lines"}
    before = Before(extensions=tuple(str(number) for number in range(101, 109)))
    assert health(exchange).missing(before) == {"extensions"}


@pytest.mark.parametrize(
    ("before", "now", "well"),
    [
        (0, 0, True),
        (1, 0, False),
        (2, 1, True),
        (2, 0, False),
        (4, 3, True),
        (4, 2, False),
        (8, 6, True),
        (8, 5, False),
    ],
)
def test_one_telephone_of_four_may_be_gone(before: int, now: int, well: bool) -> None:
    numbers = tuple(str(101 + number) for number in range(before))
    missing = gone(Before(extensions=numbers), Before(extensions=numbers[before - now :]))
    assert missing == (frozenset() if well else {"extensions"})


def test_each_check_fails_by_itself(exchange: Exchange) -> None:
    nobody = ("127.0.0.1", free_port())
    assert Health(exchange.folder, nobody, exchange.web).missing(Before()) == {"sip"}
    assert Health(exchange.folder, exchange.sip, nobody).missing(Before()) == {"console"}
    elsewhere = exchange.folder.parent / "elsewhere"
    assert Health(elsewhere, exchange.sip, exchange.web).missing(Before()) == {"database"}


def test_the_command_says_so_and_its_exit_status_too(exchange: Exchange) -> None:
    def run() -> subprocess.CompletedProcess[str]:
        where = ["--data", str(exchange.folder), "--sip", _text(exchange.sip), "--web", _text(exchange.web)]
        command = [sys.executable, "-m", "appliance", "health", *where]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    well = run()
    assert (well.returncode, well.stdout.count("ok")) == (0, len(CHECKS))
    exchange.process.terminate()
    exchange.process.wait()
    ill = run()
    assert ill.returncode == 1
    assert ill.stdout.count("--") == 3


def _text(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"
