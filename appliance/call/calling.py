"""From a plan to the answer: who is rung, what the caller hears of it, and what comes next when nobody takes the call."""

from __future__ import annotations

__all__ = ["Calling"]

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from appliance.call.cause import Cause, Ending
from appliance.call.diversion import notices, told
from appliance.call.events import Answered, Asked, Content, HungUp, Outcome, Progress, Updated
from appliance.call.inbound import RefusedError
from appliance.call.loops import is_worn
from appliance.call.negotiation import NOBODY, retell, take
from appliance.call.ringing import Ringing
from appliance.call.sip_leg_late_offer import outbound_leg
from appliance.call.trying import Trying
from appliance.errors import PeerError

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.destination import Destination
    from appliance.call.events import Diverted, Event
    from appliance.call.leg_options import LegOptions
    from appliance.call.negotiation import Negotiation
    from appliance.call.owner import Owner
    from appliance.call.router import Plan
    from appliance.call.sip_leg_outbound import OutboundLeg


class Calling:
    """Of one call."""

    __slots__ = (
        "_call", "_early", "_failure", "_far_heard", "_left", "_negotiation", "_options", "_owner", "_told", "ringing", "rings",
        "trying",
    )  # fmt: skip

    def __init__(self, call: Call, owner: Owner, negotiation: Negotiation) -> None:
        self._call = call
        self._owner = owner
        self._negotiation = negotiation
        self._options = owner.options  # of the callees' legs
        self.ringing = Ringing()
        self.trying = Trying(owner)
        self._left = False  # whether somebody outside was asked
        self._failure = Ending.of(Cause.LOOP)  # why whoever was rung last does not take it
        self._far_heard = False  # whether sound came from a leg that failed
        self.rings = False
        "Whether a phone has said that it rings."
        self._early: OutboundLeg | None = None  # whose sound the caller hears before the answer
        self._told: tuple[OutboundLeg, int] | None = (
            None  # the last progress the caller was told of, and by whom
        )

    def begin(self, plan: Plan) -> None:
        """Ring whom the plan says, or whoever comes after them."""
        if (failure := self._ring(plan)) is not None:
            self._nobody(failure)

    def _ring(self, plan: Plan) -> HungUp | None:
        """Ring whom the plan says; gives why nobody can be rung."""
        caller, dialled = self._call.caller, self._call.dialled
        for step in told(self.trying.begin(self._call, plan)):
            self._tell_step(step)
        # Whoever was tried before is not heard any more, and what they said is not what the next one says.
        self.ringing, self._early, self._told, self.rings = Ringing(), None, None, False
        if plan.serve is not None:
            self._call.serve(plan.serve)
            return None
        self._options = self._owner.options
        offer = dialled.content is not None and dialled.content.is_session
        if not (offer or (caller.takes_reliable and len(plan.targets) == 1)):
            # A callee's offer in a reliable response wants an answer at once, and only such a caller gives one.
            self._options = self._options.without_reliable()
        failure = self.ringing.start(plan, partial(self._dial, plan))
        if failure is None:
            self.trying.keep(self._call, self.ringing.legs)
            self.ringing.limit(self._owner.wire.timers, plan, self._timed_out)
        return failure

    def _tell_step(self, step: Diverted) -> None:
        caller = self._call.caller
        # A trunk's peers are trusted; who calls by a line may be anybody.
        hidden = self._call.origin.startswith("line:") and not self._owner.notices_outside
        form = "none" if hidden else self._owner.notice_form
        headers = notices(step, caller.flow.local[0], form)
        event = Progress(181, "Call Is Being Forwarded", None, headers)
        caller.progress(event)
        if self._call.purpose is not None:
            self._call.purpose.rings(self._call, event)

    def _dial(self, plan: Plan, target: Destination) -> OutboundLeg:
        if target.way_out is not None and not plan.emergency:
            if self._left and is_worn(plan.dialled):
                raise PeerError(self._failure.status, self._failure.text)
            self._left = True
        leg = outbound_leg(self._owner.wire, target, self._call.id, self._options_for(target))
        leg.on_event = self._call.receive
        try:
            leg.dial(plan.dialled, retell(self._call.dialled.content, leg))
        except Exception:
            leg.media.close()
            raise
        return leg

    def _options_for(self, target: Destination) -> LegOptions:
        if target.way_out is None:
            return self._options
        options = target.way_out.options
        return options if self._options.reliable else options.without_reliable()

    @property
    def hearer(self) -> OutboundLeg | None:
        """Whom the caller's wishes go to meanwhile: who is heard, or the only one that rings."""
        if self._early is not None and not self._early.over:
            return self._early
        return self.ringing.legs[0] if len(self.ringing.legs) == 1 else None

    def stop(self, cause: Cause | None = None) -> list[OutboundLeg]:
        """Ring nobody any more. With a cause the phones are told; else the legs are the caller's to hang up."""
        legs = self.ringing.stop()
        if cause is None:
            return legs
        for leg in legs:
            leg.hang_up(HungUp(Ending.of(cause)))
        return []

    # --- what those who ring say

    def heard(self, leg: OutboundLeg, event: Event) -> None:
        """An event of a leg that is not answered yet."""
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
                else:
                    self.trying.keep(self._call, self.ringing.legs)
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
            self._call.caller.progress(
                event if content is event.content else msgspec.structs.replace(event, content=content)
            )
        if leg.awaits_answer and content is None:
            # RFC 6337 §2.4: an offer that cannot be passed on cannot be refused either, but by ending the leg.
            self._call.end(HungUp(Ending.of(Cause.MEDIA)), "system")
            return
        if self._call.purpose is not None:
            self._call.purpose.rings(self._call, event)
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
            content = take(content, leg, self._call.caller)
        except PeerError:
            return None  # the answer will show whether there is a common way to send sound
        self._early = leg
        self._owner.wire.relay.join(self._call.caller.media, leg.media)
        return content

    def _picked_up(self, leg: OutboundLeg, event: Answered) -> None:
        self.trying.settle(self._call, leg)
        try:
            content = take(event.content, leg, self._call.caller)
        except PeerError:  # the phone's fault, which is not the caller's to hear of
            self._call.give_up(HungUp(Ending.of(Cause.MEDIA)), "system")
            leg.hang_up(HungUp(Ending.of(Cause.MEDIA)))
            return
        self._call.answered(leg, Answered(content, event.baggage, event.fork))

    def _timed_out(self, event: HungUp) -> None:
        if not self._call.over:
            self._call.safely(partial(self._nobody, event))

    def _nobody(self, event: HungUp) -> None:
        """Nobody whom the plan says takes the call: on to the next, or that was it."""
        self.ringing.stop()
        self._failure = event.ending
        # Nobody is rung twice, nor cut off whom the caller has heard.
        unheard = not (self.rings or self._far_heard)
        try:
            while (plan := self.trying.after(self._call, event, unheard=unheard)) is not None:
                failure = self._ring(plan)
                if failure is None:
                    return
                event = failure
        except RefusedError as refused:
            self.trying.take(refused.steps)
            event = HungUp(refused.ending)
        self._call.give_up(event, "callee" if event.ending.cause in _BY_CALLEE else "system")

    def _asked_early(self, leg: OutboundLeg, event: Updated | Asked) -> None:
        # A phone that rings may want something of the caller while it is the only one.
        if self.hearer is not leg:
            event.reply(NOBODY)
        elif isinstance(event, Updated):
            if self._call.caller.owes_answer and event.content is not None and event.content.is_session:
                self._update_for_caller(leg, event.content, event)
            else:
                self._negotiation.update(leg, self._call.caller, event)
        else:
            self._call.caller.ask(event)

    def _update_for_caller(self, leg: OutboundLeg, content: Content, event: Updated) -> None:
        # The caller cannot be asked before it has the answer to its own offer. What it offers stands, and what
        # the phone says now is what the caller will get for an answer.
        try:
            take(content, leg, self._call.caller)
            event.reply(Outcome(200, "OK", retell(Content(content.kind, self._call.caller.said), leg)))
        except PeerError as refusal:
            event.reply(Outcome(refusal.status, refusal.reason))


_BY_CALLEE = frozenset({
    Cause.BUSY, Cause.UNAVAILABLE, Cause.REFUSED, Cause.NOT_FOUND, Cause.MEDIA, Cause.FORBIDDEN,
})  # fmt: skip
