"""One call: the caller's leg, the callee's, and who else comes and goes in their places.

What passes between the two is for `negotiation`, what goes on before the answer for `calling`.
"""

from __future__ import annotations

__all__ = ["Call"]

import logging
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from appliance.call.calling import Calling
from appliance.call.cause import Cause, Ending, ending_of
from appliance.call.connected_caller import ConnectedCaller, answer_locally
from appliance.call.events import (
    Answered,
    Asked,
    Confirmed,
    Content,
    HungUp,
    Outcome,
    Referred,
    Updated,
    Withdrawn,
)
from appliance.call.joining import Joining
from appliance.call.negotiation import NOBODY, Negotiation
from appliance.call.pressing import Pressing
from appliance.call.record import make_record
from appliance.call.sip_leg_outbound import OutboundLeg
from appliance.call.sip_session import ignore
from appliance.errors import PeerError
from appliance.media.answer import answer_to, own_offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio import CancelScope

    from appliance.call.events import Dialled, Event
    from appliance.call.leg import CallerLeg, Leg
    from appliance.call.music import Music
    from appliance.call.owner import Owner
    from appliance.call.purpose import Purpose
    from appliance.call.router import Plan
    from appliance.call.sip_leg import SipLeg
    from appliance.call.sip_leg_inbound import InboundLeg
    from appliance.call.verdict import Serve

logger = logging.getLogger(__name__)


