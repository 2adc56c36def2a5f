"""Pick-up: take a call that rings at somebody else's phone (RFC 5359 §2.16; by Replaces it is `transfer`'s)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.events import HungUp
from appliance.call.inbound import RefusedError
from appliance.call.sip_leg_inbound import InboundLeg
from appliance.call.verdict import Serve
from appliance.features.feature import Code, Feature

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.events import Dialled
    from appliance.call.verdict import Verdict

__all__ = ["PickUp"]


class PickUp(Feature):
    """Directed at one extension, or whatever rings in a group that one is in."""

    name = "pick-up"
    codes = (Code("pick_up", "*40*", argument=True), Code("pick_up_group", "*50*"))

    def coded(self, code: str, rest: str, dialled: Dialled) -> Verdict:
        async def run(call: Call) -> None:
            ringing = self._ringing(
                self._named(rest) if code == "pick_up" else self._neighbours(dialled.from_number)
            )
            if ringing is None:
                raise RefusedError(Cause.NOT_FOUND)
            leg = call.caller
            if not isinstance(leg, InboundLeg):
                # Who talks already (asks before a transfer, was rung by the console) has no INVITE left to be answered.
                raise RefusedError(Cause.FORBIDDEN)
            ringing.pick_up(leg, call.dialled)
            call.let_go(leg)
            call.end(HungUp(Ending.of(Cause.HANDED_OVER)), "system")

        return Serve(run, "pick-up")

    def _named(self, number: str) -> tuple[str, ...]:
        # What rings outside rings at a line's or trunk's name, which nobody is to pick up from.
        return () if self.house.extension(number) is None else (number,)

    def _neighbours(self, number: str) -> tuple[str, ...]:
        groups = self.house.settings.items("groups").values()
        return tuple(
            dict.fromkeys(each for group in groups if number in group.members for each in group.members)
        )

    def _ringing(self, numbers: tuple[str, ...]) -> Call | None:
        """The call that has rung at one of these for longest."""
        calls = (self.house.exchange.ringing_at(each) for each in numbers)
        found = [call for call in calls if call is not None]
        return min(found, key=lambda call: call.started_at, default=None)
