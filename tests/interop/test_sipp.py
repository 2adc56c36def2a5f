"""Calls between sipp phones over loopback, flow by flow as in RFC 3665 §3 and RFC 5359 §2.1.

Not tested here: sound (test_baresip.py), TLS.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.exchange import running_exchange, wait_until
from tests.interop.office import CALLEE, CALLER, Office
from tests.peers.sipp import write_users

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp (Debian: sip-tester) is not installed"),
]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_exchange(tmp_path) as exchange:
        yield Office.of(exchange, tmp_path)


def test_a_call_and_the_caller_hangs_up(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee() as callee:
        office.call()
        assert callee.ended() == 0, callee.errors
    record = office.record()
    assert (record["from_number"], record["to_number"], record["answered_by"]) == (CALLER, CALLEE, CALLEE)
    assert (record["status"], record["cause"], record["ended_by"]) == (200, "normal", "caller")
    assert record["duration"] > 0
    messages = office.exchange.perform("trace", "show", record["id"])
    lines = [
        (each["direction"], each["text"].partition("\r\n")[0].partition(" sip:")[0]) for each in messages
    ]
    assert [line for line in lines if line[1] in ("INVITE", "BYE")] == [
        *(("in", "INVITE"), ("in", "INVITE"), ("out", "INVITE"), ("in", "BYE"), ("out", "BYE")),
    ]
    assert "response=" not in "".join(each["text"] for each in messages)


def test_the_callee_hangs_up(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee("callee_hangs_up") as callee:
        office.call("caller_waits")
        assert callee.ended() == 0, callee.errors
    assert office.record()["ended_by"] == "callee"


def test_hold_passes_through_and_back(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee("callee_is_held") as callee:
        office.call("caller_holds")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"


def test_the_caller_gives_up_while_it_rings(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee("callee_rings") as callee:
        office.call("caller_cancels")
        assert callee.ended() == 0, callee.errors
    record = office.record()
    assert (record["status"], record["ended_by"], record["answered_at"]) == (487, "caller", None)


@pytest.mark.parametrize(("status", "reason"), [("486", "Busy Here"), ("480", "Temporarily Unavailable")])
def test_the_callee_refuses(office: Office, status: str, reason: str) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee("callee_refuses", status=status, reason=reason) as callee:
        office.call("caller_refused", status=status)
        assert callee.ended() == 0, callee.errors
    assert office.record()["status"] == int(status)


def test_nobody_answers_within_the_ring_time(office: Office) -> None:
    office.exchange.perform("extensions", "set", CALLEE, {"ring_seconds": 5})
    office.register(CALLEE, office.ports[1])
    with office.callee("callee_rings") as callee:
        office.call("caller_refused", status="480")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "no_answer"


def test_a_number_that_does_not_exist(office: Office) -> None:
    users = {CALLER: office.passwords[CALLER], "199": "nobody"}
    write_users(office.sipp.users, users)
    office.call("caller_refused", status="404")
    assert office.record()["cause"] == "not_found"


def test_an_extension_without_a_phone(office: Office) -> None:
    office.call("caller_refused", status="480")
    assert office.record()["cause"] == "not_registered"


def test_a_phone_that_is_not_there_any_more(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    office.call("caller_refused", status="408")
    assert office.record()["cause"] == "unreachable"


def test_all_phones_of_an_extension_ring_and_the_first_answer_wins(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    office.register(CALLEE, office.ports[2])
    assert len(office.exchange.perform("registrations", "list")) == 2
    with ExitStack() as phones:
        rings = phones.enter_context(office.callee("callee_rings", office.ports[2]))
        answers = phones.enter_context(office.callee("callee", office.ports[1]))
        office.call()
        assert answers.ended() == 0, answers.errors
        assert rings.ended() == 0, rings.errors
    assert office.record()["cause"] == "normal"


def test_a_caller_over_tcp(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee() as callee:
        office.call("caller", "-t", "t1")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"


def test_a_wrong_password_gets_a_new_challenge_and_no_binding(office: Office) -> None:
    office.passwords[CALLEE] = "not-the-password"
    with pytest.raises(AssertionError, match="401"):
        office.register(CALLEE, office.ports[1])
    assert office.exchange.registered() == set()


def test_a_registration_is_taken_back(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    assert office.exchange.registered() == {CALLEE}
    office.register(CALLEE, office.ports[1], expires=0)
    assert office.exchange.registered() == set()


def test_a_phone_whose_connection_is_gone_is_not_registered_any_more(office: Office) -> None:
    office.register(CALLEE, f"{office.ports[1]};transport=tcp", transport="t1")
    wait_until(lambda: office.exchange.registered() == set(), "the end of the registration")


def test_reliable_responses_on_both_legs(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee("callee_reliable") as callee:
        office.call("caller_reliable")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"


def test_a_reliable_response_to_a_caller_without_100rel(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee("callee_reliable") as callee:
        office.call()
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"


def test_both_phones_refresh_the_session(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with office.callee("callee_refreshes") as callee:
        office.call("caller_refreshes")
        assert callee.ended() == 0, callee.errors
    assert office.record()["cause"] == "normal"
