"""Park: leave a call in a slot, and take it up at any phone (RFC 5359 §2.15).

It is parked by a transfer to the code, with the slot's number behind it or none for the first that is free, and taken up by
dialling the code with the slot's number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import msgspec

from appliance.call.cause import Cause, Ending
from appliance.call.events import Dialled, HungUp
from appliance.call.inbound import RefusedError
from appliance.call.purpose import Purpose
from appliance.call.verdict import Refuse, Serve
from appliance.config.codes import codes_of
from appliance.config.settings_area import SettingsArea
from appliance.directory.lamps import Lamp, LampState, Party
from appliance.errors import ConfigError, PeerError
from appliance.features.feature import Code, Feature
from appliance.features.recall import GONE_ON

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.leg import Leg
    from appliance.call.sip_leg import SipLeg
    from appliance.call.verdict import Verdict
    from appliance.config.snapshot import Snapshot

__all__ = ["Park", "ParkSetting"]

SECONDS_RANGE = (10, 3_600)
SLOTS_RANGE = (1, 99)


class ParkSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Of the box."""

    slots: int = 9
    "How many there are: 1 to 99."
    seconds: int = 120
    "How long a call waits until whoever parked it is rung: 10 to 3600."


def _verify(item: ParkSetting, _snapshot: Snapshot) -> None:
    for where, (low, high) in (("slots", SLOTS_RANGE), ("seconds", SECONDS_RANGE)):
        if not low <= getattr(item, where) <= high:
            raise ConfigError("park." + where, "error.out_of_range", low=low, high=high)


@dataclass(slots=True)
class _Parked:
    """Somebody waits in a slot."""

    call: Call
    parked_by: str
    since: float
    "Seconds since 1970."


class ParkedCall(msgspec.Struct, frozen=True):
    """Who waits, as people see it."""

    slot: str
    number: str
    name: str
    parked_by: str
    since: float
    "Seconds since 1970."