class Call:
    """From the INVITE that was let in to its record. It ends exactly once, by `end`."""

    __slots__ = (
        "_answered_now", "_away", "_owner", "_said", "_service", "answered_at", "answered_by", "callee", "caller",
        "calling", "dialled", "id", "joining", "negotiation", "origin", "over", "pressing", "purpose", "started_at",
    )  # fmt: skip

    def __init__(self, owner: Owner, call_id: str, dialled: Dialled, caller: CallerLeg) -> None:
        self._owner = owner
        self.id = call_id
        self.dialled = dialled
        self.origin = caller.sip.occupies
        "What the caller occupies: a line or trunk, named as in routes, or an extension."
        self.caller = caller
        self.callee: Leg | None = None
        "The leg that answered."
        self.negotiation = Negotiation(self)
        self.calling = Calling(self, owner, self.negotiation)
        self.joining = Joining(self, owner)
        self.pressing = Pressing(self, owner)
        self._service: CancelScope | None = None  # that the exchange itself has taken the call for
        self._away: list[Leg] = []  # who is in another call, and may come back
        self._said: tuple[tuple[bytes, bytes], ...] = ()  # what both had said and been told when one went
        self.purpose: Purpose | None = None
        self.started_at = owner.wall()
        "Seconds since 1970."
        self.answered_at: float | None = None
        "Seconds since 1970."
        self.answered_by = ""
        self._answered_now = 0.0
        self.over = False
        caller.on_event = self.receive

    @property
    def legs(self) -> list[SipLeg]:
        """All that are in it: the caller's, those that ring, and who answered."""
        return [*(each.sip for each in self.parties()), *self.calling.ringing.legs]

    def parties(self) -> list[Leg]:
        """Who is in it, those who ring aside, and who went on in another call."""
        both = (self.caller, self.callee)
        return [each for each in both if each is not None and each not in self._away]

    def away(self) -> list[SipLeg]:
        """Who went on in another call, and has not come back."""
        return [each.sip for each in self._away]

    @property
    def is_left(self) -> bool:
        """Whether somebody went on in another call, and has not come back."""
        return bool(self._away)

    @property
    def is_served(self) -> bool:
        """Whether the exchange itself has taken it."""
        return self._service is not None

    def other(self, leg: SipLeg) -> Leg | None:
        """Who talks with `leg` in this call; None when nobody does."""
        if self.callee is None or self._away:
            return None
        return self.callee if self.caller.sip is leg else self.caller

    @property
    def music(self) -> Music:
        """What those in it hear who are held."""
        return self._owner.music

    def changed(self) -> None:
        """There is something new to show."""
        self._owner.changed()

    def start(self, plan: Plan) -> None:
        """Ring the plan's phones. Failures are told to the caller's leg, not raised."""
        self.safely(partial(self._start, plan))

    def _start(self, plan: Plan) -> None:
        self._stop_service()
        self.expect_offer()
        self.calling.begin(plan)

    def expect_offer(self) -> None:
        """The caller does what their offer says. PeerError when nobody can read it."""
        offer = self.dialled.content
        # Of one who talks already more is known than what is offered in their name: they may hold, or be held.
        if offer is not None and offer.is_session and not isinstance(self.caller, ConnectedCaller):
            self.caller.media.expect(offer.body)
            self.caller.said = offer.body

    def safely(self, step: Callable[[], None]) -> None:
        """Whatever fails ends this call, and no other."""
        try:
            step()
        except PeerError as failure:
            self.give_up(HungUp(ending_of(failure.status, failure.reason)), "system")
        except Exception:
            logger.exception("call %s failed", self.id)
            self.give_up(HungUp(Ending.of(Cause.FAILED)), "system")

    # --- the answer

    def answered(self, leg: Leg, event: Answered) -> None:
        """`leg` has picked up, and is the callee from now on. `event` is as the caller is to hear it."""
        self.callee = leg
        self.answered_by = leg.number
        self.pressing.listen()
        self._owner.wire.relay.join(self.caller.media, leg.media)
        self._answer(event)

    def _answer(self, event: Answered) -> None:
        if self.answered_at is None:
            self.answered_at = self._owner.wall()
            self._answered_now = self._owner.wire.timers.now()
        self.caller.answer(event)
        if self.over:
            return  # somebody who talks already may refuse it at once
        if self.purpose is not None:
            self.purpose.answered(self)
        self._owner.changed()

    def serve(self, service: Serve) -> None:
        """The exchange itself takes the call."""
        self._service = self._owner.served(self, service)

    def answer_itself(self) -> None:
        """The exchange picks up. PeerError 488 when it can play nothing that the caller would hear."""
        self.expect_offer()
        offer = self.dialled.content
        own = own_offer() if offer is None or not offer.is_session else answer_to(offer.body)
        self.answered_by = self.dialled.to_number
        self._answer(Answered(Content("application/sdp", self.caller.media.describe(own)), ()))

    def _stop_service(self) -> None:
        if self._service is not None:
            self._service.cancel()
            self._service = None
        self.pressing.stop()

    # --- who comes and goes

    def connect(self, leg: SipLeg) -> None:
        """Put the caller, who waits, through to somebody who talks already and is of no call any more."""
        self._stop_service()
        self.callee = leg
        self.safely(partial(self.joining.connect, leg))

    def pick_up(self, leg: InboundLeg, dialled: Dialled) -> None:
        """Whoever is behind `leg` takes the call, which rings, in place of those who are rung. `dialled` has their offer.

        PeerError 488 when the two have no sound in common, or neither made an offer; then it rings on.
        """
        self.joining.pick_up(leg, dialled)

    def hand_over(self, leg: Leg) -> SipLeg:
        """Let one of the two go into another call. Who stays waits for `take_back`, or for the end."""
        self.let_go(leg)
        self.music.stop(leg.media)
        leg.media.listen(None)
        leg.media.unlink()
        if isinstance(leg, ConnectedCaller):
            return leg.leave()
        leg.on_event = ignore
        return leg.sip

    def let_go(self, leg: Leg) -> None:
        """As `hand_over`, of one that has found its other call already."""
        self._stop_service()
        self._said = self._say()
        self._away.append(leg)

    def take_back(self) -> None:
        """Whoever went away is in this call again. Nothing happens when the call is over, or nobody went."""
        away, self._away = self._away, []
        if not away or self.over or self.callee is None:
            return
        for leg in away:
            if isinstance(leg, ConnectedCaller):
                leg.come_back()
            else:
                leg.on_event = self.receive
        if self.caller.over or self.callee.over:
            self.end(HungUp(Ending.of(Cause.LOST)), "system")
            return
        self._owner.wire.relay.join(self.caller.media, self.callee.media)
        self.pressing.listen()
        stayed = self.caller if away[0] is self.callee else self.callee
        self.negotiation.come_back(away[0], stayed, changed=self._say() != self._said)
        self._owner.changed()

    def _say(self) -> tuple[tuple[bytes, bytes], ...]:
        """What each of the two has said, and was told, last."""
        both = (self.caller, self.callee)
        return tuple((each.said, each.media.described) for each in both if each is not None)

    def replace_caller(self, caller: ConnectedCaller) -> None:
        """Somebody who talks already waits for the callee in the place of the caller, who is hung up on.

        PeerError 488 when nobody can read what they said last.
        """
        offer = caller.offer
        former, self.caller = self.caller, caller
        self._owner.release(self, self.origin)
        self.origin = caller.sip.occupies
        self._owner.engage(self, self.origin)
        self.dialled = msgspec.structs.replace(
            self.dialled, from_number=caller.number, content=offer, way_in=caller.sip.way
        )
        caller.on_event = self.receive
        former.on_event = ignore
        self.music.stop(former.media)
        former.hang_up(HungUp(Ending.of(Cause.HANDED_OVER)))
        if self.calling.rings:
            self.music.ring(caller.media)

    # --- what the legs say

    def receive(self, leg: Leg, event: Event) -> None:
        """An event of one of the legs. Nothing is raised: what cannot be done ends the call."""
        if not self.over:
            self.safely(partial(self._receive, leg, event))

    def _receive(self, leg: Leg, event: Event) -> None:
        side = "caller" if leg is self.caller else "callee"
        if self._away or self._service is not None:
            self._heard_alone(leg, event, side)
        elif leg is self.caller:
            self._heard(leg, self.callee or self.calling.hearer, event, side)
        elif leg is self.callee:
            self._heard(leg, self.caller, event, side)
        elif isinstance(leg, OutboundLeg):
            self.calling.heard(leg, event)

    def _heard(self, leg: Leg, other: Leg | None, event: Event, side: str) -> None:
        match event:
            case HungUp():
                self._hung_up(event, side)
            case Updated():
                self.negotiation.update(leg, other, event)
            case Asked():
                self.negotiation.ask(other, event)
                if self.answered_at is not None:
                    self.pressing.asked(leg, event)
            case Confirmed() if self.joining.confirmed(leg, event):
                pass  # it was the answer that somebody waited for who picks up, or is picked up
            case Confirmed() if other is not None:
                self.negotiation.confirm(leg, other, event)
            case Withdrawn() if other is not None:
                other.withdraw()
            case Referred():
                self._owner.referred(self, leg, event)
            case _:
                pass  # there is nobody it would concern

    def _heard_alone(self, leg: Leg, event: Event, side: str) -> None:
        """There is nobody else: the exchange itself has taken the call, or the other one is away."""
        match event:
            case HungUp():
                self._hung_up(event, side)
            case Updated():
                answer_locally(leg, event)
            case Asked():
                event.reply(Outcome(200, "OK") if self.pressing.asked(leg, event) else NOBODY)
            case Referred():
                event.reply(Outcome(603, "Decline"))
            case Confirmed(content) if content is not None and content.is_session:
                leg.media.expect(content.body)
                leg.said = content.body
            case _:
                pass

    def _hung_up(self, event: HungUp, side: str) -> None:
        if event.ending.cause is Cause.LOST:
            side = "system"  # nobody hung up: a phone has merely gone silent
        elif self.answered_at is None:
            # RFC 3261 §15 lets a caller end an early dialog by BYE, too.
            event = HungUp(Ending.of(Cause.CANCELLED), event.baggage)
        self.end(event, side)

    # --- the end

    def give_up(self, event: HungUp, ended_by: str) -> None:
        """Nobody takes the call: it ends, unless whoever had it made knows better."""
        if self.purpose is not None and self.answered_at is None and not self.over:
            try:
                self.purpose.failed(self, event)
            except Exception:
                logger.exception("nobody could be told that call %s failed", self.id)
        self.end(event, ended_by)

    def _goes_on(self, ended_by: str) -> bool:
        """Whether somebody has taken the place of whoever ends it."""
        try:
            return self.purpose is not None and self.purpose.ending(self, ended_by)
        except Exception:
            logger.exception("nobody could be told that call %s ends", self.id)
            return False

    def end(self, event: HungUp, ended_by: str) -> None:
        """End all legs and make the record. `ended_by`: `caller`, `callee` or `system`."""
        if self.over:
            return
        if self._goes_on(ended_by):
            return
        self.over = True
        # Not by the wall clock: a board without a battery sets its own by the network, perhaps in mid-call.
        duration = 0.0 if self.answered_at is None else self._owner.wire.timers.now() - self._answered_now
        self._stop_service()
        for leg in (*self.parties(), *self.calling.stop()):
            try:
                self.music.stop(leg.media)
                leg.hang_up(event)
            except Exception:
                logger.exception("a leg of call %s could not be hung up", self.id)
                leg.media.close()
            leg.on_event = ignore  # a leg that outlives its call must not keep it alive
        self.calling.trying.end(self)
        self._owner.ended(self, make_record(self, event.ending, ended_by, self._owner.wall(), duration))
        if self.purpose is not None:
            self.purpose.ended(self, event)
