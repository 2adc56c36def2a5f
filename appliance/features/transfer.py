"""Transfer: an extension puts whom it talks to through to somebody else.

RFC 3515 and RFC 5589 (REFER; blind, attended), RFC 3891 (Replaces), RFC 3892 (Referred-By), RFC 5359 §2.4, §2.5. It goes by the
rights of whoever transfers. Nobody outside can transfer our calls: that would be at our expense.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from appliance.call.connected_caller import ConnectedCaller
from appliance.call.purpose import Purpose
from appliance.errors import PeerError
from appliance.features.feature import Feature
from appliance.features.recall import GONE_ON, recall
from appliance.sip.message import Uri

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.events import Dialled, HungUp, Progress, Referred
    from appliance.call.events import Transfer as Report
    from appliance.call.leg import Leg
    from appliance.call.sip_leg import SipLeg
    from appliance.call.transfers import Replacing
    from appliance.features.house import House

__all__ = ["Transfer"]

logger = logging.getLogger(__name__)


class Transfer(Feature):
    """Whoever transfers hears how it goes, and has the call back when it fails; who has hung up by then is called back."""

    name = "transfer"

    def follow(self) -> None:
        self.house.exchange.serve_transfers(self.refer, self.replace)

    def refer(self, call: Call, leg: SipLeg, event: Referred) -> bool:
        """A phone sends REFER. False declines it; PeerError."""
        other = call.other(leg)
        if other is None or leg.way or not _may_be_transferred(call):
            return False
        if call.answered_at is None:
            raise PeerError(491, "Request Pending")  # the two are being joined only now
        if event.replaces is not None:
            self._attended(call, leg, other, event)
        else:
            self._blind(call, leg, other, event)
        return True

    # --- to somebody who is called for it

    def _blind(self, call: Call, leg: SipLeg, other: Leg, event: Referred) -> None:
        dialled = self._dialled(call, leg, other, event.to_number)
        plan = self.house.exchange.router.route(dialled)
        if not plan.emergency:
            self.house.exchange.check_room()
        report = event.accept()
        gone = call.hand_over(other)
        try:
            further = self.house.exchange.call_from(gone, dialled)
        except PeerError as refusal:
            report.progress(refusal.status, refusal.reason)
            call.take_back()
            return
        further.purpose = _Blind(self.house, call, leg, report)
        self.house.playback.start(gone.media)
        further.start(plan)

    def _dialled(self, call: Call, leg: SipLeg, other: Leg, number: str) -> Dialled:
        referred_by = f"<{Uri.sip(leg.number, leg.flow.local[0])}>"
        return self.house.further(
            call,
            other.sip,
            number,
            payer=self.house.rights_of(leg.number),
            baggage=(("Referred-By", referred_by),),
        )

    # --- to somebody who is asked first

    def _attended(self, call: Call, leg: SipLeg, other: Leg, event: Referred) -> None:
        assert event.replaces is not None
        second, asked_by = self.house.exchange.transfers.find(event.replaces, initiated_only=False)
        if asked_by.number != leg.number or asked_by.way or second is call or not _may_be_transferred(second):
            raise PeerError(403, "Forbidden")
        third = second.other(asked_by)
        if third is not None and second.answered_at is None:
            raise PeerError(491, "Request Pending")
        if third is not None:
            self._join(call, leg, other, second, third, event)
        elif second.caller.sip is asked_by and second.calling.ringing.legs:
            self._hand_to_ringing(call, leg, other, second, event)
        else:
            raise PeerError(481, "Call/Transaction Does Not Exist")

    def _join(self, call: Call, leg: SipLeg, other: Leg, second: Call, third: Leg, event: Referred) -> None:
        report = event.accept()
        dialled = self._dialled(call, leg, other, third.number)
        gone, to = call.hand_over(other), second.hand_over(third)
        try:
            further = self.house.exchange.call_from(gone, dialled)
        except PeerError as refusal:
            report.progress(refusal.status, refusal.reason)
            _take_back(call, gone)
            _take_back(second, to)
            return
        further.purpose = _Attended(call, second, report)
        further.connect(to)

    def _hand_to_ringing(self, call: Call, leg: SipLeg, other: Leg, second: Call, event: Referred) -> None:
        """Whoever transfers does not wait for the answer: the other one does, in their place."""
        report = event.accept()
        gone = call.hand_over(other)
        waiting = ConnectedCaller(gone, self.house.timers, self.house.playback)
        try:
            self.house.playback.start(gone.media)
            second.replace_caller(waiting)
        except PeerError as refusal:
            report.progress(refusal.status, refusal.reason)
            self.house.playback.stop(gone.media)
            call.take_back()
            return
        report.progress(200)
        if second.purpose is not None:
            second.purpose.replaced(second)
        second.purpose = _Blind(self.house, call, leg, report, told=True)
        call.end(GONE_ON, "system")

    # --- a phone takes another's place

    def replace(self, call: Call, leg: SipLeg, replacing: Replacing) -> bool:
        """An INVITE with Replaces. Whoever rings can be picked up by any extension; a talk is its own phones' alone."""
        if replacing.dialled.way_in:
            return False
        if leg in call.calling.ringing.legs:
            call.joining.check(replacing.dialled)
            call.pick_up(replacing.join(), replacing.dialled)
            return True
        other = call.other(leg)
        if other is None or call.answered_at is None:
            return False
        if leg.number != replacing.dialled.from_number:
            raise PeerError(403, "Forbidden")
        joining = replacing.join()
        further = self.house.exchange.call_by(joining, replacing.dialled)
        further.purpose = _Replacing(call)
        further.connect(call.hand_over(other))
        return True