class Park(Feature):
    """Whoever is parked hears music. When nobody takes them up, whoever parked them is rung, and again."""

    name = "park"
    areas = (SettingsArea("park", ParkSetting, "box", _verify),)
    codes = (Code("park", "*85", argument=True),)
    takes_transfers = True
    row = ParkedCall

    def follow(self) -> None:
        self._slots: dict[str, _Parked] = {}  # by number: no more than SLOTS_RANGE says

    def coded(self, code: str, rest: str, dialled: Dialled) -> Verdict:
        # Whoever waits in a slot that there is no more, since the setting was changed, can be taken up all the same.
        if rest and rest not in self._numbers() and rest not in self._slots:
            return Refuse(Cause.NOT_FOUND)
        if dialled.payer is None:
            return Serve(lambda call: self._take_up(call, rest), "park: take up")
        if self._free(rest) is None:
            return Refuse(Cause.BUSY)
        parked_by = dialled.payer.number
        return Serve(lambda call: self._wait(call, rest, parked_by), "park")

    def _setting(self) -> ParkSetting:
        found: ParkSetting = self.house.settings.setting("park")
        return found

    def _numbers(self) -> list[str]:
        return [str(each) for each in range(1, self._setting().slots + 1)]

    def _free(self, wanted: str) -> str | None:
        """The slot that is wanted, or the first free one if that is empty; None: it is taken, or all are."""
        slots = [wanted] if wanted else self._numbers()
        return next((each for each in slots if each not in self._slots), None)

    # --- taken up

    async def _take_up(self, call: Call, slot: str) -> None:
        parked = self._slots.pop(slot, None)
        if parked is None or parked.call.over:
            raise RefusedError(Cause.NOT_FOUND)
        self._changed(slot)
        leg = parked.call.hand_over(parked.call.caller)
        parked.call.end(GONE_ON, "system")
        call.purpose = _TakenUp(self, parked.call.dialled, slot, parked.parked_by)
        call.connect(leg)

    # --- waiting

    async def _wait(self, call: Call, wanted: str, parked_by: str) -> None:
        slot = self._free(wanted)
        if slot is None:  # by now: somebody else was quicker
            raise RefusedError(Cause.BUSY)
        parked = self._slots[slot] = _Parked(call, parked_by, self.house.exchange.wall())
        self._changed(slot)
        try:
            call.answer_itself()
            if call.over:
                return
            self.house.playback.start(call.caller.media)
            over = anyio.Event()
            timer = self.house.timers.after(float(self._setting().seconds), over.set)
            try:
                await over.wait()
            finally:
                timer.cancel()
        finally:
            if self._slots.get(slot) is parked:
                del self._slots[slot]
            self._changed(slot)
        self._ring_back(call, slot, parked_by)

    # --- what is shown of it

    def _number(self, slot: str) -> str:
        """What is dialled to take up whoever waits there."""
        code = codes_of(self.house.settings)["park"]
        return code + slot if code else ""

    def _changed(self, slot: str) -> None:
        self.house.lamps_changed(self._number(slot))

    def lamps(self, number: str) -> tuple[Lamp, ...] | None:
        slots = (str(each) for each in range(1, self._setting().slots + 1))
        slot = next((each for each in slots if self._number(each) == number), None)
        if slot is None:
            return None
        parked = self._slots.get(slot)
        if parked is None:
            return ()
        dialled = parked.call.dialled
        there = Party(dialled.from_number, dialled.from_name)
        return (Lamp(parked.call.id, LampState.CONFIRMED, False, Party(number), there),)

    def snapshot(self) -> list[msgspec.Struct]:
        return [
            ParkedCall(
                slot, each.call.dialled.from_number, each.call.dialled.from_name, each.parked_by, each.since
            )
            for slot, each in sorted(self._slots.items())
        ]

    # --- when nobody takes them up

    def _ring_back(self, call: Call, slot: str, parked_by: str) -> None:
        dialled = self.house.further(call, call.caller.sip, parked_by)
        leg = call.hand_over(call.caller)
        call.end(GONE_ON, "system")
        try:
            further = self.house.exchange.call_from(leg, dialled)
        except PeerError:
            leg.hang_up(GONE_ON)
            return
        further.purpose = _Back(self, dialled, slot, parked_by)
        self.house.playback.start(leg.media)
        try:
            further.start(self.house.exchange.router.route(dialled))
        except RefusedError as refused:
            further.give_up(HungUp(refused.ending), "system")

    def park_again(self, leg: SipLeg, dialled: Dialled, slot: str, parked_by: str) -> None:
        """They were not taken up, nor back: they wait on, in the same slot if that is free still."""
        if leg.over:
            return
        try:
            call = self.house.exchange.call_from(leg, dialled)
        except PeerError:
            leg.hang_up(GONE_ON)
            return
        free = self._free(slot) or self._free("")
        if free is None:
            call.end(HungUp(Ending.of(Cause.NO_ANSWER)), "system")
        else:
            call.safely(lambda: call.serve(Serve(lambda it: self._wait(it, free, parked_by), "park")))


class _Back(Purpose):
    """The call to whoever parked."""

    def __init__(self, park: Park, parked: Dialled, slot: str, parked_by: str) -> None:
        self._park = park
        self._parked = parked
        self._slot = slot
        self._parked_by = parked_by

    def failed(self, call: Call, event: HungUp) -> None:
        self._wait_on(call, call.caller)

    def _wait_on(self, call: Call, parked: Leg) -> None:
        self._park.park_again(call.hand_over(parked), self._parked, self._slot, self._parked_by)


class _TakenUp(_Back):
    """The call of whoever takes them up."""

    def failed(self, call: Call, event: HungUp) -> None:
        if call.callee is not None:
            self._wait_on(call, call.callee)

    def ending(self, call: Call, side: str) -> bool:
        # Whoever takes them up has hung up before the two were joined.
        if side == "caller" and call.answered_at is None and call.callee is not None and not call.is_left:
            self._wait_on(call, call.callee)
        return False
