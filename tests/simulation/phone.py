"""A telephone with moods: registers, calls, answers or not, hangs up, gives up, holds, or drops dead.

It has an endpoint of its own and RFC 3261's rules for an INVITE's user (§13), so that what goes wrong under
loss goes wrong at the exchange. RFC 5407 for the races.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from appliance.clock import Clock, Timer
from appliance.sip.dialog import (
    Acknowledged,
    Dialog,
    GiveUp,
    InviteState,
    InviteUsage,
    SendAccepted,
    SendAck,
    StartTimer,
    StopTimer,
    UsageEffect,
)
from appliance.sip.endpoint import ClientEvent, ClientTransaction, Endpoint, ServerTransaction
from appliance.sip.message import Authorization, Challenge, Headers, Request, Response
from appliance.sip.message.digest import ha1
from appliance.sip.transport.flow import Address
from tests.simulation.network import Host, Network

__all__ = ["SimulatedPhone", "Talk"]

SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 8\r\na={direction}\r\n"
)


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

    # --- as the callee

    def ring(self, transaction: ServerTransaction) -> None:
        phone = self.phone
        self.server = transaction
        self.dialog = Dialog.of_uas(transaction.request, transaction.tag, phone.contact)
        phone.endpoint.add_dialog(self.dialog.id, self)
        transaction.on_cancel = lambda _cancel: self.final(487)
        transaction.on_failed = self.end
        if phone.chance.random() < 0.8:
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
        headers = [("Contact", self.phone.contact)]
        if status >= 300:
            self.usage.reject()
            self.server.reply(status)
            if self.dialog is not None and not self.dialog.confirmed:
                self.end()
            return
        headers.append(("Content-Type", "application/sdp"))
        effects = self.usage.accept()
        self.accepted = self.server.reply(200, headers=headers, body=self.phone.sdp())
        assert self.dialog is not None
        self.dialog.confirm()
        self.run(effects)

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
        if offer:
            fields.append(("Content-Type", "application/sdp"))
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
        elif 200 <= event.status < 300:
            self.answered(invite, event)
        elif event.status >= 300:
            self.phone.results[str(event.status)] += 1
            self.end()

    def answered(self, invite: Request, response: Response) -> None:
        if self.usage.state is not InviteState.SENT:
            self.run(self.usage.receive_final(200, 0.0))
            return
        self.phone.results["200"] += 1
        self.dialog = Dialog.of_uac(invite, response)
        self.phone.endpoint.add_dialog(self.dialog.id, self)
        self.acknowledge(answer=not invite.body)
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
        assert self.dialog is not None
        request = transaction.request
        self.dialog.receive_request(request)
        if request.method == "BYE":
            transaction.reply(200)
            if self.usage.state is InviteState.RECEIVED and self.server is not None:
                self.server.reply(487)
            self.end()
        elif request.method == "INVITE":
            self.usage.receive_invite(self.phone.chance.random())
            self.server = transaction
            self.final(200 if self.phone.chance.random() < 0.9 else 488)
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
        if self.dialog is not None:
            self.phone.endpoint.remove_dialog(self.dialog.id)


class SimulatedPhone:
    """One registered phone."""

    def __init__(
        self,
        network: Network,
        clock: Clock,
        number: str,
        address: Address,
        exchange: Address,
        *,
        transport: str = "udp",
    ) -> None:
        self.clock, self.chance, self.number, self.address = clock, network.random, number, address
        self.host: Host = network.host(address)
        self.endpoint = Endpoint(clock, network.random, self.host)
        self.endpoint.serve("INVITE", self.invited)
        self.endpoint.allowed |= {"INFO"}
        self.exchange = self.endpoint.flow_to(transport, exchange)
        self.contact = f"<sip:{number}@{address[0]}:{address[1]};transport={transport}>"
        self.results: Counter[str] = Counter()
        self.registered = False

    def sdp(self, direction: str = "sendrecv") -> bytes:
        return SDP.format(host=self.address[0], direction=direction).encode()

    def prove(self, challenged: Response, request: Request) -> str:
        """The Authorization that answers a challenge."""
        challenge = Challenge.parse(challenged.headers.get("WWW-Authenticate") or "")
        secret = ha1(challenge.algorithm, self.number, challenge.realm, f"secret{self.number}")
        cnonce = f"{self.chance.getrandbits(40):x}"
        answer = Authorization.answer(
            challenge, request.method, request.uri, self.number, secret, cnonce=cnonce
        )
        return str(answer)

    def register(self, authorization: str | None = None, cseq: int = 1) -> None:
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.number}@pbx>;tag={self.endpoint.new_tag()}"),
            ("To", f"<sip:{self.number}@pbx>"),
            ("Call-ID", f"register-{self.address[0]}"),
            ("CSeq", f"{cseq} REGISTER"),
            ("Contact", f"{self.contact};expires=7200"),
        ]
        if authorization is not None:
            fields.append(("Authorization", authorization))
        request = Request("REGISTER", "sip:pbx", Headers(fields))

        def answered(event: ClientEvent) -> None:
            if not isinstance(event, Response):
                self.register(cseq=cseq + 1)
            elif event.status == 401:
                self.register(self.prove(event, request), cseq + 1)
            else:
                self.registered = event.status == 200

        self.endpoint.send_request(request, self.exchange, answered)

    def call(self, number: str) -> None:
        """Call somebody; perhaps give up soon."""
        talk = Talk(self, InviteUsage.sent())
        talk.dial(number, offer=self.chance.random() < 0.85)
        if self.chance.random() < 0.25:
            self.clock.after(self.chance.uniform(0.0, 10), talk.give_up)

    def invited(self, transaction: ServerTransaction) -> None:
        Talk(self, InviteUsage.received()).ring(transaction)
