"""Transfer, park and pick-up by sipp, each phone by its scenario (RFC 5359 §2.4, §2.15, §2.16)."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.interop.exchange import running_exchange, wait_until
from tests.interop.office import RATE, Office
from tests.peers.sipp import Sipp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.peers.sipp import Callee

WHY_NOT = "" if shutil.which("sipp") else "sipp (Debian: sip-tester) is not installed"
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """sipp's caller 711, and 712 and 713 whom it may reach; it dials 712."""
    with running_exchange(tmp_path) as exchange:
        office = Office.of(exchange, tmp_path, "711")
        office.passwords |= exchange.add_extensions(1, "713")
        office.register("712", office.ports[1])
        yield office
        assert "Traceback" not in exchange.log


def ended(*phones: Callee) -> None:
    for each in phones:
        assert each.ended() == 0, each.errors


def dial(office: Office, number: str, to: str) -> None:
    """An extension dials something, talks for a moment and hangs up."""
    users = office.sipp.folder / f"{number}.csv"
    users.write_text(
        f"SEQUENTIAL\n{number};[authentication username={number} password={office.passwords[number]}];{to};\n"
    )
    sipp = Sipp(office.sipp.server, office.sipp.folder, users, host=office.host, media_port=office.media[2])
    outcome = sipp.run("caller", 1, RATE, "-d", "300", "-t", "u1", port=office.ports[2])
    assert (outcome.done, outcome.failed) == (1, 0), outcome.errors


def causes(office: Office, number: str, count: int) -> list[str]:
    """How the calls of an extension ended, oldest first, once there are so many."""
    office.exchange.wait_idle()

    def records() -> list[str]:
        found = office.exchange.perform("records", "list", None, {"number": number})
        return [str(each["cause"]) for each in found[::-1]]

    wait_until(lambda: len(records()) == count, f"{count} records of {number}")
    return records()


def test_5359_2_4_blind_transfer(office: Office) -> None:
    office.register("713", office.ports[2])
    with ExitStack() as phones:
        bob = phones.enter_context(office.callee("callee_is_put_through"))
        carol = phones.enter_context(office.callee("callee", office.ports[2]))
        office.call("caller_transfers", to="713")
        ended(bob, carol)
    assert causes(office, "712", 2) == ["handed_over", "normal"]
    assert causes(office, "713", 1) == ["normal"]


def test_5359_2_15_park_and_take_up(office: Office) -> None:
    with office.callee("callee_is_parked") as bob:
        office.call("caller_transfers", to="*859")
        dial(office, "713", "*859")
        ended(bob)
    assert causes(office, "712", 3) == ["handed_over", "handed_over", "normal"]


def test_5359_2_16_pick_up(office: Office) -> None:
    """The one who calls talks to whoever picked up, and the phone that rang hears no more of it."""
    with ThreadPoolExecutor() as pool, office.callee("callee_rings") as bob:
        caller = pool.submit(office.call, "caller_waits")
        wait_until(
            lambda: office.exchange.perform("extensions", "show", "712")["state"] == "ringing", "it rings"
        )
        dial(office, "713", "*40*712")
        caller.result()
        ended(bob)
    assert causes(office, "711", 1) == ["normal"]
