"""RFC 5359 §2.17, §2.18, lamps, attended transfer of two calls by a trunk, and the day when clocks change, with sipp phones."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.interop.exchange import running_exchange, wait_until
from tests.interop.features.test_flows import BRANCH, HOME, connect, is_up
from tests.peers.sipp_office import SippOffice

WHY_NOT = "" if shutil.which("sipp") else "sipp (Debian: sip-tester) is not installed"
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


def test_5359_2_17_a_phone_calls_again_when_it_sees_that_one_is_free(office: SippOffice) -> None:
    alice, bob, carol = office.phones(3)
    office.perform("phones", "set", bob.number, {"call_waiting": False})
    to_bob = carol.calls(bob.number).hears(180, 200)
    carol.waits()
    to_bob.hangs_up()
    bob.is_called().rings().answers().takes("BYE")
    alice.calls(bob.number).hears(486)
    lamp = alice.subscribes(bob.number)
    alice.takes_until("NOTIFY", ">confirmed<").waits().takes_until("NOTIFY", ">terminated<")
    lamp.unsubscribes().takes("NOTIFY", "Subscription-State: terminated;reason=timeout")
    alice.waits().calls(bob.number).hears(180, 200).hangs_up()
    free = office.again(bob)
    free.is_called().rings().answers().takes("BYE")
    with office.playing(bob, carol):
        office.hear_each_other(bob, carol)
        alice.start()
        alice.go_on()
        carol.go_on()
    with office.playing(free):
        alice.go_on()
    alice.has_ended()
    office.ends(carol, "normal")
    office.ends(alice, "busy", "normal")


def test_5359_2_18_click_to_dial(office: SippOffice) -> None:
    """Until alice answers, bob is not called."""
    alice, bob = office.phones(2)
    to_bob = alice.is_called(f"<sip:{bob.number}@").rings()
    alice.waits()
    to_bob.answers().is_reinvited()
    alice.waits()
    to_bob.hangs_up()
    bob.is_called(f"<sip:{alice.number}@").rings().answers().takes("BYE")
    with office.playing(bob, alice):
        office.perform("calls", "dial", alice.number, {"to": bob.number})
        alice.is_waiting()
        assert not bob.was_called
        alice.go_on()
        office.hear_each_other(alice, bob)
        alice.go_on()
    (record,) = office.ends(alice, "normal")
    assert record["answered_by"] == bob.number


def test_5359_2_18_whoever_clicked_does_not_answer(office: SippOffice) -> None:
    alice, bob = office.phones(2)
    alice.is_called().rings().refuses(486)
    bob.is_called()
    bob.start()
    with office.playing(alice):
        office.perform("calls", "dial", alice.number, {"to": bob.number})
    (record,) = office.ends(alice, "busy")
    assert (record["to_number"], record["answered_by"]) == (bob.number, None)
    assert not bob.was_called


def test_x_21_a_lamp(office: SippOffice) -> None:
    """Dark at first, then it rings, talks and is dark again; who watches no more is told so."""
    alice, bob, carol = office.phones(3)
    to_bob = alice.calls(bob.number).hears(180, 200)
    alice.waits()
    to_bob.hangs_up()
    call = bob.is_called().rings()
    bob.waits()
    call.answers().takes("BYE")
    lamp = carol.subscribes(bob.number)
    lamp.takes("NOTIFY", "Subscription-State: active;expires=", f'state="full" entity="sip:{bob.number}@')
    carol.waits()
    for state in ("early", "confirmed", "terminated"):
        carol.takes_until("NOTIFY", 'state="full"', f">{state}<").waits()
    lamp.unsubscribes().takes("NOTIFY", "Subscription-State: terminated;reason=timeout")
    carol.start()
    carol.is_waiting()
    with office.playing(bob, alice):
        carol.go_on()
        carol.is_waiting()
        bob.go_on()
        carol.go_on()
        carol.is_waiting()
        alice.go_on()
        carol.go_on()
    carol.go_on()
    carol.has_ended()
    office.ends(alice, "normal")


def test_x_21_messages_waiting(office: SippOffice) -> None:
    (alice,) = office.phones(1)
    alice.subscribes(alice.number, "message-summary").takes("NOTIFY", "Messages-Waiting: no")
    office.play(alice)
    assert not office.records(alice)


@pytest.fixture
def boxes(tmp_path: Path) -> Iterator[tuple[SippOffice, SippOffice]]:
    """Two exchanges with a trunk between them."""
    folders = [tmp_path / name for name in ("home", "branch")]
    for folder in folders:
        folder.mkdir()
    with (
        running_exchange(folders[0], HOME) as home,
        running_exchange(folders[1], BRANCH) as branch,
        SippOffice(home, folders[0]) as office,
        SippOffice(branch, folders[1]) as other,
    ):
        for here, there in ((home, branch), (branch, home)):
            connect(here, there)
        yield office, other
        for exchange in (home, branch):
            assert "Traceback" not in exchange.log


def test_x_12_attended_transfer_across_a_trunk(boxes: tuple[SippOffice, SippOffice]) -> None:
    """Alice joins a call that came by the trunk to one that went out by it: both ends talk, and she is free."""
    office, other = boxes
    for each in boxes:
        wait_until(partial(is_up, each.exchange), "the trunk")
    (alice,), (dora, emil) = office.phones(1), other.phones(2)
    to_dora = alice.is_called().rings().answers()
    to_emil = alice.calls(f"7{emil.number}").hears(180, 200)
    joined = f"<sip:7{emil.number}@{alice.domain}?Replaces={to_emil.replaces}>"
    to_dora.refers(joined).hears(202).takes("NOTIFY", "SIP/2.0 100 Trying")
    alice.takes(NOTIFY=["SIP/2.0 200 OK"], BYE=2)
    to_alice = dora.calls(f"7{alice.number}").hears(180, 200)
    dora.waits()
    to_alice.hangs_up()
    emil.is_called().rings().answers().takes("BYE")
    with office.playing(emil, alice, dora):
        alice.has_ended()
        office.hear_each_other(dora, emil)
        assert office.perform("trunks", "show", "branch")["calls"] == 2
        dora.go_on()
    office.exchange.wait_idle()
    causes = sorted(each["cause"] for each in office.exchange.wait_records(3))
    assert causes == ["handed_over", "handed_over", "normal"]
    other.ends(dora, "normal")


@pytest.mark.parametrize(
    ("utc", "opens", "closes"),
    [
        # Spring, 29 March 2026: 01:59 CET is followed by 03:00 CEST; 02:30 is not.
        ("2026-03-29T01:00", "02:30-08:00", "00:00-02:30"),
        # Autumn, 25 October 2026: 02:59 CEST is followed by 02:00 CET; 02:30 is twice.
        ("2026-10-25T00:30", "02:30-08:00", "00:00-02:30"),
        ("2026-10-25T01:00", "00:00-02:30", "02:30-08:00"),
        ("2026-10-25T01:30", "02:30-08:00", "00:00-02:30"),
    ],
)
def test_x_24_when_clocks_change(tmp_path: Path, utc: str, opens: str, closes: str) -> None:
    """What the clock on the wall says counts, on both sides of the change."""
    program = (sys.executable, "-m", "tests.interop.at_moment", f"{utc}+00:00")
    with running_exchange(tmp_path, program=program) as exchange, SippOffice(exchange, tmp_path) as office:
        exchange.perform("system", "set", None, {"time_zone": "Europe/Berlin"})
        alice, bob, carol = office.phones(3)
        for name, hours in (("900", opens), ("901", closes)):
            leads = {"open_to": bob.number, "closed_to": carol.number}
            exchange.perform("time-conditions", "add", None, {"name": name, "hours": hours, **leads})
        for called in ("900", "901"):
            alice.calls(called).hears(180, 200).hangs_up()
        for each in (bob, carol):
            each.is_called().rings().answers().takes("BYE")
        office.play(bob, carol, alice)
        records = office.ends(alice, "normal", "normal")
        assert [each["answered_by"] for each in records] == [bob.number, carol.number]
        assert "Traceback" not in exchange.log
