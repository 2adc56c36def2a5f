"""One call: the caller's leg, the callee's, and what passes between them.

RFC 3264 in between: each description is retold with the ports of the leg that it goes to.
"""

from __future__ import annotations

__all__ = ["Call", "Owner"]

import logging
from functools import partial
from typing import TYPE_CHECKING, Protocol

import msgspec

from appliance.call.cause import Cause, Ending, ending_of
from appliance.call.events import (
    Answered,
    Asked,
    Confirmed,
    Content,
    HungUp,
    Outcome,
    Progress,
    Referred,
    Updated,
    Withdrawn,
)
from appliance.call.record import make_record
from appliance.call.ringing import Ringing
from appliance.call.sip_leg_late_offer import outbound_leg
from appliance.call.sip_leg_outbound import OutboundLeg
from appliance.call.sip_session import ignore
from appliance.call.trying import Occupied, Trying
from appliance.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.destination import Destination
    from appliance.call.events import Dialled, Event
    from appliance.call.leg_options import LegOptions
    from appliance.call.record import CallRecord
    from appliance.call.router import Plan
    from appliance.call.sip_leg import SipLeg
    from appliance.call.sip_leg_inbound import InboundLeg
    from appliance.call.wire import Wire

logger = logging.getLogger(__name__)


class Owner(Occupied, Protocol):
    """Whoever keeps the calls: the exchange."""

    wire: Wire
    wall: Callable[[], float]
    options: LegOptions

    def changed(self) -> None: ...
    def referred(self, call: Call, leg: SipLeg, event: Referred) -> None: ...
    def ended(self, call: Call, record: CallRecord) -> None: ...


