"""The session of one leg, whose dialog carries more than the call: transfers, and what the peer subscribes to.

RFC 3515 (REFER); RFC 6665 §4.5.2 and RFC 5057 (several usages of one dialog). What becomes of a transfer is for the call
to say, what is told of it for `sip/referrals`, and all other subscriptions are for `sip/subscriptions`.
"""

from __future__ import annotations

__all__ = ["SharedSession"]

from typing import TYPE_CHECKING

from appliance.call.events import Referred
from appliance.call.inbound import dialled_number
from appliance.call.passing import replying
from appliance.call.sip_timed import TimedSession
from appliance.errors import LocalError, PeerError
from appliance.sip.dialog.refer import ReferRequest
from appliance.sip.dialog.replacing import DialogStage
from appliance.sip.inspection import SCHEMES
from appliance.sip.message import Event
from appliance.sip.referrals import Referrals

if TYPE_CHECKING:
    from appliance.call.events import Transfer
    from appliance.call.leg_options import LegOptions
    from appliance.call.wire import Wire
    from appliance.media.leg import LegMedia
    from appliance.sip.dialog import InviteUsage
    from appliance.sip.endpoint import ServerTransaction
    from appliance.sip.message import ReferTo, Request
    from appliance.sip.transport.flow import Flow


class SharedSession(TimedSession):
    """A session in a dialog that it shares."""

    __slots__ = ("_referrals",)

    def __init__(
        self, wire: Wire, flow: Flow, number: str, media: LegMedia, usage: InviteUsage, options: LegOptions
    ) -> None:
        super().__init__(wire, flow, number, media, usage, options)
        self._referrals: Referrals | None = None

    @property
    def stage(self) -> DialogStage:
        """How far it has come: whether another leg may take its place."""
        if self.over or self.dialog is None:
            return DialogStage.ENDED
        return DialogStage.CONFIRMED if self.dialog.confirmed else DialogStage.EARLY

    @property
    def initiated(self) -> bool:
        """Whether its INVITE was ours."""
        raise NotImplementedError

    @property
    def referrals(self) -> Referrals:
        """The transfers in this dialog, those that we ask the peer for too. LocalError before there is one."""
        if self.dialog is None:
            raise LocalError("a transfer without a dialog")
        if self._referrals is None:
            self._referrals = Referrals(self._wire.endpoint, self.dialog, self.flow)
        self._referrals.flow = self.flow
        return self._referrals

    def _receive_other(self, transaction: ServerTransaction) -> None:
        """A request that is not about the session itself. PeerError says how to refuse it."""
        match transaction.request.method:
            case "REFER":
                self._receive_refer(transaction)
            case "SUBSCRIBE":
                self._receive_subscribe(transaction)
            case "NOTIFY":
                self._receive_of_transfers(transaction)
            case _:
                raise PeerError(405, "Method Not Allowed", self.options.fields[:1])

    def _receive_refer(self, transaction: ServerTransaction) -> None:
        request = ReferRequest.of_request(transaction.request)
        _check_target(request.refer_to)
        if self.stage is not DialogStage.CONFIRMED:
            raise PeerError(603, "Decline")  # before the answer there is nobody to put through

        def accept() -> Transfer:
            if self.over:
                raise PeerError(481, "Call/Transaction Does Not Exist")
            return self.referrals.take(transaction, request)

        target = str(request.refer_to.target)
        self.on_event(
            self,
            Referred(
                target=target,
                to_number=dialled_number(target),
                replaces=request.refer_to.replaces,
                referred_by=request.referred_by,
                accept=accept,
                reply=replying(transaction),
            ),
        )

    def _receive_subscribe(self, transaction: ServerTransaction) -> None:
        event = Event.parse(transaction.request.headers.get("Event") or "")
        if event.package == "refer":
            self._receive_of_transfers(transaction)
        elif self._wire.notifier is None or self.dialog is None:
            raise PeerError(489, "Bad Event")
        else:
            self._wire.notifier.receive_within(transaction, self.dialog)

    def _receive_of_transfers(self, transaction: ServerTransaction) -> None:
        if self._referrals is None:
            raise PeerError(481, "Subscription Does Not Exist")
        self._referrals.receive(transaction)

    def _outlives(self, request: Request) -> bool:
        """Whether a request means something still when the call is over."""
        return request.method == "BYE" or (
            request.method in {"SUBSCRIBE", "NOTIFY"} and self._referrals is not None
        )

    def _finish(self) -> None:
        super()._finish()
        # RFC 5057 §4.1: the BYE ends the INVITE's usage of the dialog, and no other.
        if self._referrals is not None:
            self._referrals.outlive()
        if self._wire.notifier is not None and self.dialog is not None:
            self._wire.notifier.leave(self.dialog)


def _check_target(refer_to: ReferTo) -> None:
    """PeerError for what cannot be called."""
    if refer_to.target.scheme not in SCHEMES:
        raise PeerError(416, "Unsupported URI Scheme")
    if refer_to.method != "INVITE":
        raise PeerError(501, "Not Implemented")
