"""Who comes into a call without being rung: somebody who talks already, or somebody whose own INVITE takes the call.

RFC 5359 §2.5, §2.15 (put through, taken up), §2.16 (picked up); RFC 3264 §5 (an answer that comes in the ACK).
"""

from __future__ import annotations

__all__ = ["Joining"]

from functools import partial
from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending
from appliance.call.connected_caller import GLARE_SECONDS, MAX_TRIES
from appliance.call.events import Answered, Content, HungUp, Outcome, Updated
from appliance.call.negotiation import retell, take
from appliance.errors import PeerError
from appliance.media.answer import common_part
from appliance.media.sdp import parse_sdp

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.events import Confirmed, Dialled
    from appliance.call.leg import CallerLeg, Leg
    from appliance.call.owner import Owner
    from appliance.call.sip_leg import SipLeg
    from appliance.call.sip_leg_inbound import InboundLeg


class Joining:
    """Of one call."""

    __slots__ = ("_call", "_owner", "_waits")

    def __init__(self, call: Call, owner: Owner) -> None:
        self._call = call
        self._owner = owner
        # Who gets an answer to their offer when the other one's ACK has brought it.
        self._waits: CallerLeg | None = None

    # --- somebody who talks already

    def connect(self, leg: SipLeg) -> None:
        """`leg`, which is of no call any more, is asked by a re-INVITE to talk to the caller. PeerError."""
        self._call.expect_offer()
        leg.on_event = self._call.receive
        self._call.calling.trying.settle(self._call, leg)
        self._ask(leg, 1)

    def _ask(self, leg: SipLeg, tries: int) -> None:
        offer = retell(self._call.dialled.content, leg)
        leg.update(Updated(offer, (), partial(self._asked, leg, tries), full=True))

    def _asked(self, leg: SipLeg, tries: int, outcome: Outcome) -> None:
        call = self._call
        if call.over or call.callee is not leg:
            return
        if outcome.status == 491 and tries < MAX_TRIES:
            again = partial(call.safely, partial(self._ask, leg, tries + 1))
            self._owner.wire.timers.after(GLARE_SECONDS, lambda: None if call.over else again())
        elif outcome.status >= 300 or outcome.content is None:
            call.give_up(HungUp(Ending.of(Cause.MEDIA)), "system")
        else:
            call.safely(partial(self._joined, leg, outcome.content))

    def _joined(self, leg: SipLeg, content: Content) -> None:
        call = self._call
        call.answered(leg, Answered(take(content, leg, call.caller), ()))
        if not call.over:
            call.negotiation.play(leg, call.caller)  # they may hold whom they are put together with

    # --- somebody who picks up

    def check(self, dialled: Dialled) -> None:
        """PeerError 488 unless whoever has dialled this can take the call as far as sound goes; 481 when it does not ring."""
        if not self._call.calling.ringing.legs:
            raise PeerError(481, "Call/Transaction Does Not Exist")
        theirs, callers = _session(dialled.content), _session(self._call.dialled.content)
        if theirs is None and callers is None:
            raise PeerError(488, "Not Acceptable Here")
        if theirs is not None and callers is not None:
            common_part(callers.body, theirs.body)
        elif theirs is not None:
            parse_sdp(theirs.body)  # what nobody can read is refused while it rings still

    def pick_up(self, leg: InboundLeg, dialled: Dialled) -> None:
        """As `Call.pick_up`."""
        self.check(dialled)
        call = self._call
        theirs, callers = _session(dialled.content), _session(call.dialled.content)
        call.calling.stop(Cause.ELSEWHERE)
        call.callee = leg
        leg.on_event = call.receive
        call.calling.trying.settle(call, leg)
        if theirs is not None:
            leg.media.expect(theirs.body)
            leg.said = theirs.body
        if theirs is None:
            self._waits = call.caller
            leg.answer(Answered(retell(callers, leg), ()))
        elif callers is None:
            self._waits = leg
            call.answered(leg, Answered(retell(theirs, call.caller), ()))
        else:
            to_caller, to_them = (
                common_part(callers.body, theirs.body),
                common_part(theirs.body, callers.body),
            )
            leg.answer(Answered(Content(callers.kind, leg.media.describe(to_them)), ()))
            call.answered(leg, Answered(Content(theirs.kind, call.caller.media.describe(to_caller)), ()))

    def confirmed(self, leg: Leg, event: Confirmed) -> bool:
        """`leg` knows of the answer that it got. Whether that concerned somebody who picks up, or is picked up."""
        waits, call = self._waits, self._call
        if waits is None or waits is leg or call.callee is None:
            return False
        self._waits = None
        if event.content is None:
            # RFC 3264 §4: an offer that gets no answer makes no session.
            call.end(HungUp(Ending.of(Cause.MEDIA)), "system")
            return True
        answer = Answered(take(event.content, leg, waits), ())
        if waits is call.caller:
            call.answered(call.callee, answer)
        else:
            waits.answer(answer)
        return True


def _session(content: Content | None) -> Content | None:
    return content if content is not None and content.is_session else None
