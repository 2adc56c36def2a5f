"""Transfers as phones ask for them: to be put through to somebody, and to take somebody's place in a call.

RFC 3515 §2.4.2 (declining a REFER); RFC 3891 §3 (which leg an INVITE with Replaces means). Nothing here carries one out:
a feature does, which says so by `Exchange.serve_transfers`. Until then they are declined.
"""

from __future__ import annotations

__all__ = ["Referee", "Replacer", "Replacing", "Transfers"]

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from appliance.call.cause import Cause
from appliance.call.events import Outcome
from appliance.call.inbound import RefusedError
from appliance.call.sip_leg import SipLeg
from appliance.errors import PeerError
from appliance.sip.dialog.replacing import find_replaced
from appliance.sip.message import Replaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.call.call import Call
    from appliance.call.events import Dialled, Referred
    from appliance.call.sip_leg_inbound import InboundLeg
    from appliance.sip.dialog import DialogId
    from appliance.sip.endpoint import Endpoint
    from appliance.sip.message import Request


@dataclass(frozen=True, slots=True)
class Replacing:
    """Somebody wants to be in a call in the place of one of its legs."""

    dialled: Dialled
    "Who, as they have proved to be, and what they offer. §3: whether they may is for whoever takes it to say."
    join: Callable[[], InboundLeg]
    "Makes their leg, which waits for its `answer` then. PeerError."


Referee = Callable[["Call", SipLeg, "Referred"], bool]
"""Gets what a leg of a call asks for, and says whether it takes it; then it calls the event's `accept` or `reply`, now
or later. A PeerError refuses it."""
Replacer = Callable[["Call", SipLeg, Replacing], bool]
"Gets the leg to be replaced, and says whether it takes it. A PeerError refuses it."


class Transfers:
    """Gives them to whoever takes them."""

    def __init__(self, endpoint: Endpoint, calls: Callable[[], Iterable[Call]]) -> None:
        self.referee: Referee = _nobody
        self.replacer: Replacer = _nobody
        self._endpoint = endpoint
        self._calls = calls

    def refer(self, call: Call, leg: SipLeg, event: Referred) -> None:
        """The phone of `leg` asks for a transfer."""
        try:
            taken = self.referee(call, leg, event)
        except PeerError as refusal:
            event.reply(Outcome(refusal.status, refusal.reason, None, refusal.headers))
            return
        if not taken:
            # §2.4.2: this declines the transfer alone; the call goes on.
            event.reply(Outcome(603, "Decline"))

    def replace(self, request: Request, replacing: Replacing) -> None:
        """An INVITE with Replaces. PeerError 481, 486 or 603 when there is nothing to replace, or nobody who does it."""
        replaces = Replaces.of_request(request)
        if replaces is None or not self.replacer(*self.find(replaces), replacing):
            raise RefusedError(Cause.REFUSED)

    def find(self, replaces: Replaces, *, initiated_only: bool = True) -> tuple[Call, SipLeg]:
        """The leg that goes by this name at its phone, and its call. PeerError, and the rules, as of `find_replaced`."""
        find = partial(find_replaced, lookup=self._leg_of, initiated_only=initiated_only)
        try:
            leg = find(replaces)
        except PeerError as refusal:
            if refusal.status != 481:
                raise
            # RFC 4235 §4.1.2: who watches the phone knows the dialog as that one has it, with the tags the other way round.
            leg = find(replaces.mirrored)
        for call in self._calls():
            if leg in call.legs:
                return call, leg
        raise PeerError(481, "Call/Transaction Does Not Exist")

    def _leg_of(self, dialog_id: DialogId) -> SipLeg | None:
        user = self._endpoint.dialog_user(dialog_id)
        return user if isinstance(user, SipLeg) else None


def _nobody(*_: object) -> bool:
    return False
