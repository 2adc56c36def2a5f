"""Phones that call, hold, transfer, park, take up, pick up, hang up and vanish in any order: everything ends, and nothing is left.

What each phone is told of sound is checked by the phones themselves (crowd.py). Not tested here: forwarding.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appliance.call.inbound import RefusedError
from appliance.media.answer import holds
from tests.call.outside_world import OutsideWorld, line, route
from tests.features.crowd import HOLDS, Crowd, Desk, replaces_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.sip_leg import SipLeg
    from tests.features.crowd import Line

NUMBERS = ("101", "102", "103", "104", "102")
"The last one is a second phone."
TARGETS = ("101", "102", "103", "104", "600", "90777", "700")
"Extensions, a group, a number outside, and an attendant."
MENU = ("1=102", "2=103", "3=600", "4=90777", "5=701", "6=109", "7=again", "8=hang-up")
BY_KEYS = ("##103#", "**103#", "**", "##700#", "**700#", "##600#", "##*851#", "**700#2")
"Transfers."
WAYS = ("invite", "update", "late")


class House(Crowd):
    """A crowd whose story is told."""

    def __init__(self) -> None:
        super().__init__(*NUMBERS)
        self.office.set("groups", "600", members=("101", "102", "103", "104"))
        self.office.set("attendants", "700", keys=MENU, failed_to="104", direct_dialling=False)
        self.office.set("attendants", "701", keys=("1=700", "2=104"), otherwise_to="700", tries=1)
        world = OutsideWorld(self.office)
        carrier = world.line(line("a", incoming="101"))
        world.routes(route("line:a"))
        self.outside = Desk(self.office, "0123456", carrier.address)
        self.desks.append(self.outside)
        self.seen: set[str] = set()
        self.story: list[str] = []

    async def does(self, who: int, verb: str, number: int) -> None:
        self.story.append(f"{who} {verb} {number}")
        if verb == "wait":
            await self.waits((0.1, 2.5, 40.0, 130.0)[number % 4])
        else:
            DO[verb](self, self.desks[who % len(self.desks)], number)
        await self.settle()

    async def waits(self, seconds: float) -> None:
        for desk in self.desks:
            desk.missed |= (
                desk.slow and seconds > 30
            )  # as good as gone: SIP waits no longer (RFC 3261, 64*T1)
        await super().waits(seconds)

    async def settle(self) -> None:
        await super().settle()
        self.seen |= {each.id for each in self.office.exchange.calls()}

    # --- what holds while nothing is under way

    def check(self) -> None:
        """Who talk with each other hear each other, or music when they are held."""
        playing = self.office.playback._playing
        for call in self.office.exchange._calls.values():
            if call.answered_at is None or call.callee is None or call.is_left:
                continue
            one, other = call.caller.media, call.callee.media
            assert one._partner is other, "two who talk do not hear each other"
            assert (one in playing) == holds(call.callee.said), "music for the caller"
            assert (other in playing) == holds(call.caller.said), "music for the callee"
            lines = [self.line_of(leg) for leg in call.legs]
            if not any(line is None or line.wants or line.desk.missed or line.desk.refuses for line in lines):
                assert [line.told for line in lines if line] == ["sendrecv"] * 2, "nobody holds"

    def line_of(self, leg: SipLeg) -> Line | None:
        call_id = leg.dialog.call_id if leg.dialog is not None else ""
        return next((desk.lines[call_id] for desk in self.desks if call_id in desk.lines), None)


def call(house: House, desk: Desk, number: int) -> None:
    to = "a00" if desk is house.outside else TARGETS[number % 7]
    desk.call(to, late=number % 5 == 0)


def transfer(house: House, desk: Desk, number: int) -> None:
    if (line := desk.line(number, "talking")) is not None:
        line.act(line.ask("REFER", Refer_To=f"<sip:{TARGETS[number % 7]}@192.0.2.1>"))


def attended(house: House, desk: Desk, number: int) -> None:
    lines = desk.in_state("talking", "calling")
    if len(lines) > 1 and lines[0].state == "talking" and lines[-1].remote.count("tag="):
        to = f"<sip:x@192.0.2.1?Replaces={quote(replaces_of(lines[-1]))}>"
        lines[0].act(lines[0].ask("REFER", Refer_To=to))


def park(house: House, desk: Desk, number: int) -> None:
    if (line := desk.line(number, "talking")) is not None:
        slot = "" if number % 3 == 0 else str(number % 3)
        line.act(line.ask("REFER", Refer_To=f"<sip:*85{slot}@192.0.2.1>"))


def replace(house: House, desk: Desk, number: int) -> None:
    lines = [line for each in house.desks for line in each.in_state("ringing", "talking") if each is not desk]
    if lines:
        desk.call("x", late=number % 3 == 0, Replaces=replaces_of(lines[number % len(lines)]))


def hold(house: House, desk: Desk, number: int) -> None:
    if (line := desk.line(number // 9, "talking")) is not None:
        line.change(HOLDS[number % 3], WAYS[number // 3 % 3])


def resume(house: House, desk: Desk, number: int) -> None:
    if (line := desk.line(number // 3, "talking")) is not None:
        line.change((), WAYS[number % 3])


def hang_up(house: House, desk: Desk, number: int) -> None:
    if (line := desk.line(number, "calling", "ringing", "talking")) is not None:
        line.hang_up()


def pick_up_phone(house: House, desk: Desk, number: int) -> None:
    if (line := desk.line(number, "ringing")) is not None:
        line.pick_up()


def click(house: House, desk: Desk, number: int) -> None:
    with suppress(RefusedError):
        house.office.exchange.dial(desk.number, TARGETS[number % 7])


def end(house: House, desk: Desk, number: int) -> None:
    calls = house.office.exchange.calls()
    if calls:
        house.office.exchange.hang_up(calls[number % len(calls)].id)


def press(house: House, desk: Desk, number: int) -> None:
    if (line := desk.line(number // 8, "talking")) is not None:
        line.act(line.ask("INFO", b"Signal=%d" % (number % 8 + 1), Content_Type="application/dtmf-relay"))


def press_keys(house: House, desk: Desk, number: int) -> None:
    if (line := desk.line(number // 8, "talking")) is not None:
        for key in BY_KEYS[number % len(BY_KEYS)]:
            line.act(line.ask("INFO", f"Signal={key}".encode(), Content_Type="application/dtmf-relay"))


def pull(house: House, desk: Desk, number: int) -> None:
    desk.silent = not desk.silent
    desk.missed = True


def dawdle(house: House, desk: Desk, number: int) -> None:
    desk.slow = not desk.slow
    desk.look()


def refuse(house: House, desk: Desk, number: int) -> None:
    desk.refuses = not desk.refuses


DO: dict[str, Callable[[House, Desk, int], None]] = {
    "answer": pick_up_phone,
    "attended": attended,
    "call": call,
    "click": click,
    "dawdle": dawdle,
    "end": end,
    "hang up": hang_up,
    "hold": hold,
    "park": park,
    "pick up": lambda house, desk, number: void(
        desk.call(f"*40*{NUMBERS[number % 4]}", late=number % 3 == 0)
    ),
    "pick up in group": lambda house, desk, number: void(desk.call("*50*")),
    "press": press,
    "press keys": press_keys,
    "pull": pull,
    "refuse": refuse,
    "replace": replace,
    "resume": resume,
    "take up": lambda house, desk, number: void(desk.call(f"*85{number % 3 + 1}", late=number % 4 == 0)),
    "transfer": transfer,
}


def void(_: object) -> None:
    """Nothing is to be said of it."""


STEP = st.tuples(
    st.integers(0, 5), st.sampled_from([*DO, "answer", "call", "answer", "wait"]), st.integers(0, 30)
)
# A talk that gets somewhere is worth more than one that is refused at the door.
OPENINGS: tuple[tuple[tuple[int, str, int], ...], ...] = (
    ((0, "call", 1), (1, "answer", 0)),
    ((0, "call", 1), (1, "answer", 0), (0, "hold", 0), (0, "call", 2), (2, "answer", 0), (0, "attended", 0)),
    ((0, "call", 1), (1, "answer", 0), (1, "transfer", 2)),
    ((0, "call", 1), (1, "answer", 0), (0, "park", 1)),
    ((0, "call", 1), (1, "answer", 0), (0, "hold", 1), (0, "call", 2)),
    ((0, "call", 1), (2, "pick up", 1)),
    ((0, "click", 1), (0, "answer", 0)),
    ((5, "call", 1), (0, "answer", 0), (0, "transfer", 1)),
    ((5, "call", 1), (0, "answer", 0), (0, "call", 5), (5, "answer", 0), (0, "attended", 0)),
    ((3, "call", 4), (1, "answer", 0), (1, "park", 1)),
    ((0, "call", 6), (0, "press", 0), (1, "answer", 0)),
    ((0, "call", 6), (0, "press", 0)),
    ((0, "call", 1), (1, "answer", 0), (0, "press keys", 1)),
    ((0, "call", 1), (1, "answer", 0), (0, "press keys", 4)),
    ((5, "call", 1), (0, "answer", 0), (0, "transfer", 6), (5, "press", 1), (2, "answer", 0)),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(OPENINGS), st.lists(STEP, max_size=30))
# Whoever is put through in vain has begun to hold meanwhile.
@example(((5, "call", 1), (0, "answer", 0)), [(0, "transfer", 1), (5, "hold", 0), (0, "wait", 3)])
def test_everything_ends_in_any_order(
    caplog: pytest.LogCaptureFixture,
    opening: tuple[tuple[int, str, int], ...],
    steps: list[tuple[int, str, int]],
) -> None:
    caplog.clear()
    house = House()
    try:
        anyio.run(play, house, [*opening, *steps])
        assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []
    except BaseException as failure:
        failure.add_note("\n".join([*house.story, *house.office.story]))
        raise


async def play(house: House, steps: list[tuple[int, str, int]]) -> None:
    office = house.office
    async with office.serving():
        for step in steps:
            await house.does(*step)
        for desk in house.desks:
            desk.silent = desk.slow = False
            desk.look()
        # What crossed is asked for again, and settled.
        await house.does(0, "wait", 1)
        await house.does(0, "wait", 1)
        await house.does(0, "wait", 1)
        house.check()
        for call in office.exchange.calls():
            office.exchange.hang_up(call.id)
        await house.does(0, "wait", 2)
        talking = [
            line.tag
            for desk in house.desks
            if not desk.missed
            for line in desk.in_state("ringing", "talking")
        ]
        assert talking == [], "somebody is left hanging"
    house.leaves_nothing()
    records = [record.id for record in office.records]
    assert len(set(records)) == len(records)
    assert house.seen <= set(records)