class Call:
    """From the INVITE that was let in to its record. It ends exactly once, by `end`."""

    __slots__ = (
        "_answered_now",
        "_early",
        "_far_heard",
        "_options",
        "_owner",
        "_told",
        "answered_at",
        "callee",
        "caller",
        "dialled",
        "id",
        "origin",
        "over",
        "ringing",
        "rings",
        "started_at",
        "trying",
    )  # fmt: skip

    def __init__(self, owner: Owner, call_id: str, dialled: Dialled, caller: InboundLeg) -> None:
        self._owner = owner
        self._options = owner.options  # of the callees' legs
        self.id = call_id
        self.dialled = dialled
        self.origin = dialled.way_in or dialled.from_number
        "What the caller occupies: a line or trunk, named as in routes, or an extension."
        self.caller = caller
        self.callee: OutboundLeg | None = None
        "The leg that answered."
        self.ringing = Ringing()
        self.trying = Trying(owner)
        self._far_heard = False  # whether sound came from a leg that failed
        self.rings = False
        "Whether a phone has said that it rings."
        self.started_at = owner.wall()
        "Seconds since 1970."
        self.answered_at: float | None = None
        "Seconds since 1970."
        self._answered_now = 0.0
        self.over = False
        self._early: SipLeg | None = None  # whose sound the caller hears before the answer
        self._told: tuple[SipLeg, int] | None = None  # the last progress the caller was told of, and by whom
        caller.on_event = self.receive

    @property
    def legs(self) -> list[SipLeg]:
        """All that are in it: the caller's, those that ring, and who answered."""
        legs: list[SipLeg] = [self.caller, *self.ringing.legs]
        return legs if self.callee is None else [*legs, self.callee]

    def start(self, plan: Plan) -> None:
        """Ring the plan's phones. Failures are told to the caller's leg, not raised."""
        self._safely(partial(self._start, plan))

    def _start(self, plan: Plan) -> None:
        offer = self.dialled.content
        if offer is not None and offer.is_session:
            self.caller.media.expect(offer.body)
            self.caller.said = offer.body
        if (failure := self._ring(plan)) is not None:
            self._nobody(failure)

    def _ring(self, plan: Plan) -> HungUp | None:
        """Ring whom the plan says; gives why nobody can be rung."""
        self.trying.begin(self, plan)
        self._options = self._owner.options
        offer = self.dialled.content is not None and self.dialled.content.is_session
        if not (offer or (self.caller.takes_reliable and len(plan.targets) == 1)):
            # A callee's offer in a reliable response wants an answer at once, and only such a caller gives one.
            self._options = self._options.without_reliable()
        # Whoever was tried before is not heard any more, and what they said is not what the next one says.
        self.ringing, self._early, self._told, self.rings = Ringing(), None, None, False
        failure = self.ringing.start(plan, self._dial)
        if failure is None:
            self.ringing.limit(self._owner.wire.timers, plan, self._timed_out)
        return failure

    def _safely(self, step: Callable[[], None]) -> None:
        """Whatever fails ends this call, and no other."""
        try:
            step()
        except PeerError as failure:
            self.end(HungUp(ending_of(failure.status, failure.reason)), "system")
        except Exception:
            logger.exception("call %s failed", self.id)
            self.end(HungUp(Ending.of(Cause.FAILED)), "system")

    def _dial(self, target: Destination) -> OutboundLeg:
        leg = outbound_leg(self._owner.wire, target, self.id, self._options_for(target))
        leg.on_event = self.receive
        try:
            leg.dial(self.dialled, _retell(self.dialled.content, leg))
        except Exception:
            leg.media.close()
            raise
        return leg

    def _options_for(self, target: Destination) -> LegOptions:
        if target.way_out is None:
            return self._options
        options = target.way_out.options
        return options if self._options.reliable else options.without_reliable()

    # --- what the legs say

    def receive(self, leg: SipLeg, event: Event) -> None:
        """An event of one of the legs. Nothing is raised: what cannot be done ends the call."""
        if not self.over:
            self._safely(partial(self._receive, leg, event))

    def _receive(self, leg: SipLeg, event: Event) -> None:
        if leg is self.caller:
            self._heard(leg, self._hearer(), event, "caller")
        elif leg is self.callee:
            self._heard(leg, self.caller, event, "callee")
        elif isinstance(leg, OutboundLeg):
            self._heard_ringing(leg, event)

    def _hearer(self) -> SipLeg | None:
        """Whom the caller's wishes go to: who answered, or else who is heard, or the only one that rings."""
        if self.callee is not None:
            return self.callee
        if self._early is not None and not self._early.over:
            return self._early
        return self.ringing.legs[0] if len(self.ringing.legs) == 1 else None

    def _heard(self, leg: SipLeg, other: SipLeg | None, event: Event, side: str) -> None:
        match event:
            case HungUp():
                self._hung_up(event, side)
            case Updated():
                self._update(leg, other, event)
            case Asked():
                self._ask(other, event)
            case Confirmed() if other is not None:
                self._confirm(leg, other, event)
            case Withdrawn() if other is not None:
                other.withdraw()
            case Referred():
                self._owner.referred(self, leg, event)
            case _:
                pass  # there is nobody it would concern

    def _hung_up(self, event: HungUp, side: str) -> None:
        if event.ending.cause is Cause.LOST:
            side = "system"  # nobody hung up: a phone has merely gone silent
        elif self.answered_at is None:
            # RFC 3261 §15 lets a caller end an early dialog by BYE, too.
            event = HungUp(Ending.of(Cause.CANCELLED), event.baggage)
        self.end(event, side)

    # --- before the answer

    def _heard_ringing(self, leg: OutboundLeg, event: Event) -> None:
        match event:
            case Progress():
                if event.rings:
                    leg.works()
                self._rang(leg, event)
            case Answered():
                leg.works()
                self.ringing.answered(leg)
                self._picked_up(leg, event)
            case HungUp():
                self._far_heard = self._far_heard or leg.media.statistics().packets > 0
                if (best := self.ringing.failed(leg, event)) is not None:
                    self._nobody(best)
            case Updated() | Asked():
                self._asked_early(leg, event)
            case _:
                pass  # a leg that is not answered has nothing else to say

    def _rang(self, leg: OutboundLeg, event: Progress) -> None:
        content = self._early_content(leg, event)
        told = (leg, event.status)
        # Ten phones that ring are told of once; one that repeats itself keeps the caller's phone waiting.
        repeated = self._told is not None and self._told[1] == event.status and self._told[0] is not leg
        if content is not None or not repeated:
            self._told = told
            self.caller.progress(
                event if content is event.content else msgspec.structs.replace(event, content=content)
            )
        if leg.awaits_answer and content is None:
            # RFC 6337 §2.4: an offer that cannot be passed on cannot be refused either, but by ending the leg.
            self.end(HungUp(Ending.of(Cause.MEDIA)), "system")
            return
        if event.rings and not self.rings:
            self.rings = True
            self._owner.changed()

    def _early_content(self, leg: OutboundLeg, event: Progress) -> Content | None:
        content = event.content
        if content is None or not content.is_session:
            return content
        if self._early is not None and self._early is not leg and not self._early.over:
            return None  # two phones cannot be heard at once: the first is
        try:
            content = _take(content, leg, self.caller)
        except PeerError:
            return None  # the answer will show whether there is a common way to send sound
        self._early = leg
        self._owner.wire.relay.join(self.caller.media, leg.media)
        return content

    def _picked_up(self, leg: OutboundLeg, event: Answered) -> None:
        self.callee = leg
        try:
            content = _take(event.content, leg, self.caller)
        except PeerError:  # the phone's fault, which is not the caller's to hear of
            self.end(HungUp(Ending.of(Cause.MEDIA)), "system")
            return
        self._owner.wire.relay.join(self.caller.media, leg.media)
        self.answered_at = self._owner.wall()
        self._answered_now = self._owner.wire.timers.now()
        self.caller.answer(Answered(content, event.baggage, event.fork))
        self._owner.changed()

    def _timed_out(self, event: HungUp) -> None:
        if not self.over:
            self._safely(partial(self._nobody, event))

    def _nobody(self, event: HungUp) -> None:
        """Nobody whom the plan says takes the call: on to the next, or that was it."""
        self.ringing.stop()
        # Nobody is rung twice, nor cut off whom the caller has heard.
        unheard = not (self.rings or self._far_heard)
        while (plan := self.trying.after(self, event, unheard=unheard)) is not None:
            failure = self._ring(plan)
            if failure is None:
                return
            event = failure
        self.end(event, "callee" if event.ending.cause in _BY_CALLEE else "system")

    def _asked_early(self, leg: OutboundLeg, event: Updated | Asked) -> None:
        # A phone that rings may want something of the caller while it is the only one.
        if self._hearer() is not leg:
            event.reply(_NOBODY)
        elif isinstance(event, Updated):
            if self.caller.owes_answer and event.content is not None and event.content.is_session:
                self._update_for_caller(leg, event.content, event)
            else:
                self._update(leg, self.caller, event)
        else:
            self.caller.ask(event)

    def _update_for_caller(self, leg: OutboundLeg, content: Content, event: Updated) -> None:
        # The caller cannot be asked before it has the answer to its own offer. What it offers stands, and what
        # the phone says now is what the caller will get for an answer.
        try:
            _take(content, leg, self.caller)
            event.reply(Outcome(200, "OK", _retell(Content(content.kind, self.caller.said), leg)))
        except PeerError as refusal:
            event.reply(Outcome(refusal.status, refusal.reason))

    # --- within the call

    def _confirm(self, leg: SipLeg, other: SipLeg, event: Confirmed) -> None:
        if not other.awaits_answer:
            return
        if event.content is None:
            # RFC 3264 §4: an offer that gets no answer makes no session.
            self.end(HungUp(Ending.of(Cause.MEDIA)), "system")
            return
        other.confirm(Confirmed(_take(event.content, leg, other)))
        self._owner.changed()

    def _update(self, leg: SipLeg, other: SipLeg | None, event: Updated) -> None:
        if other is None:
            event.reply(_NOBODY)
            return
        try:
            content = _retell(event.content, other)
        except PeerError as refusal:
            event.reply(Outcome(refusal.status, refusal.reason))
            self._restore(leg, other)
            return

        def decided(outcome: Outcome) -> None:
            if self.over:
                event.reply(outcome)
            else:
                self._safely(partial(self._updated, leg, other, event, outcome))

        other.update(Updated(content, event.baggage, decided, event.full))

    def _updated(self, leg: SipLeg, other: SipLeg, event: Updated, outcome: Outcome) -> None:
        if outcome.status >= 300:
            # RFC 3261 §14.1: the session goes on as if there had been no offer.
            self._restore(leg, other)
            event.reply(outcome)
            return
        try:
            if event.content is not None and event.content.is_session:
                leg.media.expect(event.content.body)
                leg.said = event.content.body
            content = _take(outcome.content, other, leg)
        except PeerError:
            # The phone has changed its session already, to something nobody can read: there is no way back.
            event.reply(Outcome(488, "Not Acceptable Here"))
            self.end(HungUp(Ending.of(Cause.MEDIA)), "system")
            return
        event.reply(Outcome(200, outcome.text, content, outcome.baggage))
        self._owner.changed()

    def _restore(self, leg: SipLeg, other: SipLeg) -> None:
        if leg.said and not other.over:
            other.media.describe(leg.said)

    def _ask(self, other: SipLeg | None, event: Asked) -> None:
        if other is None:
            event.reply(_NOBODY)
        else:
            other.ask(event)

    # --- the end

    def end(self, event: HungUp, ended_by: str) -> None:
        """End all legs and make the record. `ended_by`: `caller`, `callee` or `system`."""
        if self.over:
            return
        self.over = True
        legs = self.legs
        self.ringing.stop()
        for leg in legs:
            try:
                leg.hang_up(event)
            except Exception:
                logger.exception("a leg of call %s could not be hung up", self.id)
                leg.media.close()
            leg.on_event = ignore  # a leg that outlives its call must not keep it alive
        self.trying.end(self)
        # Not by the wall clock: a board without a battery sets its own by the network, perhaps in mid-call.
        duration = 0.0 if self.answered_at is None else self._owner.wire.timers.now() - self._answered_now
        self._owner.ended(self, make_record(self, event.ending, ended_by, self._owner.wall(), duration))


_NOBODY = Outcome(480, "Temporarily Unavailable")
_BY_CALLEE = frozenset({
    Cause.BUSY, Cause.UNAVAILABLE, Cause.REFUSED, Cause.NOT_FOUND, Cause.MEDIA, Cause.FORBIDDEN,
})  # fmt: skip


def _retell(content: Content | None, hearer: SipLeg) -> Content | None:
    """`content` for `hearer`, with the ports of its leg if it describes media."""
    if content is None or not content.is_session:
        return content
    return Content(content.kind, hearer.media.describe(content.body))


def _take(content: Content | None, teller: SipLeg, hearer: SipLeg) -> Content | None:
    """As `_retell`, and from now on `teller` is expected to do what it says."""
    if content is not None and content.is_session:
        teller.media.expect(content.body)
        teller.said = content.body
    return _retell(content, hearer)
