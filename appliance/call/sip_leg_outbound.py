"""A callee's leg: the client side of the INVITE to one registered phone.

RFC 3261 §9.1 (CANCEL), §12.1.2, §13.2 (UAC); §13.2.2.4 for several 2xx from one INVITE.
"""

from __future__ import annotations

__all__ = ["OutboundLeg"]

from typing import TYPE_CHECKING

from appliance.call.cause import Cause, Ending, ending_told_by_phone
from appliance.call.events import HungUp, Progress
from appliance.call.passing import ALLOW, content_of, passing, with_content, with_reason
from appliance.call.sip_leg import SipLeg
from appliance.errors import PeerError
from appliance.sip.dialog import Dialog, InviteUsage
from appliance.sip.message import Headers, NameAddr, Request, Response, Uri

if TYPE_CHECKING:
    from appliance.call.events import Baggage, Content, Dialled
    from appliance.call.wire import Wire
    from appliance.directory.bindings import Binding
    from appliance.sip.endpoint import ClientTransaction, Failed, ServerTransaction

# A phone has one, a proxy in its place a few; beyond that somebody is playing with us.
MAX_FORKS = 8


class OutboundLeg(SipLeg):
    """Rings one phone. Of several that a proxy there makes of it, the first to answer is the one."""

    __slots__ = ("_call_id", "_early", "_invite", "_invite_client", "_strays", "_target")

    def __init__(self, wire: Wire, target: Binding, call_id: str) -> None:
        """A leg of the call `call_id`. PeerError 503 when no port is left."""
        media = wire.open_media(target.flow)
        super().__init__(wire, target.flow, target.number, media, InviteUsage.sent())
        self._target = target
        # Whoever looks for the messages of the call finds this leg's by it.
        self._call_id = f"{call_id}.{wire.token()}"
        self._early: dict[str, Dialog] = {}
        self._strays: dict[str, Request] = {}
        self._invite: Request | None = None
        self._invite_client: ClientTransaction | None = None

    def dial(self, dialled: Dialled, content: Content | None) -> None:
        """Send the INVITE, with `content` retold for this phone."""
        self._send_offer(content)
        headers = with_content(self._headers(dialled), content)
        body = content.body if content else b""
        self._invite = Request("INVITE", str(self._target.contact), Headers(headers), body)
        self._invite_seq = 1
        self._invite_client = self._wire.endpoint.send_request(self._invite, self.flow, self._invite_event)

    def _headers(self, dialled: Dialled) -> list[tuple[str, str]]:
        host = self.flow.local[0]
        caller = NameAddr(dialled.from_name, Uri.sip(dialled.from_number, host)).text
        # RFC 3327 §5.3: the way that the phone's REGISTER came, back.
        route = [("Route", self._target.path)] if self._target.path else []
        return [
            *route,
            ("Max-Forwards", str(dialled.hops_left)),
            ("From", f"{caller};tag={self._wire.token()}"),
            ("To", f"<{Uri.sip(self.number, host)}>"),
            ("Call-ID", self._call_id),
            ("CSeq", "1 INVITE"),
            ("Contact", self._wire.endpoint.contact(self.flow, dialled.from_number)),
            ("Allow", ALLOW),
            *dialled.baggage,
        ]

    @property
    def _answered_once(self) -> bool:
        return self.dialog is not None and self.dialog.confirmed

    def receive(self, transaction: ServerTransaction) -> None:
        if self._early:
            tag = transaction.request.from_.tag or ""
            self.dialog = self._early.get(tag, self.dialog)
        super().receive(transaction)

    # --- what the phone answers

    def _invite_event(self, event: Response | Failed) -> None:
        try:
            self._take(event)
        except PeerError:
            # What makes a dialog cannot be read: the phone will miss an ACK or a BYE and give up by itself.
            if not self.over:
                failed = HungUp(Ending.of(Cause.FAILED))
                self.hang_up(failed)
                self.on_event(self, failed)

    def _take(self, event: Response | Failed) -> None:
        if not isinstance(event, Response):
            self._failed(HungUp(Ending.of(Cause.UNREACHABLE)))
        elif event.status < 200:
            if event.status > 100 and not self.over and not self._answered_once:
                self._provisional(event)
        elif event.status < 300:
            self._success(event)
        else:
            self._failed(HungUp(ending_told_by_phone(event.status, event.reason), passing(event)))

    def _provisional(self, response: Response) -> None:
        tag = response.to.tag
        if tag and tag not in self._early and len(self._early) < MAX_FORKS and self._invite is not None:
            # §12.1.2: a provisional response with a tag makes an early dialog; each tag makes one.
            self.dialog = self._early[tag] = Dialog.of_uac(self._invite, response)
            self._wire.endpoint.add_dialog(self.dialog.id, self)
        progress = Progress(response.status, response.reason, content_of(response), passing(response))
        self.on_event(self, progress)

    def _success(self, response: Response) -> None:
        tag = response.to.tag or ""
        if not self.over and not self._answered_once:
            self._choose(tag, response)
            self.on_event(self, self._answered(response))
        elif self.dialog is None or tag != self.dialog.remote_tag or not self._answered_once:
            self._turn_away(tag, response)
        elif response.cseq.number == self._invite_seq:
            self._run(self.usage.receive_final(response.status, 0.0))

    def _choose(self, tag: str, response: Response) -> None:
        assert self._invite is not None
        dialog = self._early.pop(tag, None) or Dialog.of_uac(self._invite, response)
        self._drop_early()
        self._invite_client = None
        dialog.confirm(response)
        self.dialog = dialog
        self._wire.endpoint.add_dialog(dialog.id, self)

    def _turn_away(self, tag: str, response: Response) -> None:
        # §13.2.2.4: a 2xx that comes too late, or from another branch, is acknowledged and ended by a BYE.
        assert self._invite is not None
        known = self._strays.get(tag)
        if known is not None:
            self._wire.endpoint.send_ack(known, self.flow)
        elif len(self._strays) < MAX_FORKS:
            dialog = Dialog.of_uac(self._invite, response)
            ack = self._strays[tag] = dialog.make_request("ACK", invite_seq=1)
            self._wire.endpoint.send_ack(ack, self.flow)
            self._wire.endpoint.send_request(dialog.make_request("BYE"), self.flow, _nobody_cares)

    def _failed(self, event: HungUp) -> None:
        if not self.over and not self._answered_once:
            self._finish()
            self._invite_client = None
            self.on_event(self, event)

    # --- the end

    def hang_up(self, event: HungUp) -> None:
        if self.over or self._answered_once:
            super().hang_up(event)
            return
        self._finish()
        self._cancel(with_reason(event))

    def _cancel(self, headers: Baggage) -> None:
        client, self._invite_client = self._invite_client, None
        if client is not None:
            client.cancel(headers)

    def _receive_bye(self, transaction: ServerTransaction) -> None:
        unanswered = not self._answered_once and not self.over
        super()._receive_bye(transaction)
        if unanswered:
            # §15: no callee may end an early dialog by BYE. Some do; then the INVITE must not stay open.
            self._cancel(())

    def _finish(self) -> None:
        self._drop_early()
        super()._finish()

    def _drop_early(self) -> None:
        for dialog in self._early.values():
            self._wire.endpoint.remove_dialog(dialog.id)
        self._early.clear()


def _nobody_cares(_event: Response | Failed) -> None:
    """What becomes of a BYE to a phone that was never in the call."""
