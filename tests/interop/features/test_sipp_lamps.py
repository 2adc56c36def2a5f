"""A lamp as sipp sees it, by its scenario: dark, it rings, somebody talks, and it is over (RFC 4235)."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.interop.exchange import running_exchange, wait_until
from tests.interop.office import RATE, Office
from tests.peers.sipp import Callee, Sipp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.sipp import Outcome

WHY_NOT = "" if shutil.which("sipp") else "sipp (Debian: sip-tester) is not installed"
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

LONG_MS = 2500
"How long it rings, and how long they talk: NOTIFYs come a second apart at least."


def watch(office: Office, number: str, watched: str) -> Outcome:
    users = office.sipp.folder / f"{number}.csv"
    credentials = f"[authentication username={number} password={office.passwords[number]}]"
    users.write_text(f"SEQUENTIAL\n{number};{credentials};{watched};\n")
    sipp = Sipp(office.sipp.server, office.sipp.folder, users, host=office.host, media_port=office.media[2])
    options = ("-t", "u1", "-recv_timeout", "30000")
    return sipp.run("watches_a_lamp", 1, RATE, *options, port=office.ports[2])


def test_x_21_a_lamp(tmp_path: Path) -> None:
    with running_exchange(tmp_path) as exchange, ThreadPoolExecutor() as pool:
        office = Office.of(exchange, tmp_path, "711")
        office.passwords |= exchange.add_extensions(1, "713")
        office.register("712", office.ports[1])
        watcher = pool.submit(watch, office, "713", "712")
        wait_until(lambda: exchange.perform("status", "show")["subscriptions"] == 1, "the subscription")
        long = ("-d", str(LONG_MS))
        callee = Callee(
            *(office.sipp, "callee_takes_their_time", "-m", "1", "-t", "u1", *long),
            host=office.host,
            port=office.ports[1],
            media_port=office.media[1],
        )
        with callee:
            office.call("caller", *long)
            assert callee.ended() == 0, callee.errors
        outcome = watcher.result()
        assert (outcome.done, outcome.failed) == (1, 0), outcome.errors
        assert "Traceback" not in exchange.log
