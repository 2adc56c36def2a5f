"""Groups, do not disturb, time conditions and the night mode over real sockets, set by `ctl`'s own words and by codes.

Not tested here: each strategy, each refusal, the day when clocks change (tests/features, on virtual time).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.interop.exchange import wait_until
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

NUMBERS = count(600)


class Settings:
    """What a test makes, and takes back."""

    def __init__(self, stage: Stage) -> None:
        self._perform = stage.exchange.perform
        self._made: list[tuple[str, str]] = []

    def group(self, *members: ScriptedPhone, **values: Any) -> str:
        return self._add("groups", members=",".join(each.number for each in members), **values)

    def condition(self, **values: Any) -> str:
        return self._add("time-conditions", **values)

    def _add(self, area: str, **values: Any) -> str:
        name = str(next(NUMBERS))
        self._perform(area, "add", None, {"name": name, **values})
        self._made.append((area, name))
        return name

    def take_back(self) -> None:
        for area, name in self._made[::-1]:
            self._perform(area, "remove", name)


@pytest.fixture
def settings(stage: Stage) -> Iterator[Settings]:
    made = Settings(stage)
    yield made
    made.take_back()


def rings(stage: Stage, caller: ScriptedPhone, number: str, *phones: ScriptedPhone) -> None:
    """A call there rings these phones, each of whom is busy, together."""
    stage.call(caller, number, caller.offer())
    for each in phones:
        stage << each.gets("INVITE")
    for each in phones:
        stage >> each.says(486) << each.gets("ACK")
    stage << caller.gets(486) >> caller.ack_refusal()


def test_5359_2_12_all_ring_and_the_first_answer_wins(stage: Stage, settings: Settings) -> None:
    alice, bob, carol, dave = stage.phone(), stage.phone("tcp"), stage.phone("tls"), stage.phone()
    group = settings.group(bob, carol, dave)
    stage.call(alice, group, alice.offer())
    for each in (bob, carol, dave):
        stage << each.gets("INVITE")
    # One's 603 silences nobody else.
    stage >> bob.says(603) << bob.gets("ACK") >> dave.says(180) << alice.gets(180)
    stage >> carol.says(200, carol.offer()) << carol.gets("ACK")
    stage << dave.gets("CANCEL", 'SIP;cause=200;text="Call completed elsewhere"')
    # Two answer at the same instant: the other one is acknowledged and hung up on.
    stage >> dave.ok() >> dave.says(200, dave.offer()) << dave.gets("ACK") << dave.gets("BYE") >> dave.ok()
    stage << alice.gets(200) >> alice.ack()
    (record,) = stage.hang_up(alice, carol).ends(alice, "normal")
    assert record["answered_by"] == carol.number


def test_5359_2_12_one_after_the_other(stage: Stage, settings: Settings) -> None:
    """And then somebody who is no member."""
    alice, bob, carol, dave = (stage.phone() for _ in range(4))
    group = settings.group(bob, carol, strategy="linear", busy_to=dave.number)
    stage.call(alice, group, alice.offer())
    for each in (bob, carol):
        stage << each.gets("INVITE") >> each.says(486) << each.gets("ACK")
    stage << alice.gets(181, f'username="{group}", contact="{dave.number}"') << dave.gets("INVITE")
    stage >> dave.says(200, dave.offer()) << dave.gets("ACK") << alice.gets(200) >> alice.ack()
    (record,) = stage.hang_up(alice, dave).ends(alice, "normal")
    assert record["answered_by"] == dave.number


def test_a_member_s_connection_is_lost(stage: Stage, settings: Settings) -> None:
    alice, bob, carol = stage.phone(), stage.phone("tcp"), stage.phone()
    group = settings.group(bob, carol, strategy="linear")
    stage.call(alice, group, alice.offer()) << bob.gets("INVITE") >> bob.says(180) << alice.gets(180)
    stage.vanish(bob)
    stage << carol.gets("INVITE") >> carol.says(486) << carol.gets("ACK")
    stage << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


def test_do_not_disturb_by_code(stage: Stage, settings: Settings) -> None:
    """Alone, and as a member."""
    alice, bob, carol = (stage.phone() for _ in range(3))
    group = settings.group(bob, carol)
    rings(stage, alice, group, bob, carol)
    dial_code(stage, bob, "*78")
    stage.call(alice, bob.number, alice.offer(), until=480) >> alice.ack_refusal()
    rings(stage, alice, group, carol)
    dial_code(stage, bob, "*79")
    rings(stage, alice, bob.number, bob)
    stage.ends(alice, "busy", "unavailable", "busy", "busy")


def test_by_day_on_holidays_and_by_night(stage: Stage, settings: Settings) -> None:
    alice, bob, carol = (stage.phone() for _ in range(3))
    group = settings.group(bob)
    number = settings.condition(hours="00:00-24:00", open_to=group, closed_to=carol.number)
    rings(stage, alice, number, bob)
    stage.exchange.perform("time-conditions", "set", number, {"holidays": "01-01..12-31"})
    rings(stage, alice, number, carol)
    stage.exchange.perform("time-conditions", "set", number, {"holidays": ""})
    dial_code(stage, bob, "*28")
    try:
        rings(stage, alice, number, carol)
    finally:
        dial_code(stage, bob, "*29")
    rings(stage, alice, number, bob)
    records = stage.ends(alice, *["busy"] * 4)
    assert [[each["to"] for each in record["steps"]] for record in records] == [
        [group],
        [carol.number],
        [carol.number],
        [group],
    ]


def dial_code(stage: Stage, phone: ScriptedPhone, code: str) -> None:
    (
        stage.call(phone, code, phone.offer())
        << phone.gets(200)
        >> phone.ack()
        << phone.gets("BYE")
        >> phone.ok()
    )
    wait_until(lambda: not stage.calls(), "the end of the call")