def _may_be_transferred(call: Call) -> bool:
    return call.purpose is None or call.purpose.allows_transfer


def _take_back(call: Call, leg: SipLeg) -> None:
    """Somebody who went on elsewhere in vain is in their call again; when that is over they are hung up on."""
    if call.over:
        leg.hang_up(GONE_ON)
    else:
        call.take_back()


class _Blind(Purpose):
    """A further call, made for somebody who was put through to it."""

    def __init__(self, house: House, call: Call, leg: SipLeg, report: Report, *, told: bool = False) -> None:
        """`told`: whether whoever transferred has heard the last word already."""
        self._house = house
        self._call = call
        self._leg = leg
        self._report = report
        self._told = told

    def rings(self, call: Call, event: Progress) -> None:
        if not self._told:
            self._report.progress(event.status, event.text)

    def answered(self, call: Call) -> None:
        self._tell(200)
        self._call.end(GONE_ON, "system")

    def replaced(self, call: Call) -> None:
        # Whoever has put the former caller through has nothing to do with it any more.
        self.answered(call)

    def failed(self, call: Call, event: HungUp) -> None:
        self._tell(event.ending.status, event.ending.text)
        gone = call.hand_over(call.caller)
        if not self._call.over:
            self._call.take_back()
        elif not gone.over:
            recall(self._house, call, gone, self._leg.number)

    def ended(self, call: Call, event: HungUp) -> None:
        self._tell(event.ending.status, event.ending.text)
        if not self._call.over and self._call.is_left:
            self._call.end(GONE_ON, "system")

    def _tell(self, status: int, text: str | None = None) -> None:
        if not self._told:
            self._told = True
            self._report.progress(status, text)


class _Attended(Purpose):
    """The call of the two who are left when whoever asked first has put them through."""

    def __init__(self, call: Call, second: Call, report: Report) -> None:
        self._calls = call, second
        self._report = report
        self._over = False

    def answered(self, call: Call) -> None:
        self._over = True
        self._report.progress(200)
        for each in self._calls:
            each.end(GONE_ON, "system")

    def failed(self, call: Call, event: HungUp) -> None:
        self._over = True
        self._report.progress(event.ending.status, event.ending.text)
        gone = [call.hand_over(each) for each in call.parties()]
        for joined, leg in zip(self._calls, gone, strict=True):
            _take_back(joined, leg)

    def ended(self, call: Call, event: HungUp) -> None:
        # One of the two has hung up before they were joined.
        if not self._over:
            self._over = True
            self._report.progress(event.ending.status, event.ending.text)
            for each in self._calls:
                each.end(GONE_ON, "system")


class _Replacing(Purpose):
    """The call of a phone that has taken another's place."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def answered(self, call: Call) -> None:
        self._call.end(GONE_ON, "system")

    def failed(self, call: Call, event: HungUp) -> None:
        if call.callee is not None:
            _take_back(self._call, call.hand_over(call.callee))

    def ended(self, call: Call, event: HungUp) -> None:
        if self._call.is_left:
            self._call.end(GONE_ON, "system")
