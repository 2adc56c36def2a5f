"""One call as a simulated phone sees it: it answers or not, hangs up, gives up, holds, or drops dead.

It has an endpoint of its own and RFC 3261's rules for an INVITE's user (§13), so that what goes wrong under
loss goes wrong at the exchange. RFC 5407 for the races. A modern phone knows 100rel (RFC 3262), UPDATE (RFC 3311)
and session timers (RFC 4028).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from appliance.clock import Timer
from appliance.sip.dialog import (
    Acknowledged,
    Dialog,
    GiveUp,
    GiveUpWaiting,
    InviteState,
    InviteUsage,
    RAck,
    ReliableClient,
    ReliableEffect,
    ReliableServer,
    Send,
    SendAccepted,
    SendAck,
    SendAgain,
    StartTimer,
    StopTimer,
    StopWaiting,
    UsageEffect,
    Wait,
    rseq_of,
)
from appliance.sip.endpoint import ClientEvent, ClientTransaction, ServerTransaction
from appliance.sip.message import Headers, Request, Response

if TYPE_CHECKING:
    from tests.simulation.phone import SimulatedPhone

__all__ = ["SDP", "Talk"]

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

    def __init__(self, phone: SimulatedPhone, usage: InviteUsage) -> None:
        self.phone, self.usage = phone, usage
        self.dialog: Dialog | None = None
        self.server: ServerTransaction | None = None
        self.client: ClientTransaction | None = None
        self.accepted: Response | None = None
        self.over = False
        self.invite_seq = 1
        self.timer: Timer | None = None
        self.bye_waits = False
        self.early: Dialog | None = None  # the caller's, for its PRACK
        self.heard = ReliableClient()
        self.told: ReliableServer[bytes] | None = None  # the callee's reliable responses
        self.provisional: Response | None = None
        self.telling: Timer | None = None
        self.final_waits = 0

    # --- as the callee

    def ring(self, transaction: ServerTransaction) -> None:
        phone = self.phone
        self.server = transaction
        self.dialog = Dialog.of_uas(transaction.request, transaction.tag, phone.contact)
        phone.endpoint.add_dialog(self.dialog.id, self)
        transaction.on_cancel = lambda _cancel: self.final(487)
        transaction.on_failed = self.end
        if phone.modern and transaction.request.body and phone.chance.random() < 0.6:
            self.told = ReliableServer(transaction.request.cseq, phone.chance.randint(1, 2**31 - 1))
            self.tell(self.told.send(phone.sdp(), session=True))
        elif phone.chance.random() < 0.8:
            transaction.reply(180, headers=[("Contact", phone.contact)])
        status = phone.chance.choices((200, 486, 603, 480, 0), (70, 10, 5, 5, 10))[0]
        if status:
            phone.clock.after(phone.chance.uniform(0.0, 15.0), lambda: self.final(status))
        else:
            # Nobody is there. The CANCEL may never come: whoever calls cannot send it before it hears of a 100.
            phone.clock.after(100.0, lambda: self.final(480))

    def final(self, status: int) -> None:
        if self.over or self.usage.state is not InviteState.RECEIVED or self.server is None:
            return
        headers = [("Contact", self.phone.contact), *(MODERN if self.phone.modern else ())]
        assert self.dialog is not None
        settled = self.told is not None and not self.dialog.confirmed
        if self.told is not None and settled:
            self.tell(self.told.finish())
            if status < 300 and self.told.holds_success:
                self.final_waits = status
                return
        if status >= 300:
            self.usage.reject()
            self.server.reply(status)
            if self.dialog is not None and not self.dialog.confirmed:
                self.end()
            return
        if not settled:
            headers.append(SESSION)
        effects = self.usage.accept()
        self.accepted = self.server.reply(200, headers=headers, body=b"" if settled else self.phone.sdp())
        self.dialog.confirm()
        self.run(effects)

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
                    self.final(504)

    def tell_again(self) -> None:
        if self.told is not None and not self.over and self.usage.state is InviteState.RECEIVED:
            self.tell(self.told.fired())

    # --- as the caller

    def dial(self, number: str, authorization: str | None = None, *, offer: bool) -> None:
        phone = self.phone
        host = phone.address[0]
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{phone.number}@pbx>;tag={phone.endpoint.new_tag()}"),
            ("To", f"<sip:{number}@pbx>"),
            ("Call-ID", f"{phone.chance.getrandbits(60):x}@{host}"),
            ("CSeq", f"{self.invite_seq} INVITE"),
            ("Contact", phone.contact),
        ]
        if authorization is not None:
            fields.append(("Authorization", authorization))
        if phone.modern:
            fields += MODERN
        if offer:
            fields.append(SESSION)
        invite = Request("INVITE", f"sip:{number}@pbx", Headers(fields), phone.sdp() if offer else b"")
        self.client = phone.endpoint.send_request(
            invite, phone.exchange, partial(self.dialled, invite, number, offer)
        )

    def dialled(self, invite: Request, number: str, offer: bool, event: ClientEvent) -> None:
        if not isinstance(event, Response):
            self.phone.results["none"] += 1
            self.end()
        elif event.status == 401 and "Authorization" not in invite.headers and not self.over:
            self.dial(number, self.phone.prove(event, invite), offer=offer)
        elif event.status < 200:
            self.acknowledge_early(invite, event)
        elif event.status < 300:
            self.answered(invite, event)
        elif event.status >= 300:
            self.phone.results[str(event.status)] += 1
            self.end()

    def acknowledge_early(self, invite: Request, response: Response) -> None:
        rseq = rseq_of(response)
        if rseq is None or self.over:
            return
        if self.early is None or self.early.remote_tag != response.to.tag:
            self.drop_early()
            self.early, self.heard = Dialog.of_uac(invite, response), ReliableClient()
            self.phone.endpoint.add_dialog(self.early.id, self)
        if self.heard.receive(rseq):
            answer = bool(response.body) and not invite.body
            headers = [("RAck", str(RAck(rseq, response.cseq))), *([SESSION] if answer else [])]
            prack = self.early.make_request(
                "PRACK", headers=headers, body=self.phone.sdp() if answer else b""
            )
            self.phone.endpoint.send_request(prack, self.phone.exchange, self.pracked)

    def pracked(self, event: ClientEvent) -> None:
        if isinstance(event, Response):
            self.phone.results[f"PRACK {event.status}"] += 1

    def drop_early(self) -> None:
        if self.early is not None and self.early is not self.dialog:
            self.phone.endpoint.remove_dialog(self.early.id)
        self.early = None

    def answered(self, invite: Request, response: Response) -> None:
        if self.usage.state is not InviteState.SENT:
            self.run(self.usage.receive_final(200, 0.0))
            return
        self.phone.results["200"] += 1
        early = self.early
        if early is not None and early.remote_tag == response.to.tag:
            self.dialog = early
            early.confirm(response)
        else:
            self.dialog = Dialog.of_uac(invite, response)
        self.drop_early()
        self.phone.endpoint.add_dialog(self.dialog.id, self)
        self.acknowledge(answer=not invite.body and bool(response.body))
        if self.over:  # given up, but the answer was quicker
            self.bye()
        else:
            self.live()

    def acknowledge(self, *, answer: bool) -> None:
        assert self.dialog is not None
        self.usage.receive_final(200, 0.0)
        headers = [("Content-Type", "application/sdp")] if answer else []
        body = self.phone.sdp() if answer else b""
        ack = self.dialog.make_request("ACK", headers=headers, body=body, invite_seq=self.invite_seq)
        self.run(self.usage.acknowledge(ack))

    def give_up(self) -> None:
        if self.client is not None and self.dialog is None and not self.over:
            self.over = True
            self.client.cancel()

    # --- in the call

    def live(self) -> None:
        """Decide what to do with this call."""
        chance, clock = self.phone.chance, self.phone.clock
        if chance.random() < 0.3:
            clock.after(chance.uniform(0.5, 10), self.hold)
        if self.phone.modern and self.server is None:
            clock.after(45, self.refresh)
        if self.phone.modern and chance.random() < 0.3:
            clock.after(chance.uniform(0.5, 10), self.update)
        if chance.random() < 0.7:
            clock.after(chance.uniform(0.0, 30), self.bye)

    def hold(self) -> None:
        if self.over or self.dialog is None or not self.usage.may_invite:
            return
        self.usage.send_invite()
        headers = [("Content-Type", "application/sdp")]
        request = self.dialog.make_request("INVITE", headers=headers, body=self.phone.sdp("sendonly"))
        self.invite_seq = request.cseq.number
        self.client = self.phone.endpoint.send_request(request, self.phone.exchange, self.held)

    def update(self, *fields: tuple[str, str], offer: bool = True) -> None:
        """Change the session by UPDATE, or with a Session-Expires but refresh it."""
        if self.over or self.dialog is None:
            return
        headers = [*fields, *([SESSION] if offer else [])]
        body = self.phone.sdp("sendonly") if offer else b""
        request = self.dialog.make_request("UPDATE", headers=headers, body=body)
        self.phone.endpoint.send_request(request, self.phone.exchange, self.updated)

    def refresh(self) -> None:
        if not self.over:
            self.update(*MODERN, offer=False)
            self.phone.clock.after(45, self.refresh)

    def updated(self, event: ClientEvent) -> None:
        if not isinstance(event, Response) or event.status in {408, 481}:
            self.bye()  # §12.2.1.2: nobody is there
        elif event.status >= 200:
            self.phone.results[f"UPDATE {event.status}"] += 1

    def held(self, event: ClientEvent) -> None:
        if not isinstance(event, Response):
            self.bye()
        elif event.status < 200:
            return
        elif event.status < 300 and self.usage.state is InviteState.SENT:
            self.acknowledge(answer=False)
        elif self.usage.state is not InviteState.ENDED:
            self.run(self.usage.receive_final(event.status, 0.0))

    def bye(self) -> None:
        if self.dialog is None or self.usage.state is InviteState.ENDED:
            return
        if self.usage.state is InviteState.ACCEPTED:
            self.bye_waits = True
            return
        self.over = True
        if self.client is not None and self.usage.state is InviteState.SENT:
            self.client.cancel()
        self.run(self.usage.end())
        bye = self.dialog.make_request("BYE")
        self.phone.endpoint.send_request(bye, self.phone.exchange, self.bye_answered)

    def bye_answered(self, event: ClientEvent) -> None:
        if not isinstance(event, Response) or event.status >= 200:
            self.end()

    def receive(self, transaction: ServerTransaction) -> None:
        dialog = self.dialog or self.early
        assert dialog is not None
        request = transaction.request
        dialog.receive_request(request)
        if request.method == "BYE":
            transaction.reply(200)
            if self.usage.state is InviteState.RECEIVED and self.server is not None:
                self.server.reply(487)
            self.end()
        elif request.method == "INVITE":
            self.usage.receive_invite(self.phone.chance.random())
            self.server = transaction
            self.final(200 if self.phone.chance.random() < 0.9 else 488)
        elif request.method == "PRACK" and self.told is not None:
            effects = self.told.receive_prack(RAck.of(request))
            transaction.reply(200)
            self.tell(effects)
            if self.final_waits:
                self.final(self.final_waits)
        elif request.method == "UPDATE" and request.body:
            transaction.reply(200, headers=[("Contact", self.phone.contact), SESSION], body=self.phone.sdp())
        else:
            transaction.reply(200)

    def receive_ack(self, ack: Request) -> None:
        self.run(self.usage.receive_ack())

    def run(self, effects: list[UsageEffect]) -> None:
        for effect in effects:
            match effect:
                case StartTimer(timer, delay):
                    self.timer = self.phone.clock.after(delay, lambda: self.run(self.usage.fired(timer)))
                case StopTimer():
                    if self.timer is not None:
                        self.timer.cancel()
                case SendAccepted():
                    if self.server is not None and self.accepted is not None:
                        self.server.respond(self.accepted)
                case SendAck(ack):
                    self.phone.endpoint.send_ack(ack, self.phone.exchange)
                case Acknowledged():
                    self.live() if not self.bye_waits else self.bye()
                case GiveUp():
                    self.bye()
                case _:
                    pass

    def end(self) -> None:
        self.over = True
        if self.client is not None and self.usage.state is InviteState.SENT:
            self.client.cancel()  # a re-INVITE that nobody will answer any more
        self.run(self.usage.end())
        self.drop_early()
        if self.telling is not None:
            self.telling.cancel()
        if self.dialog is not None:
            self.phone.endpoint.remove_dialog(self.dialog.id)
