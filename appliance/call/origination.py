"""Calls that nobody has dialled: the exchange rings an extension, and when that answers calls somebody in its name.

RFC 3725 §4.4 (third party call control: who is asked first hears something of the controller's until the second answers).
"""

from __future__ import annotations

__all__ = ["Origination"]

from functools import partial
from typing import TYPE_CHECKING, Protocol

from appliance.call.cause import Cause, Ending
from appliance.call.events import Answered, Content, HungUp, Progress, Updated
from appliance.call.inbound import RefusedError
from appliance.call.negotiation import NOBODY
from appliance.call.record import record_refused
from appliance.call.ringing import Ringing
from appliance.call.sip_leg_outbound import OutboundLeg
from appliance.errors import PeerError
from appliance.media.answer import own_offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.call import Call
    from appliance.call.destination import Destination
    from appliance.call.events import Dialled, Event
    from appliance.call.leg_options import LegOptions
    from appliance.call.music import Music
    from appliance.call.record import CallRecord
    from appliance.call.router import Plan, Router
    from appliance.call.sip_leg import SipLeg
    from appliance.call.wire import Wire


class Originator(Protocol):
    """Whoever keeps the calls: the exchange."""

    wire: Wire
    wall: Callable[[], float]
    music: Music
    options: LegOptions
    router: Router

    def call_from(self, leg: SipLeg, dialled: Dialled, call_id: str = "") -> Call: ...
    def originated(self, origination: Origination, record: CallRecord | None) -> None: ...
    def changed(self) -> None: ...


class Origination:
    """Until the extension answers; from then on it is a call like others, with the same id."""

    def __init__(self, owner: Originator, call_id: str, asked: Dialled, dialled: Dialled) -> None:
        """`asked` is the call to the extension as its phones show it, `dialled` the one that it makes then."""
        self.id = call_id
        self.asked = asked
        self.dialled = dialled
        self.over = False
        self.started_at = owner.wall()
        "Seconds since 1970."
        self._owner = owner
        self._ringing = Ringing()

    @property
    def number(self) -> str:
        """The extension that is rung."""
        return self.asked.to_number

    @property
    def legs(self) -> list[OutboundLeg]:
        """Those that ring."""
        return self._ringing.legs

    def start(self, plan: Plan) -> None:
        """Ring the extension's phones. RefusedError when none of them can be."""
        failure = self._ringing.start(plan, partial(self._dial, plan))
        if failure is not None:
            raise RefusedError(failure.ending.cause)
        self._ringing.limit(self._owner.wire.timers, plan, self._nobody)

    def _dial(self, plan: Plan, target: Destination) -> OutboundLeg:
        # The answer must come in the 200: a caller who could acknowledge anything earlier is not there.
        leg = OutboundLeg(self._owner.wire, target, self.id, self._owner.options.without_reliable())
        leg.on_event = self._receive
        try:
            leg.dial(plan.dialled, Content("application/sdp", leg.media.describe(own_offer())))
        except Exception:
            leg.media.close()
            raise
        return leg

    def _receive(self, leg: OutboundLeg, event: Event) -> None:
        match event:
            case _ if self.over:
                pass
            case Answered():
                self._answered(leg, event)
            case HungUp():
                if (best := self._ringing.failed(leg, event)) is not None:
                    self._nobody(best)
            case Updated():
                event.reply(NOBODY)
            case Progress() if event.rings:
                self._owner.changed()  # for the lamps of whoever watches
            case _:
                pass  # how it sounds concerns nobody yet

    def _answered(self, leg: OutboundLeg, event: Answered) -> None:
        self._ringing.answered(leg)
        self.over = True
        self._owner.originated(self, None)
        try:
            if event.content is None:
                raise PeerError(488, "Not Acceptable Here")
            leg.media.expect(event.content.body)
            leg.said = event.content.body
            call = self._owner.call_from(leg, self.dialled, self.id)
        except PeerError:
            leg.hang_up(HungUp(Ending.of(Cause.MEDIA)))
            self._owner.originated(self, self._record(Ending.of(Cause.MEDIA)))
            return
        try:
            call.start(self._owner.router.route(call.dialled))
        except RefusedError as refused:
            call.end(HungUp(refused.ending), "system")

    def hang_up(self, cause: Cause) -> None:
        """Ring no more."""
        self._nobody(HungUp(Ending.of(cause)))

    def _nobody(self, event: HungUp) -> None:
        if self.over:
            return
        self.over = True
        for leg in self._ringing.stop():
            leg.hang_up(event)
        self._owner.originated(self, self._record(event.ending))

    def _record(self, ending: Ending) -> CallRecord:
        return record_refused(self.id, self.dialled, ending, self._owner.wall())
