"""Two user agents in one dialog, and a line between them that loses, doubles and overtakes.

Below them stands what transactions promise (RFC 3261 §17): a request is taken once; it and a refusal come through sooner or
later, or the sender hears a 408 for it. A 2xx to an INVITE, and its ACK, have nothing but `InviteUsage`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.errors import PeerError
from appliance.sip.dialog import (
    Dialog,
    EndDialog,
    GiveUp,
    InviteState,
    InviteUsage,
    OfferAnswer,
    OfferState,
    RetryInvite,
    SendAccepted,
    SendAck,
    StartTimer,
    StopTimer,
    UsageEffect,
    UsageTimer,
)
from appliance.sip.message import Headers, Request, Response

__all__ = ["Line", "Parcel", "Peer", "Sent", "dialled"]


@dataclass(eq=False)
class Sent:
    """A request that is under way: its client transaction."""

    sender: Peer
    request: Request
    arrived: bool = False
    over: bool = False
    "Whether its sender has a final response, or has given up."


@dataclass(frozen=True)
class Parcel:
    """A message on the line."""

    to: Peer
    what: Sent
    response: Response | None = None
    "The response to it; None for itself."
    ack: Request | None = None

    @property
    def fragile(self) -> bool:
        """Whether nobody but the dialog's user sends it again."""
        invited = self.response is not None and self.response.cseq.method == "INVITE"
        return self.ack is not None or (invited and self.response is not None and self.response.status < 300)


@dataclass
class Line:
    parcels: list[Parcel] = field(default_factory=list)
    open: list[Sent] = field(default_factory=list)

    def request(self, sender: Peer, request: Request) -> Sent:
        sent = Sent(sender, request)
        self.open.append(sent)
        self.parcels.append(Parcel(sender.other, sent))
        return sent

    def deliver(self, at: int, *, keep: bool = False) -> None:
        parcel = self.parcels[at] if keep else self.parcels.pop(at)
        if parcel.ack is not None:
            parcel.to.take_ack(parcel.ack)
        elif parcel.response is not None:
            if parcel.what in self.open:  # else nobody waits for it any more
                parcel.to.take_final(parcel.what, parcel.response.status, parcel.response)
        elif not parcel.what.arrived:
            parcel.what.arrived = True
            parcel.to.take_request(parcel.what)

    def give_up(self, sent: Sent) -> None:
        """Nothing of it, or of its answer, has come through for 64*T1 seconds."""
        self.open.remove(sent)
        self.parcels = [parcel for parcel in self.parcels if parcel.what is not sent]
        sent.sender.take_final(sent, 408, None)


