"""Forwarding as sipp and baresip see it: what they do with a 181, and that sound goes both ways after it.

Not tested here: what scripted phones show (test_forwarding.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.interop import baresip, network
from tests.interop.baresip import Baresip
from tests.interop.exchange import Exchange, free_ports, running_exchange
from tests.interop.office import Office
from tests.interop.test_baresip import clear_seconds

WHY_NOT = baresip.why_not() or network.why_not()
pytestmark = pytest.mark.interop
with_baresip = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
with_sipp = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="sipp (Debian: sip-tester) is not installed"
)

DIALS = ">INVITE <401 >ACK >INVITE "
TALKS = "<180 <200 >ACK >BYE <200"


@pytest.fixture
def office(shared_exchange: Exchange, tmp_path: Path) -> Iterator[Office]:
    """sipp's caller 701, and 702 and 703 whom it may reach; it dials 702."""
    office = Office.of(shared_exchange, tmp_path, "701")
    office.passwords |= shared_exchange.add_extensions(1, "703")
    yield office
    assert "Traceback" not in shared_exchange.log


@with_sipp
def test_5359_2_7_2_8_sipp_is_told_and_talks(office: Office) -> None:
    """All calls, then what the phone sends on itself, then when it is busy."""
    exchange = office.exchange
    office.register("703", office.ports[1])
    exchange.perform("forwarding", "set", "702", {"always": "703"})
    with office.callee() as callee:
        office.call()
        assert callee.ended() == 0, callee.errors
    (record,) = exchange.wait_records(1)
    assert (record["answered_by"], record["cause"]) == ("703", "normal")
    office.expect(f"{DIALS}<181 {TALKS}", "<INVITE >180 >200 <ACK <BYE >200")
    exchange.perform("forwarding", "set", "702", {"always": ""})
    office.register("702", office.ports[2])
    for scenario, placeholders, why in (
        ("callee_moves", {"number": "703"}, "deflection"),
        ("callee_refuses", {"status": "486", "reason": "Busy Here"}, "user-busy"),
    ):
        exchange.perform("forwarding", "set", "702", {"busy": "703"})
        with ExitStack() as phones:
            moves = phones.enter_context(office.callee(scenario, office.ports[2], **placeholders))
            answers = phones.enter_context(office.callee("callee", office.ports[1]))
            office.call()
            assert (moves.ended(), answers.ended()) == (0, 0), (moves.errors, answers.errors)
        record = exchange.perform("records", "list")[0]
        assert [(each["by"], each["to"], each["why"]) for each in record["steps"]] == [("702", "703", why)]


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Makes phones, which end with the test."""
    with ExitStack() as stack:

        def start(exchange: Exchange, number: str, password: str, **options: Any) -> Baresip:
            sip, control = free_ports(exchange.sip[0], 2)
            made = Baresip(tmp_path / number, number, password, exchange.sip, ports=(sip, control), **options)
            return stack.enter_context(made)

        yield start


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    with network.own_network() as host, running_exchange(tmp_path, host) as exchange:
        yield exchange


@with_baresip
@pytest.mark.parametrize("form", ["minisipserver", "rfc3261", "both", "none"])
def test_5359_2_7_baresip_is_sent_on(exchange: Exchange, phone: Callable[..., Baresip], form: str) -> None:
    """A phone that knows nothing of the notice takes it in each of its forms."""
    passwords = exchange.add_extensions(3)
    exchange.perform("forwarding-notice", "set", None, {"call_info": form})
    exchange.perform("forwarding", "set", "102", {"always": "103"})
    caller = phone(exchange, "101", passwords["101"], tone_hz=440.0)
    callee = phone(exchange, "103", passwords["103"], tone_hz=620.0, answers=True)
    exchange.wait_registered("101", "103")
    caller.dial("102")
    for each in (caller, callee):
        each.wait_event("CALL_ESTABLISHED")
        each.wait_event("CALL_RTPESTAB")
        each.wait_heard(3.0)
    caller.command("hangup")
    callee.wait_event("CALL_CLOSED")
    exchange.wait_idle()
    for each in (caller, callee):
        each.stop()
    assert clear_seconds(callee, 440.0) >= 2
    assert clear_seconds(caller, 620.0) >= 2
    (record,) = exchange.wait_records(1)
    assert (record["answered_by"], len(record["steps"])) == ("103", 1)


@with_baresip
def test_5359_2_8_baresip_rejects_and_another_one_rings(
    exchange: Exchange, phone: Callable[..., Baresip]
) -> None:
    passwords = exchange.add_extensions(3)
    exchange.perform("forwarding", "set", "102", {"busy": "103"})
    caller, callee, other = (phone(exchange, number, passwords[number]) for number in ("101", "102", "103"))
    exchange.wait_registered("101", "102", "103")
    caller.dial("102")
    callee.wait_event("CALL_INCOMING")
    callee.command("hangup")
    other.wait_event("CALL_INCOMING")
    other.command("accept")
    for each in (caller, other):
        each.wait_event("CALL_ESTABLISHED")
    other.command("hangup")
    caller.wait_event("CALL_CLOSED")
    (record,) = exchange.wait_records(1)
    assert (record["answered_by"], record["cause"], record["ended_by"]) == ("103", "normal", "callee")


@with_baresip
def test_baresip_gives_up_while_it_is_sent_on(exchange: Exchange, phone: Callable[..., Baresip]) -> None:
    passwords = exchange.add_extensions(3)
    exchange.perform("forwarding", "set", "102", {"always": "103"})
    caller, callee = (phone(exchange, number, passwords[number]) for number in ("101", "103"))
    exchange.wait_registered("101", "103")
    caller.dial("102")
    callee.wait_event("CALL_INCOMING")
    caller.wait_event("CALL_RINGING")
    caller.command("hangup")
    callee.wait_event("CALL_CLOSED")
    exchange.wait_idle()
    (record,) = exchange.wait_records(1)
    assert record["cause"] == "cancelled"
