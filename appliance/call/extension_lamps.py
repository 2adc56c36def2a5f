"""The lamps of extensions, from the calls that there are.

RFC 4235 §3.7, §4.1. Calls say only that something has changed. What that is, is looked at a moment later, when they stand as
they will: ringing, answering and hanging up each are several changes, and none of them waits for whoever watches.
"""

from __future__ import annotations

__all__ = ["SETTLING", "ExtensionLamps"]

from typing import TYPE_CHECKING

from appliance.call.call_info import is_holding
from appliance.call.connected_caller import ConnectedCaller
from appliance.call.sip_leg_outbound import OutboundLeg
from appliance.directory.lamps import Lamp, LampState, Names, Party

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appliance.call.call import Call
    from appliance.call.exchange import Exchange
    from appliance.call.leg import Leg
    from appliance.call.origination import Origination
    from appliance.call.sip_leg import SipLeg
    from appliance.config.extension import Extension

SETTLING = 0.1
"Seconds from a change to the look at what it is: no eye sees it, and one look serves all the calls of a busy exchange."


class ExtensionLamps:
    """Looks at the calls of an exchange, after each `look_soon`."""

    def __init__(
        self, exchange: Exchange, find: Callable[[str], Extension | None], changed: Callable[[str], None]
    ) -> None:
        """`find` knows the extensions that may be watched; `changed` is told of each number that may show other lamps."""
        self._exchange = exchange
        self._find = find
        self._changed = changed
        self._due = False
        self._lit: set[str] = set()

    def lamps_of(self, number: str) -> tuple[Lamp, ...] | None:
        """A `LampSource`."""
        if self._find(number) is None:
            return None
        calls = [lamp for call in self._exchange.calls_of(number) for lamp in _lamps(call, number)]
        own = [lamp for each in self._exchange.originations_of(number) for lamp in _lamps_of_own(each)]
        return (*calls, *own)

    def look_soon(self) -> None:
        """Some call has changed."""
        if not self._due:
            self._due = True
            self._exchange.wire.timers.after(SETTLING, self._look)

    def _look(self) -> None:
        self._due = False
        before, self._lit = self._lit, self._exchange.engaged()
        for name in before | self._lit:
            self._changed(name)


def _lamps(call: Call, number: str) -> Iterator[Lamp]:
    dialled = call.dialled
    away = call.away()
    caller_renders, callee_renders = _renders(call.caller), _renders(call.callee)
    if call.origin == number and call.caller.sip not in away:
        caller = call.caller.sip
        here = Party(number, renders=caller_renders)
        there = Party(dialled.to_number, renders=callee_renders)
        yield Lamp(call.id, _state_of_caller(call), not caller.initiated, here, there, _names(caller))
    here = Party(number, renders=callee_renders)
    there = Party(
        dialled.from_number, dialled.from_name if dialled.from_number else "", renders=caller_renders
    )
    legs: list[SipLeg] = [*call.calling.ringing.legs] if call.callee is None else [call.callee.sip]
    for leg in legs:
        if leg.occupies == number and leg not in away:
            state = _state_of_callee(call, leg)
            yield Lamp(_name_of(leg), state, not leg.initiated, here, there, _names(leg))


def _renders(leg: Leg | None) -> bool:
    """Whether what the other one says is heard there, as far as that is known."""
    return leg is None or not is_holding(leg.said)


def _lamps_of_own(origination: Origination) -> Iterator[Lamp]:
    here, there = Party(origination.number), Party(origination.asked.from_number, origination.asked.from_name)
    for leg in origination.legs:
        state = LampState.TRYING if leg.dialog is None else LampState.EARLY
        # Without the dialog's names, by which a phone would pick it up: whom it is for is not called yet.
        yield Lamp(_name_of(leg), state, not leg.initiated, here, there, None)


def _state_of_caller(call: Call) -> LampState:
    # Who has been put through, asks somebody or has clicked talks to us already: on their phone nothing rings.
    if call.answered_at is not None or isinstance(call.caller, ConnectedCaller):
        return LampState.CONFIRMED
    return LampState.EARLY if call.calling.rings else LampState.TRYING


def _state_of_callee(call: Call, leg: SipLeg) -> LampState:
    if call.callee is not None:
        return LampState.CONFIRMED
    # A provisional response has made a dialog.
    return LampState.TRYING if leg.dialog is None else LampState.EARLY


def _name_of(leg: SipLeg) -> str:
    if isinstance(leg, OutboundLeg):
        return leg.call_id
    return "" if leg.dialog is None else leg.dialog.call_id


def _names(leg: SipLeg) -> Names | None:
    dialog = leg.dialog
    return None if dialog is None else Names(dialog.call_id, dialog.remote_tag, dialog.local_tag)
