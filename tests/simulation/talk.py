"""A call as one simulated phone sees it, from the answer on: it holds, refreshes, hangs up, or drops dead.

It has an endpoint of its own and RFC 3261's rules for an INVITE's user (§13, §14), so that what goes wrong under loss
goes wrong at the exchange. RFC 5407 for the races. A modern phone knows 100rel (RFC 3262), UPDATE (RFC 3311) and
session timers (RFC 4028). `caller.py` and `callee.py` are what comes before the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.clock import Timer
from appliance.errors import PeerError
from appliance.sip.dialog import (
    Acknowledged,
    Dialog,
    EndDialog,
    GiveUp,
    InviteState,
    InviteUsage,
    RetryInvite,
    SendAccepted,
    SendAck,
    StartTimer,
    StopTimer,
    UsageEffect,
)
from appliance.sip.endpoint import ClientEvent, ClientTransaction, ServerTransaction
from appliance.sip.message import Request, Response

if TYPE_CHECKING:
    from tests.simulation.attempt import Attempt
    from tests.simulation.phone import SimulatedPhone

__all__ = ["MODERN", "SDP", "SESSION", "Talk"]

SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 8\r\na={direction}\r\n"
)

MODERN = (
    ("Supported", "100rel, timer"),
    ("Session-Expires", "90;refresher=uac"),
    ("Allow", "INVITE, ACK, BYE, CANCEL, INFO, PRACK, UPDATE"),
)
SESSION = ("Content-Type", "application/sdp")


class Talk:
    """One call as one phone sees it."""

    is_caller = False

    def __init__(self, phone: SimulatedPhone, usage: InviteUsage, attempt: Attempt) -> None:
        self.phone, self.usage, self.attempt = phone, usage, attempt
        self.dialog: Dialog | None = None
        self.server: ServerTransaction | None = None
        self.client: ClientTransaction | None = None
        self.accepted: Response | None = None
        self.over = False
        self.stands = False
        self.invite_seq = 1
        self.timer: Timer | None = None
        self.bye_waits = False
        phone.talks.append(self)

    def live(self) -> None:
        """Decide what to do with this call."""
        chance, clock = self.phone.chance, self.phone.clock
        if chance.random() < 0.3:
            clock.after(chance.uniform(0.0, 10), self.hold)
        if self.phone.modern and self.is_caller:
            clock.after(45, self.refresh)
        if self.phone.modern and chance.random() < 0.3:
            clock.after(chance.uniform(0.0, 10), self.update)
        # Most calls are short. Some last for several refreshes, a few until the office closes.
        longest = chance.choices((30.0, 300.0, None), (80, 15, 5))[0]
        if longest is not None:
            clock.after(chance.uniform(0.0, longest), self.bye)

    # --- INVITE and its answer, first or within the dialog

    def final(self, status: int, *, settled: bool = False) -> None:
        """Answer the INVITE that waits. `settled`: its offer has its answer already."""
        if self.over or self.usage.state is not InviteState.RECEIVED or self.server is None:
            return
        if status >= 300:
            self.usage.reject()
            self.server.reply(status)
            return
        assert self.dialog is not None
        headers = [("Contact", self.phone.contact), *(MODERN if self.phone.modern else ())]
        effects = self.usage.accept(self.server.request.cseq.number)
        body = b"" if settled else self.phone.sdp()
        self.accepted = self.server.reply(200, headers=headers + ([] if settled else [SESSION]), body=body)
        self.dialog.confirm()
        self.run(effects)

    def receive_ack(self, ack: Request) -> None:
        self.run(self.usage.receive_ack(ack.cseq.number))

    def acknowledge(self, *, answer: bool) -> None:
        assert self.dialog is not None
        self.usage.receive_final(200, 0.0)
        headers, body = ([SESSION], self.phone.sdp()) if answer else ([], b"")
        ack = self.dialog.make_request("ACK", headers=headers, body=body, invite_seq=self.invite_seq)
        self.run(self.usage.acknowledge(ack))

    def hold(self) -> None:
        if self.over or self.dialog is None or not self.usage.may_invite:
            return
        self.usage.send_invite()
        request = self.dialog.make_request("INVITE", headers=[SESSION], body=self.phone.sdp("sendonly"))
        self.invite_seq = request.cseq.number
        self.client = self.phone.send(request, self.held)

    def held(self, event: ClientEvent) -> None:
        status = event.status if isinstance(event, Response) else 408
        if status < 200:
            return
        self.phone.results[f"re-INVITE {status}"] += 1
        if self.usage.state is InviteState.ENDED:
            self.acknowledge_late(event)
        elif isinstance(event, Response) and status < 300 and event.cseq.number != self.invite_seq:
            self.run(self.usage.receive_again(event.cseq.number))
        elif status < 300 and self.usage.state is InviteState.SENT:
            self.acknowledge(answer=False)
        else:
            # §14.1: whoever meets the other's re-INVITE tries again after a while.
            self.run(self.usage.receive_final(status, self.phone.chance.random(), retry=True))

    def acknowledge_late(self, event: ClientEvent) -> None:
        """§13.2.2.4: every 2xx gets its ACK, also when we have hung up before it came."""
        if isinstance(event, Response) and event.status < 300 and self.dialog is not None:
            self.phone.send_ack(self.dialog.make_request("ACK", invite_seq=event.cseq.number))

    # --- UPDATE

    def update(self, *fields: tuple[str, str], offer: bool = True) -> None:
        """Change the session by UPDATE, or with a Session-Expires but refresh it."""
        if self.over or self.dialog is None:
            return
        headers = [*fields, *([SESSION] if offer else [])]
        body = self.phone.sdp("sendonly") if offer else b""
        request = self.dialog.make_request("UPDATE", headers=headers, body=body)
        self.phone.send(request, self.updated)

    def refresh(self) -> None:
        if not self.over:
            self.update(*MODERN, offer=False)
            self.phone.clock.after(45, self.refresh)

    def updated(self, event: ClientEvent) -> None:
        if not isinstance(event, Response) or event.status in {408, 481}:
            self.bye()  # §12.2.1.2: nobody is there
        elif event.status >= 200:
            self.phone.results[f"UPDATE {event.status}"] += 1

    # --- what the other side wants

    def receive(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if self.dialog is None or (self.over and request.method != "BYE"):
            raise PeerError(481, "Call/Transaction Does Not Exist")
        self.dialog.receive_request(request)
        if request.method == "BYE":
            self.receive_bye(transaction)
        elif request.method == "INVITE":
            self.usage.receive_invite(self.phone.chance.random())
            self.server = transaction
            self.final(200 if self.phone.chance.random() < 0.9 else 488)
        elif request.method == "UPDATE" and request.body:
            transaction.reply(200, headers=[("Contact", self.phone.contact), SESSION], body=self.phone.sdp())
        else:
            transaction.reply(200)

    def receive_bye(self, transaction: ServerTransaction) -> None:
        transaction.reply(200)
        if self.over:
            self.phone.results["BYE crossed"] += 1
        if self.usage.state is InviteState.RECEIVED and self.server is not None:
            self.server.reply(487)
        self.end()

    # --- the end

    def put_down(self) -> None:
        """Have no more to do with it, whatever state it is in."""
        raise NotImplementedError

    def bye(self) -> None:
        if self.dialog is None or self.over:
            return
        if self.usage.state is InviteState.ACCEPTED:
            self.bye_waits = True  # §15: not before the ACK
            return
        self.over = True
        if self.client is not None and self.usage.state is InviteState.SENT:
            self.client.cancel()
        self.run(self.usage.end())
        self.phone.send(self.dialog.make_request("BYE"), self.bye_answered)

    def bye_answered(self, event: ClientEvent) -> None:
        if not isinstance(event, Response) or event.status >= 200:
            self.end()

    def run(self, effects: list[UsageEffect]) -> None:
        for effect in effects:
            match effect:
                case StartTimer(timer, delay):
                    self.timer = self.phone.clock.after(delay, lambda: self.run(self.usage.fired(timer)))
                case StopTimer() if self.timer is not None:
                    self.timer.cancel()
                case SendAccepted() if self.server is not None and self.accepted is not None:
                    self.server.respond(self.accepted)
                case SendAck(ack):
                    self.phone.send_ack(ack)
                case Acknowledged():
                    self.acknowledged()
                case RetryInvite():
                    self.hold()
                case GiveUp() | EndDialog():
                    self.bye()

    def acknowledged(self) -> None:
        if not self.stands:
            self.stand()
        if self.bye_waits:
            self.bye()

    def stand(self) -> None:
        """The call stands, as far as this phone knows."""
        self.stands = True
        self.attempt.stands(self)

    def end(self) -> None:
        self.over = True
        if self.client is not None and self.usage.state is InviteState.SENT:
            self.client.cancel()  # a re-INVITE that nobody will answer any more
        self.run(self.usage.end())
        if self.dialog is not None:
            self.phone.endpoint.remove_dialog(self.dialog.id)
