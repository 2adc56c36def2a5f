"""The callee's side of a simulated call, up to the answer: it rings, perhaps reliably, and does as its mood is.

RFC 3261 §9.2, §13.3; RFC 3262 §3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.clock import Timer
from appliance.sip.dialog import (
    Dialog,
    GiveUpWaiting,
    InviteState,
    InviteUsage,
    RAck,
    ReliableEffect,
    ReliableServer,
    Send,
    SendAgain,
    StopWaiting,
    Wait,
)
from appliance.sip.endpoint import ServerTransaction
from appliance.sip.message import Response
from tests.simulation.talk import MODERN, SESSION, Talk

if TYPE_CHECKING:
    from tests.simulation.attempt import Attempt
    from tests.simulation.phone import SimulatedPhone

__all__ = ["Callee"]


class Callee(Talk):
    """A call that has come to this phone."""

    def __init__(self, phone: SimulatedPhone, attempt: Attempt) -> None:
        super().__init__(phone, InviteUsage.received(), attempt)
        self.told: ReliableServer[bytes] | None = None
        self.provisional: Response | None = None
        self.telling: Timer | None = None
        self.final_waits = 0

    def ring(self, transaction: ServerTransaction) -> None:
        phone = self.phone
        self.server = transaction
        self.dialog = Dialog.of_uas(transaction.request, transaction.tag, phone.contact)
        phone.endpoint.add_dialog(self.dialog.id, self)
        transaction.on_cancel = lambda _cancel: self.decide(487)
        # RFC 6026 §8.8: the transaction stays until it has a final response, heard or not.
        transaction.on_failed = lambda: self.decide(500)
        if phone.modern and transaction.request.body and phone.chance.random() < 0.6:
            self.told = ReliableServer(transaction.request.cseq, phone.chance.randint(1, 2**31 - 1))
            self.tell(self.told.send(phone.sdp(), session=True))
        elif phone.chance.random() < 0.8:
            transaction.reply(180, headers=[("Contact", phone.contact)])
        mood = self.attempt.moods[phone.address]
        phone.clock.after(mood.delay, lambda: self.decide(mood.status or 480))

    def decide(self, status: int) -> None:
        """Answer the INVITE, as soon as that may be."""
        if self.over or self.usage.state is not InviteState.RECEIVED or self.confirmed:
            return
        if self.told is not None:
            self.tell(self.told.finish())
            if status < 300 and self.told.holds_success:
                self.final_waits = status
                return
        self.final(status, settled=self.told is not None)
        if status >= 300:
            self.end()

    @property
    def confirmed(self) -> bool:
        return self.dialog is not None and self.dialog.confirmed

    def tell(self, effects: list[ReliableEffect[bytes]]) -> None:
        assert self.server is not None
        for effect in effects:
            if self.telling is not None and not isinstance(effect, Send | SendAgain):
                self.telling.cancel()
            match effect:
                case Send(rseq, body):
                    fields = [("Contact", self.phone.contact), *MODERN[2:], SESSION]
                    fields += [("Require", "100rel"), ("RSeq", str(rseq))]
                    self.provisional = self.server.reply(183, headers=fields, body=body)
                    self.phone.results["told reliably"] += 1
                case SendAgain():
                    if self.provisional is not None and not self.server.answered:
                        self.server.respond(self.provisional)
                case Wait(delay):
                    self.telling = self.phone.clock.after(delay, self.tell_again)
                case StopWaiting():
                    pass
                case GiveUpWaiting():
                    self.decide(504)

    def tell_again(self) -> None:
        if self.told is not None and not self.over and self.usage.state is InviteState.RECEIVED:
            self.tell(self.told.fired())

    def receive(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if request.method != "PRACK" or self.told is None or self.dialog is None:
            super().receive(transaction)
            return
        self.dialog.receive_request(request)
        effects = self.told.receive_prack(RAck.of(request))
        transaction.reply(200)
        self.tell(effects)
        if self.final_waits:
            self.decide(self.final_waits)

    def put_down(self) -> None:
        self.bye() if self.confirmed else self.decide(480)

    def end(self) -> None:
        if self.telling is not None:
            self.telling.cancel()
        super().end()