class Peer:
    """One side. What it says of the session is a number, that of its last offer."""

    def __init__(self, line: Line, name: str, usage: InviteUsage) -> None:
        self.line, self.name, self.usage = line, name, usage
        self.other: Peer
        self.offers = OfferAnswer()
        self.dialog: Dialog | None = None
        self.timers: set[UsageTimer] = set()
        self.agreed = b""
        "The offer that was accepted last."
        self.asked: Sent | None = None  # the other's INVITE that waits for an answer
        self.accepted: tuple[Sent, Response] | None = None
        self.inviting: Sent | None = None

    @property
    def ended(self) -> bool:
        return self.usage.state is InviteState.ENDED

    # --- what it wants

    def invite(self, body: bytes) -> None:
        if self.dialog is not None and self.usage.may_invite and self.offers.state is OfferState.STABLE:
            self.usage.send_invite()
            self.offers.send_offer()
            self.inviting = self.line.request(self, self.dialog.make_request("INVITE", body=body))

    def answer(self, status: int) -> None:
        sent, self.asked = self.asked, None
        if sent is None or self.ended:
            return
        response = sent.request.respond(
            status, to_tag=self.name, headers=[("Contact", f"<sip:{self.name}@x>")]
        )
        if status < 300:
            self.offers.send_answer()
            self.agreed, self.accepted = sent.request.body, (sent, response)
            effects = self.usage.accept(sent.request.cseq.number)
            self.line.parcels.append(Parcel(sent.sender, sent, response))
            self.run(effects)
        else:
            self.offers.withdraw()
            self.usage.reject()
            self.line.parcels.append(Parcel(sent.sender, sent, response))

    def bye(self) -> None:
        """§15: not while our 2xx waits for its ACK."""
        if self.ended or self.usage.state is InviteState.ACCEPTED:
            return
        self.end()
        if self.dialog is not None:
            self.line.request(self, self.dialog.make_request("BYE"))

    def end(self) -> None:
        if self.asked is not None:
            self.line.parcels.append(Parcel(self.other, self.asked, self.asked.request.respond(487)))
            self.asked = None
        self.run(self.usage.end())
        self.offers.withdraw()

    # --- what comes

    def take_request(self, sent: Sent) -> None:
        request = sent.request
        try:
            if self.ended or self.dialog is None:
                raise PeerError(481, "Call/Transaction Does Not Exist")
            self.dialog.receive_request(request)
            if request.method == "INVITE":
                self.run(self.usage.receive_invite(0.5))
                self.offers.receive_offer()
                self.asked = sent
                return
            self.end()
            status = 200
        except PeerError as refusal:
            status = refusal.status
        self.line.parcels.append(Parcel(self.other, sent, request.respond(status)))

    def take_ack(self, ack: Request) -> None:
        self.run(self.usage.receive_ack(ack.cseq.number))

    def take_final(self, sent: Sent, status: int, response: Response | None) -> None:
        first, sent.over = not sent.over, True
        if sent.request.method == "BYE":
            return
        if not first:
            self.run(self.usage.receive_again(sent.request.cseq.number) if status < 300 else [])
        elif status >= 300:
            self.offers.withdraw()
            self.run([] if self.ended else self.usage.receive_final(status, 0.5, retry=True))
        elif response is not None:
            self.take_success(sent, response)

    def take_success(self, sent: Sent, response: Response) -> None:
        if self.dialog is None:
            self.dialog = Dialog.of_uac(sent.request, response)
        ack = self.dialog.make_request("ACK", invite_seq=sent.request.cseq.number)
        if self.ended:  # §13.2.2.4: it gets its ACK all the same
            self.line.parcels.append(Parcel(self.other, sent, ack=ack))
            return
        self.usage.receive_final(200, 0.5)
        self.offers.receive_answer()
        self.agreed = sent.request.body
        self.run(self.usage.acknowledge(ack))

    def fire(self, timer: UsageTimer) -> None:
        self.timers.discard(timer)
        self.run(self.usage.fired(timer))

    def run(self, effects: list[UsageEffect]) -> None:
        for effect in effects:
            match effect:
                case StartTimer(timer):
                    self.timers.add(timer)
                case StopTimer(timer):
                    self.timers.discard(timer)
                case SendAccepted() if self.accepted is not None:
                    self.line.parcels.append(Parcel(self.other, *self.accepted))
                case SendAck(ack) if self.inviting is not None:
                    self.line.parcels.append(Parcel(self.other, self.inviting, ack=ack))
                case RetryInvite():
                    self.invite(b"again")
                case GiveUp() | EndDialog():
                    self.bye()


def dialled() -> tuple[Line, Peer, Peer]:
    """A caller and a callee, whose phone has just begun to ring."""
    line = Line()
    caller, callee = Peer(line, "caller", InviteUsage.sent()), Peer(line, "callee", InviteUsage.received())
    caller.other, callee.other = callee, caller
    fields = [("From", "<sip:a@x>;tag=caller"), ("To", "<sip:b@x>"), ("Call-ID", "1")]
    fields += [("CSeq", "1 INVITE"), ("Contact", "<sip:caller@x>")]
    invite = Request("INVITE", "sip:b@x", Headers(fields), b"first")
    caller.offers.send_offer()
    caller.inviting = callee.asked = line.request(caller, invite)
    line.parcels.clear()
    callee.asked.arrived = True
    callee.dialog = Dialog.of_uas(invite, "callee", "<sip:callee@x>")
    callee.offers.receive_offer()
    return line, caller, callee
