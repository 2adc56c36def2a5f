"""Linphone, beside baresip, with what an office does every day: it is sent on, holds, transfers, parks, picks up, and watches."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.interop import baresip, linphone, network
from tests.interop.desk import Desk
from tests.interop.exchange import running_exchange, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHY_NOT = linphone.why_not() or baresip.why_not() or network.why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with network.own_network() as host, running_exchange(tmp_path, host) as exchange, ExitStack() as stack:
        yield Desk(exchange, tmp_path, stack)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_it_calls_and_is_called(desk: Desk, transport: str) -> None:
    phone, bob = desk.linphone(transport=transport), desk.baresip("102")
    phone.dial("102")
    phone.wait_call("StreamsRunning")
    phone.command("terminate")
    phone.wait_call("Released")
    bob.dial("101")
    phone.command(f"answer {phone.wait_call('IncomingReceived')}")
    phone.wait_call("StreamsRunning")
    bob.command("hangup")
    phone.wait_call("Released")
    assert [(each["cause"], each["ended_by"]) for each in desk.records()] == [("normal", "caller")] * 2


def test_it_is_told_that_it_is_sent_on(desk: Desk) -> None:
    desk.exchange.perform("forwarding", "set", "102", {"always": "103"})
    phone, _ = desk.linphone(), desk.baresip("103")
    phone.dial("102")
    phone.wait_call("StreamsRunning")
    phone.wait_log("SIP/2.0 181 Call Is Being Forwarded", 'purpose=forwarding, username="102", contact="103"')
    phone.command("terminate")
    (record,) = desk.records()
    assert (record["answered_by"], record["cause"]) == ("103", "normal")


def test_it_holds_and_resumes(desk: Desk) -> None:
    phone, _ = desk.linphone(), desk.baresip("102")
    name = phone.dial("102")
    phone.wait_call("StreamsRunning")
    phone.command(f"call-pause {name}")
    phone.wait_call("Paused")
    phone.command(f"call-resume {name}")
    phone.wait_call("StreamsRunning")
    phone.command("terminate")
    assert [each["cause"] for each in desk.records()] == ["normal"]


def test_blind_transfer(desk: Desk) -> None:
    phone, bob, _ = desk.linphone(), desk.baresip("102"), desk.baresip("103")
    name = phone.dial("102")
    phone.wait_call("StreamsRunning")
    phone.command(f"call-transfer {name} {phone.address('103')}")
    phone.wait_call("Released")
    desk.talks("102", "103")
    bob.command("hangup")
    assert [each["cause"] for each in desk.records()] == ["handed_over", "normal"]


def test_blind_transfer_that_fails(desk: Desk) -> None:
    """It has the call back."""
    phone, _ = desk.linphone(), desk.baresip("102")
    desk.exchange.perform("do-not-disturb", "set", "103", {"enabled": "yes"})
    name = phone.dial("102")
    phone.wait_call("StreamsRunning")
    phone.command(f"call-transfer {name} {phone.address('103')}")
    phone.wait_log("REFER", "SIP/2.0 480")
    desk.talks("101", "102")
    phone.command("terminate")
    assert [each["cause"] for each in desk.records()] == ["normal"]


def test_attended_transfer(desk: Desk) -> None:
    phone, bob, _ = desk.linphone(), desk.baresip("102"), desk.baresip("103")
    first = phone.dial("102")
    phone.wait_call("StreamsRunning")
    phone.command(f"call-pause {first}")
    phone.wait_call("Paused")
    second = phone.dial("103")
    phone.wait_call("StreamsRunning")
    phone.command(f"call-transfer {first} {second}")
    desk.talks("102", "103")
    bob.command("hangup")
    assert sorted(each["cause"] for each in desk.records()) == ["handed_over", "handed_over", "normal"]


def test_park_and_take_up(desk: Desk) -> None:
    phone, _ = desk.linphone(), desk.baresip("102")
    name = phone.dial("102")
    phone.wait_call("StreamsRunning")
    phone.command(f"call-transfer {name} {phone.address('*851')}")
    phone.wait_call("Released")
    wait_until(lambda: desk.exchange.perform("features", "show", "park")["live"], "the parked call")
    phone.dial("*851")
    phone.wait_call("StreamsRunning")
    phone.command("terminate")
    assert [each["cause"] for each in desk.records()] == ["handed_over", "handed_over", "normal"]


def test_pick_up(desk: Desk) -> None:
    phone, bob, carol = desk.linphone(), desk.baresip("102"), desk.baresip("103", answers=False)
    bob.dial("103")
    carol.wait_event("CALL_INCOMING")
    phone.dial("*40*103")
    phone.wait_call("StreamsRunning")
    carol.wait_event("CALL_CLOSED")
    phone.command("terminate")
    assert "normal" in [each["cause"] for each in desk.records()]


def test_a_code_and_keys(desk: Desk) -> None:
    """Do not disturb is dialled, and an attendant's key pressed."""
    phone, _ = desk.linphone(), desk.baresip("102")
    phone.dial("*78")
    phone.wait_call("Released")
    assert desk.exchange.perform("do-not-disturb", "show", "101")["enabled"] is True
    desk.exchange.perform("attendants", "add", None, {"name": "500", "keys": "6=102"})
    phone.dial("500")
    phone.wait_call("StreamsRunning")
    phone.command("dtmf 6")
    desk.talks("101", "102")
    phone.command("terminate")
    assert [each["cause"] for each in desk.records()] == ["normal", "handed_over", "normal"]


def test_it_sees_who_talks(desk: Desk) -> None:
    bob, _ = desk.baresip("102"), desk.baresip("103")
    phone = desk.linphone(friends=("102",))
    phone.wait_log("NOTIFY", "application/pidf+xml", "<basic>open</basic>")
    bob.dial("103")
    phone.wait_log("<basic>open</basic>", "on-the-phone")
    bob.stop()
    phone.wait_log("on-the-phone", "<basic>closed</basic>")
