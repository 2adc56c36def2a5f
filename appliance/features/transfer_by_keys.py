"""Transfer from any phone, by keys pressed in the call: ## and a number puts through, ** and a number asks first.

Keys come as telephone events (RFC 4733) or by INFO. The number ends with #, or when nothing was pressed for a while.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.connected_caller import ConnectedCaller
from appliance.call.events import HungUp, Outcome, Referred
from appliance.call.purpose import Purpose
from appliance.config.codes import codes_of
from appliance.config.pattern import MAX_NUMBER
from appliance.errors import PeerError
from appliance.features.feature import Code, Feature
from appliance.features.recall import GONE_ON, recall

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.leg import Leg
    from appliance.call.sip_leg import SipLeg
    from appliance.clock import Timer
    from appliance.features.house import House

__all__ = ["TransferByKeys"]

PAUSE_SECONDS = 4.0
"After so long without a key the number is complete."
LONGEST_CODE = 8
MOST_REMEMBERED = 512
"Legs whose last keys are known; more people do not press keys at one time."


@dataclass(slots=True)
class _Typing:
    """Somebody is pressing a number."""

    call: Call
    leg: Leg
    asks_first: bool
    digits: str = ""
    timer: Timer | None = None


class TransferByKeys(Feature):
    """Whoever waits meanwhile hears music. ** again, while one asks, goes back to them; hanging up puts through."""

    name = "transfer-by-keys"
    codes = (Code("keys_transfer", "##"), Code("keys_consult", "**"))

    def follow(self) -> None:
        self._last: OrderedDict[SipLeg, str] = OrderedDict()
        self._typing: dict[SipLeg, _Typing] = {}  # each is taken out by its timer
        self._listens = False
        self.house.config.on_change(codes_of, self._learn)

    def _learn(self, codes: dict[str, str]) -> None:
        self._listens = any(codes[each.name] for each in self.codes)

    def listens(self) -> bool:
        return self._listens

    def pressed(self, call: Call, leg: Leg, key: str) -> None:
        if leg.sip.way or call.other(leg.sip) is None:
            return
        typing = self._typing.get(leg.sip)
        if typing is not None and typing.call is call:
            self._type(typing, key)
            return
        keys = (self._last.pop(leg.sip, "") + key)[-LONGEST_CODE:]
        codes = codes_of(self.house.settings)
        for name in ("keys_transfer", "keys_consult"):
            if codes[name] and keys.endswith(codes[name]):
                self._begin(call, leg, asks_first=name == "keys_consult")
                return
        self._last[leg.sip] = keys
        if len(self._last) > MOST_REMEMBERED:
            self._last.popitem(last=False)

    def _begin(self, call: Call, leg: Leg, *, asks_first: bool) -> None:
        if isinstance(call.purpose, _Consulting):
            if leg is call.caller:  # whoever is asked cannot put anybody through: somebody waits
                call.purpose.go_back(call)
            return
        other = call.other(leg.sip)
        if other is None:
            return
        self.house.playback.start(other.media)
        self.house.playback.beep(leg.media, "confirmation")
        typing = self._typing[leg.sip] = _Typing(call, leg, asks_first)
        self._wait(typing)

    def _type(self, typing: _Typing, key: str) -> None:
        if key == "#" or len(typing.digits) == MAX_NUMBER:
            self._complete(typing)
            return
        typing.digits += key
        self._wait(typing)

    def _wait(self, typing: _Typing) -> None:
        if typing.timer is not None:
            typing.timer.cancel()
        typing.timer = self.house.timers.after(PAUSE_SECONDS, lambda: self._complete(typing))

    def _complete(self, typing: _Typing) -> None:
        if typing.timer is not None:
            typing.timer.cancel()
        if self._typing.get(typing.leg.sip) is typing:
            del self._typing[typing.leg.sip]
        other = typing.call.other(typing.leg.sip)
        if typing.call.over or other is None:
            return
        if not typing.digits:
            self._refused(typing.call, typing.leg)
        elif typing.asks_first:
            self._ask_first(typing.call, typing.leg, typing.digits)
        else:
            self._put_through(typing.call, typing.leg, typing.digits)

    def _refused(self, call: Call, leg: Leg) -> None:
        other = call.other(leg.sip)
        if other is not None:
            call.negotiation.play(leg, other)
        self.house.playback.beep(leg.media, "error")

    def _put_through(self, call: Call, leg: Leg, number: str) -> None:
        def decided(outcome: Outcome) -> None:
            if outcome.status >= 300:
                self._refused(call, leg)

        event = Referred(
            target=number,
            to_number=number,
            replaces=None,
            referred_by=None,
            accept=lambda: _Report(self.house, call, leg),
            reply=decided,
        )
        self.house.exchange.transfers.refer(call, leg.sip, event)

    def _ask_first(self, call: Call, leg: Leg, number: str) -> None:
        exchange = self.house.exchange
        dialled = self.house.further(call, leg.sip, number)
        try:
            plan = exchange.router.route(dialled)
            if not plan.emergency:
                exchange.check_room()
        except PeerError:
            self._refused(call, leg)
            return
        gone = call.hand_over(leg)
        try:
            further = exchange.call_from(gone, dialled)
        except PeerError:
            call.take_back()
            self._refused(call, leg)
            return
        further.purpose = _Consulting(self.house, call)
        further.start(plan)


class _Report:
    """A transfer whose phone hears by tones how it goes."""

    heard = True

    def __init__(self, house: House, call: Call, leg: Leg) -> None:
        self._house = house
        self._call = call
        self._leg = leg

    def progress(self, status: int, reason: str | None = None) -> None:
        """The last word is told, if it is a bad one."""
        if status >= 300 and not self._call.over:
            self._house.playback.beep(self._leg.media, "error")


class _Consulting(Purpose):
    """The call in which somebody asks, while another one waits in `first`, who would be forgotten after a transfer by REFER."""

    allows_transfer = False
    goes_along = True

    def __init__(self, house: House, first: Call) -> None:
        self._house = house
        self._first = first

    def go_back(self, call: Call) -> None:
        """Whoever asks wants to talk to the one who waits again."""
        call.end(HungUp(Ending.of(Cause.NORMAL)), "callee")

    def failed(self, call: Call, event: HungUp) -> None:
        self._return(call)
        if not self._first.over:
            self._house.playback.beep(call.caller.media, "error")

    def ending(self, call: Call, side: str) -> bool:
        if self._first.over or not self._first.is_left:
            return False
        if side == "caller" and call.caller.over:
            return self._join(call)
        self._return(call)
        return False

    def ended(self, call: Call, event: HungUp) -> None:
        # Whoever asks is lost, or was put through to somebody else: nobody would ever come back to the one who waits.
        self._let_go()

    def replaced(self, call: Call) -> None:
        self._let_go()

    def _let_go(self) -> None:
        if self._first.is_left:
            self._first.end(GONE_ON, "system")

    def _return(self, call: Call) -> None:
        if self._first.over or call.caller.over or call.caller.sip in call.away():
            return
        call.hand_over(call.caller)
        self._first.take_back()

    def _join(self, call: Call) -> bool:
        """Whoever asked has hung up: the one who waits is put through."""
        first = self._first
        (waiting,), asker = first.parties(), call.caller.number
        leg = first.hand_over(waiting)
        first.end(GONE_ON, "system")
        try:
            if call.callee is not None:
                self._connect(call, leg, call.callee)
                return False
            if call.is_served:
                self._call_again(call, leg, asker)
                return False
            call.replace_caller(ConnectedCaller(leg, self._house.timers, self._house.playback))
        except PeerError:
            leg.hang_up(GONE_ON)
            return False
        call.purpose = _PutThrough(self._house, asker)
        return True

    def _call_again(self, call: Call, leg: SipLeg, asker: str) -> None:
        """What a service has told whoever asked is not to be handed over: it is called anew."""
        house = self._house
        dialled = house.further(self._first, leg, call.dialled.to_number, payer=house.rights_of(asker))
        plan = house.exchange.router.route(dialled)
        further = house.exchange.call_from(leg, dialled)
        further.purpose = _PutThrough(house, asker)
        further.start(plan)

    def _connect(self, call: Call, leg: SipLeg, asked: Leg) -> None:
        payer = self._house.rights_of(call.dialled.from_number)
        dialled = self._house.further(self._first, leg, asked.number, payer=payer)
        further = self._house.exchange.call_from(leg, dialled)
        further.connect(call.hand_over(asked))


class _PutThrough(Purpose):
    """The call that rings still, for whoever waits in the place of the one who asked."""

    def __init__(self, house: House, asker: str) -> None:
        self._house = house
        self._asker = asker

    def failed(self, call: Call, event: HungUp) -> None:
        gone = call.hand_over(call.caller)
        if not gone.over:
            recall(self._house, call, gone, self._asker)
