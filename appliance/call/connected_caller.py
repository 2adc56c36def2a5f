"""Somebody who talks already, as the caller of a further call: transferred, parked, or rung up by the exchange itself.

RFC 5359 §2.4, §2.5; RFC 3725 §7 (what third party call control is). What an INVITE would hear as provisional responses they
hear as tones, and the answer reaches them as a re-INVITE.
"""

from __future__ import annotations

__all__ = ["ConnectedCaller", "answer_locally"]

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.events import Answered, Asked, Confirmed, Content, HungUp, Outcome, Referred, Updated
from appliance.call.negotiation import NOBODY
from appliance.call.sip_session import ignore
from appliance.errors import PeerError
from appliance.media.answer import answer_to, offer_anew, own_offer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from appliance.call.events import Event, Progress
    from appliance.call.leg import Leg
    from appliance.call.music import Music
    from appliance.call.sip_leg import SipLeg
    from appliance.clock import Timer, Timers
    from appliance.media.leg import LegMedia
    from appliance.sip.transport.flow import Flow

GLARE_SECONDS = 2.1
"RFC 3261 §14.1: after a re-INVITE that crossed the peer's, the one who made the call waits 2.1 to 4 s. So does this."
MAX_TRIES = 4
"A phone that is busy with re-INVITEs of its own for longer than this will never take ours."


class ConnectedCaller:
    """As a call sees it, an InboundLeg. `leg` must be connected, and of no call any more."""

    takes_reliable = False
    owes_answer = False

    def __init__(self, leg: SipLeg, timers: Timers, music: Music) -> None:
        self.on_event: Callable[[Any, Event], None] = ignore
        self._leg = leg
        self._timers = timers
        self._music = music
        self._answered = False
        self._left = False
        self._tries = 0
        self._again: Timer | None = None
        leg.on_event = self._receive

    @property
    def sip(self) -> SipLeg:
        return self._leg

    @property
    def number(self) -> str:
        return self._leg.number

    @property
    def media(self) -> LegMedia:
        return self._leg.media

    @property
    def flow(self) -> Flow:
        return self._leg.flow

    @property
    def over(self) -> bool:
        return self._leg.over

    @property
    def awaits_answer(self) -> bool:
        return self._leg.awaits_answer

    @property
    def said(self) -> bytes:
        return self._leg.said

    @said.setter
    def said(self, said: bytes) -> None:
        self._leg.said = said

    @property
    def offer(self) -> Content:
        """What they would offer if they called. PeerError when nobody can read what they said."""
        return Content("application/sdp", offer_anew(self._leg.said))

    # --- how the further call gets on

    def progress(self, event: Progress) -> None:
        """They hear the callee's own sound if there is any, and a tone when it rings."""
        if self._answered:
            return
        if event.content is not None and event.content.is_session:
            self._music.stop(self.media)
        elif event.rings:
            self._music.ring(self.media)

    def answer(self, event: Answered) -> None:
        """Somebody has picked up."""
        if self._answered or self.over:
            return
        self._music.stop(self.media)
        self._answered = True
        if event.content is None:
            # Whoever picked up has answered without a word on its sound.
            self.on_event(self, HungUp(Ending.of(Cause.MEDIA)))
        else:
            self._offer(event.content)

    def _offer(self, content: Content) -> None:
        self._again = None
        self._tries += 1
        self._leg.update(Updated(content, (), partial(self._decided, content), full=True))

    def _decided(self, content: Content, outcome: Outcome) -> None:
        if self.over:
            return
        if outcome.status == 491 and self._tries < MAX_TRIES and not self._left:
            self._again = self._timers.after(GLARE_SECONDS, partial(self._offer, content))
            return
        try:
            if outcome.status >= 300 or outcome.content is None:
                raise PeerError(488, "Not Acceptable Here")
            self.media.expect(outcome.content.body)
            self.said = outcome.content.body
        except PeerError:
            if not self._left:
                self.on_event(self, HungUp(Ending.of(Cause.MEDIA)))
        else:
            if not self._left:
                # It may be that they hold whoever has picked up, or that it was an offer, and this is the answer.
                self.on_event(self, Confirmed(outcome.content))

    # --- what they want themselves

    def _receive(self, _leg: SipLeg, event: Event) -> None:
        if self._answered or isinstance(event, HungUp):
            self.on_event(self, event)
            return
        match event:
            case Updated():
                answer_locally(self, event)
            case Asked():
                event.reply(NOBODY)
            case Referred():
                event.reply(Outcome(491, "Request Pending"))
            case Confirmed():
                self._confirmed(event)
            case _:
                pass  # nothing of it concerns whoever is rung

    def _confirmed(self, event: Confirmed) -> None:
        # The answer to an offer of the exchange's own.
        if event.content is not None and event.content.is_session:
            with suppress(
                PeerError
            ):  # what cannot be read leaves the phone without music, and the call as it is
                self.media.expect(event.content.body)
                self.said = event.content.body

    # --- within the call: theirs is a leg like any other

    def update(self, event: Updated) -> None:
        self._leg.update(event)

    def confirm(self, event: Confirmed) -> None:
        self._leg.confirm(event)

    def withdraw(self) -> None:
        self._leg.withdraw()

    def ask(self, event: Asked) -> None:
        self._leg.ask(event)

    def hang_up(self, event: HungUp) -> None:
        self._stop_waiting()
        self._leg.hang_up(event)

    def leave(self) -> SipLeg:
        """They go on elsewhere: nothing that is said here reaches them any more."""
        self._stop_waiting()
        self._left = True
        self._leg.on_event = ignore
        return self._leg

    def come_back(self) -> None:
        """They are in this call again."""
        self._left = False
        self._leg.on_event = self._receive

    def _stop_waiting(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None


def answer_locally(leg: Leg, event: Updated) -> None:
    """There is nobody at the other end now: the exchange itself takes what the phone offers, or makes an offer."""
    try:
        if event.content is not None and not event.content.is_session:
            event.reply(NOBODY)
            return
        if event.content is None:
            own = own_offer()
        else:
            own = answer_to(event.content.body)
            leg.media.expect(event.content.body)
            leg.said = event.content.body
        event.reply(Outcome(200, "OK", Content("application/sdp", leg.media.describe(own))))
    except PeerError as refusal:
        event.reply(Outcome(refusal.status, refusal.reason))
