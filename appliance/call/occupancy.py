"""What calls occupy: extensions by their numbers, lines and trunks by the names that routes have for them."""

from __future__ import annotations

__all__ = ["BusyState", "Occupancy"]

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.router import Plan
    from appliance.clock import Timers

BusyState = Literal["idle", "ringing", "busy"]


class Occupancy:
    """Counts them. Whoever keeps the calls is one."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._engaged: dict[str, list[Call]] = {}
        # When each of them was busy last: as many as there are extensions, lines and trunks.
        self._idle_since: dict[str, float] = {}

    def changed(self) -> None:
        """Something is busy that was not, or no more."""
        raise NotImplementedError

    def calls_by(self, way: str) -> int:
        """How many calls there are by a line or trunk, named as in routes: who went on in another call counts there."""
        calls = self._engaged.get(way, ())
        return len(calls) - sum(leg.occupies == way for call in set(calls) for leg in call.away())

    def calls_of(self, name: str) -> list[Call]:
        """The calls that occupy an extension, a line or a trunk, oldest first."""
        return list(self._engaged.get(name, ()))

    def engaged(self) -> set[str]:
        """The extensions, lines and trunks that some call occupies."""
        return set(self._engaged)

    def has_room(self, plan: Plan) -> bool:
        """Whether a plan's line or trunk takes one call more."""
        return not plan.max_calls or self.calls_by(plan.way_out) < plan.max_calls

    def engage(self, call: Call, name: str) -> None:
        """A call occupies an extension, a line or a trunk."""
        self._engaged.setdefault(name, []).append(call)
        self.changed()

    def release(self, call: Call, name: str) -> None:
        """It does so no more."""
        engaged = self._engaged[name]
        engaged.remove(call)
        if not engaged:
            del self._engaged[name]
            self._idle_since[name] = self._timers.now()
        self.changed()

    def busy_state(self, number: str) -> BusyState:
        """Whether the extension is in a call, is rung, or neither."""
        state: BusyState = "idle"
        for call in self._engaged.get(number, ()):
            if call.answered_at is not None or call.origin == number:
                return "busy"
            state = "ringing"
        return state

    def ringing_at(self, number: str) -> Call | None:
        """The call that rings at an extension, of several the one that came first; None: it does not ring."""
        calls = (
            each
            for each in self._engaged.get(number, ())
            if each.calling.ringing.legs and each.origin != number
        )
        return next(calls, None)

    def idle_since(self, number: str) -> float:
        """When the extension's last call ended, by the clock of the timers; 0.0 when there was none."""
        return self._idle_since.get(number, 0.0)
