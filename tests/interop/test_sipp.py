"""Calls between sipp phones over loopback: UDP, TCP and TLS, IPv4 and IPv6, each caller by digest.

What passes on both legs is in the exchange's own trace; sipp itself fails a call on whatever it does not expect.
Not tested here: sound (test_baresip.py, flows/test_calling.py), what sipp cannot be made to do (flows).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.interop.exchange import Exchange, wait_until
from tests.interop.office import Office
from tests.peers.sipp import write_users

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp (Debian: sip-tester) is not installed"),
]

NUMBERS = count(101, 2)

# The caller's transport, and the callee's.
BOTH_SIDES = ["udp-udp", "tcp-tcp", "tls-tls"]
over = pytest.mark.parametrize("office", BOTH_SIDES, indirect=True)
over_all = pytest.mark.parametrize("office", [*BOTH_SIDES, "tls-udp", "udp-tls", "tcp-udp"], indirect=True)
both_families = pytest.mark.parametrize("shared_exchange", ["ipv4", "ipv6"], indirect=True)

DIALS = ">INVITE <401 >ACK >INVITE <100 "


@pytest.fixture
def office(shared_exchange: Exchange, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Office]:
    """Two more extensions, and their phones on the transports that a test asks for."""
    office = Office.of(shared_exchange, tmp_path, str(next(NUMBERS)))
    with office.over(*getattr(request, "param", "udp-udp").split("-")):
        yield office
    assert "Traceback" not in shared_exchange.log


@both_families
@over_all
def test_a_call_and_the_caller_hangs_up(office: Office) -> None:
    office.register(office.called, office.ports[1])
    with office.callee() as callee:
        office.call()
        assert callee.ended() == 0, callee.errors
    record = office.record()
    assert (record["from_number"], record["to_number"]) == (office.caller, office.called)
    assert (record["status"], record["cause"], record["ended_by"]) == (200, "normal", "caller")
    assert record["answered_by"] == office.called
    assert record["duration"] > 0
    office.expect(
        DIALS + "<180 <200 >ACK >BYE <200",
        "<INVITE >180 >200 <ACK <BYE >200",
    )
    messages = office.exchange.perform("trace", "show", record["id"])
    assert "response=" not in "".join(each["text"] for each in messages)


@over
def test_the_callee_hangs_up(office: Office) -> None:
    office.register(office.called, office.ports[1])
    with office.callee("callee_hangs_up") as callee:
        office.call("caller_waits")
        assert callee.ended() == 0, callee.errors
    assert office.record()["ended_by"] == "callee"
    office.expect(
        DIALS + "<180 <200 >ACK <BYE >200",
        "<INVITE >180 >200 <ACK >BYE <200",
    )


@over
def test_hold_passes_through_and_back(office: Office) -> None:
    office.register(office.called, office.ports[1])
    with office.callee("callee_is_held") as callee:
        office.call("caller_holds")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"
    office.expect(
        DIALS + "<180 <200 >ACK" + " >INVITE <100 <200 >ACK" * 2 + " >BYE <200",
        "<INVITE >180 >200 <ACK" + " <INVITE >200 <ACK" * 2 + " <BYE >200",
    )


@over
def test_the_caller_gives_up_while_it_rings(office: Office) -> None:
    office.register(office.called, office.ports[1])
    with office.callee("callee_rings") as callee:
        office.call("caller_cancels")
        assert callee.ended() == 0, callee.errors
    record = office.record()
    assert (record["status"], record["ended_by"], record["answered_at"]) == (487, "caller", None)
    office.expect(
        DIALS + "<180 >CANCEL <200 <487 >ACK",
        "<INVITE >180 <CANCEL >200 >487 <ACK",
    )


@over
@pytest.mark.parametrize(("status", "reason"), [("486", "Busy Here"), ("480", "Temporarily Unavailable")])
def test_the_callee_refuses(office: Office, status: str, reason: str) -> None:
    office.register(office.called, office.ports[1])
    with office.callee("callee_refuses", status=status, reason=reason) as callee:
        office.call("caller_refused", status=status)
        assert callee.ended() == 0, callee.errors
    record = office.record()
    assert (record["status"], record["ended_by"]) == (int(status), "callee")
    office.expect(
        DIALS + f"<180 <{status} >ACK",
        f"<INVITE >180 >{status} <ACK",
    )


def test_nobody_answers_within_the_ring_time(office: Office) -> None:
    office.exchange.perform("extensions", "set", office.called, {"ring_seconds": 5})
    office.register(office.called, office.ports[1])
    with office.callee("callee_rings") as callee:
        office.call("caller_refused", status="480")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "no_answer"


def test_a_number_that_does_not_exist(office: Office) -> None:
    users = {office.caller: office.passwords[office.caller], "99": "nobody"}
    write_users(office.sipp.users, users)
    office.call("caller_refused", status="404")
    assert office.record()["cause"] == "not_found"


def test_a_phone_that_is_not_there_any_more(office: Office) -> None:
    office.register(office.called, office.ports[1])
    office.call("caller_refused", status="408")
    assert office.record()["cause"] == "unreachable"


def test_all_phones_of_an_extension_ring_and_the_first_answer_wins(office: Office) -> None:
    office.register(office.called, office.ports[1])
    office.register(office.called, office.ports[2])
    with ExitStack() as phones:
        rings = phones.enter_context(office.callee("callee_rings", office.ports[2]))
        answers = phones.enter_context(office.callee("callee", office.ports[1]))
        office.call()
        assert answers.ended() == 0, answers.errors
        assert rings.ended() == 0, rings.errors
    assert office.record()["cause"] == "normal"


@pytest.mark.parametrize("office", ["udp-tcp", "udp-tls"], indirect=True)
def test_a_registration_ends_with_its_connection(office: Office) -> None:
    office.register(office.called, office.ports[1])
    assert office.called in office.exchange.registered()
    assert office.wire is not None
    office.wire.cut()
    wait_until(lambda: office.called not in office.exchange.registered(), "the end of the registration")
    office.call("caller_refused", status="480")  # at once, and not after 32 s
    assert office.record()["cause"] == "not_registered"


@over
def test_reliable_responses_on_both_legs(office: Office) -> None:
    office.register(office.called, office.ports[1])
    with office.callee("callee_reliable") as callee:
        office.call("caller_reliable")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"
    office.expect(
        DIALS + "<183 >PRACK <200 <200 >ACK >BYE <200",
        "<INVITE >183 <PRACK >200 >200 <ACK <BYE >200",
    )


def test_a_reliable_response_to_a_caller_without_100rel(office: Office) -> None:
    office.register(office.called, office.ports[1])
    with office.callee("callee_reliable") as callee:
        office.call()
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"


def test_both_phones_refresh_the_session(office: Office) -> None:
    office.register(office.called, office.ports[1])
    with office.callee("callee_refreshes") as callee:
        office.call("caller_refreshes")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"
