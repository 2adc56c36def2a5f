"""Lamps as a real phone's SIP stack sees them: `dialog` (RFC 4235) by Linphone's library, since no phone's own program has it.

Presence, which the programs have: test_linphone.py, test_watching.py.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.call.watcher import Dialog, read_dialog_info
from tests.interop import baresip, linphone_library, network
from tests.interop.desk import Desk
from tests.interop.exchange import running_exchange, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.linphone_library import LampPhone

WHY_NOT = linphone_library.why_not() or baresip.why_not() or network.why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with network.own_network() as host, running_exchange(tmp_path, host) as exchange, ExitStack() as stack:
        yield Desk(exchange, tmp_path, stack)
        stack.close()
        assert "Traceback" not in exchange.log


def sees(phone: LampPhone, state: str, renders: tuple[bool, bool] = (True, True)) -> Dialog:
    """The only dialog, once it is in that state and those ends hear each other. On a slow machine `trying` may come before."""
    shown: list[Dialog] = []

    def is_so() -> bool:
        shown[:] = read_dialog_info(phone.wait_bodies(1)[-1]).dialogs
        return [(each.state, each.renders) for each in shown] == [(state, renders)]

    wait_until(is_so, f"{state} at {phone.number}, not {shown}", 20.0)
    return shown[0]


def test_a_lamp_from_dark_to_dark(desk: Desk) -> None:
    """It rings, somebody talks, holds, talks on, and it is over: each is a NOTIFY with the whole state."""
    bob, carol = desk.baresip("102", answers=False), desk.baresip("103")
    phone = desk.lamp_phone("101", watched="102")
    assert read_dialog_info(phone.wait_bodies(1)[0]).dialogs == ()
    carol.dial("102")
    bob.wait_event("CALL_INCOMING")
    rings = sees(phone, "early")
    assert (rings.direction, rings.remote_name) == ("recipient", None)
    assert rings.remote.startswith("sip:103@")
    bob.command("accept")
    assert sees(phone, "confirmed").id == rings.id
    bob.command("hold")
    sees(phone, "confirmed", (False, True))
    bob.command("resume")
    sees(phone, "confirmed")
    carol.command("hangup")
    assert sees(phone, "terminated").id == rings.id
    versions = [read_dialog_info(each).version for each in phone.bodies()]
    assert versions == list(range(len(versions)))
    assert [each["cause"] for each in desk.records()] == ["normal"]
