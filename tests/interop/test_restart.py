"""The end of an exchange and its next start, as phones see them: told calls, killed processes, other ports."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.interop.exchange import Exchange, running_exchange, wait_until
from tests.interop.office import CALLEE, Office

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp (Debian: sip-tester) is not installed"),
]


def restarted(office: Office, folder: Path) -> None:
    """Another process on the same data, and on other ports; the phones have not heard of it."""
    with running_exchange(folder) as exchange:
        office.exchange = exchange
        office.sipp.server = exchange.sip
        assert exchange.registered() == {CALLEE}
        with office.callee() as callee:
            office.call()
            assert callee.ended() == 0, callee.errors
        assert office.record()["cause"] == "normal"


def kept(exchange: Exchange) -> list[str]:
    """The numbers whose registrations are on the disk."""
    with closing(sqlite3.connect(f"file:{exchange.folder / 'branchbox.db'}?mode=ro", uri=True)) as database:
        return [number for (number,) in database.execute("SELECT number FROM bindings")]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_registered_phone_is_called_at_once_after_a_restart(tmp_path: Path, end: signal.Signals) -> None:
    with running_exchange(tmp_path) as exchange:
        office = Office.of(exchange, tmp_path)
        office.register(CALLEE, office.ports[1])
        exchange.wait_registered(CALLEE)
        # Registrations are written together with others that come close after them, a moment later.
        wait_until(lambda: kept(exchange) == [CALLEE], "the registration on the disk")
        exchange.process.send_signal(end)
        exchange.process.wait(timeout=15)
    restarted(office, tmp_path)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_calls_are_told_of_the_end_and_recorded(tmp_path: Path, end: signal.Signals) -> None:
    with running_exchange(tmp_path) as exchange:
        office = Office.of(exchange, tmp_path)
        office.register(CALLEE, office.ports[1])
        with office.callee() as callee, ThreadPoolExecutor(1) as pool:
            # Both phones wait for a BYE.
            caller = pool.submit(office.call, "caller_waits")
            exchange.wait_state("talking")
            exchange.process.send_signal(end)
            assert exchange.process.wait(timeout=15) == 0, exchange.log
            caller.result()
            assert callee.ended() == 0, callee.errors
    with running_exchange(tmp_path) as exchange:
        (record,) = exchange.perform("records", "list")
        assert (record["cause"], record["ended_by"], record["status"]) == ("shutdown", "system", 200)


def test_a_phone_that_does_not_answer_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with running_exchange(tmp_path) as exchange:
        office = Office.of(exchange, tmp_path)
        office.register(CALLEE, office.ports[1])
        with office.callee() as callee, ThreadPoolExecutor(1) as pool:
            caller = pool.submit(office.call, "caller_waits")
            exchange.wait_state("talking")
            callee.kill()
            assert exchange.stop() == 0, exchange.log
            caller.result()
    with running_exchange(tmp_path) as exchange:
        assert [each["cause"] for each in exchange.perform("records", "list")] == ["shutdown"]
