"""The caller's side of a simulated call, up to the answer: the challenge, PRACKs, and perhaps a CANCEL.

RFC 3261 §9.1, §13.2, §22.1; RFC 3262 §4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.sip.dialog import Dialog, InviteState, InviteUsage, RAck, ReliableClient, rseq_of
from appliance.sip.endpoint import ClientEvent, ServerTransaction
from appliance.sip.message import Headers, Request, Response
from tests.simulation.attempt import HEADER
from tests.simulation.talk import MODERN, SESSION, Talk

if TYPE_CHECKING:
    from tests.simulation.attempt import Attempt
    from tests.simulation.phone import SimulatedPhone

__all__ = ["Caller"]


class Caller(Talk):
    """A call that this phone has begun."""

    is_caller = True

    def __init__(self, phone: SimulatedPhone, attempt: Attempt, number: str) -> None:
        super().__init__(phone, InviteUsage.sent(), attempt)
        self.number = number
        self.offer = phone.sdp() if phone.chance.random() < 0.85 else b""
        self.tag = phone.endpoint.new_tag()
        self.gave_up = False
        self.early: Dialog | None = None  # for its PRACK
        self.heard = ReliableClient()
        attempt.call_id = f"{phone.chance.getrandbits(60):x}@{phone.address[0]}"

    def dial(self, authorization: str | None = None) -> None:
        phone = self.phone
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{phone.number}@pbx>;tag={self.tag}"),
            ("To", f"<sip:{self.number}@pbx>"),
            ("Call-ID", self.attempt.call_id),
            ("CSeq", f"{self.invite_seq} INVITE"),
            ("Contact", phone.contact),
            (HEADER, self.attempt.key),
            *(MODERN if phone.modern else ()),
        ]
        if authorization is not None:
            fields.append(("Authorization", authorization))
        if self.offer:
            fields.append(SESSION)
        invite = Request("INVITE", f"sip:{self.number}@pbx", Headers(fields), self.offer)
        self.client = phone.send(invite, lambda event: self.dialled(invite, event))

    def dialled(self, invite: Request, event: ClientEvent) -> None:
        status = event.status if isinstance(event, Response) else 0
        if not isinstance(event, Response):
            self.refused(0)
        elif status == 401 and "Authorization" not in invite.headers and not self.gave_up:
            # §22.2: the same INVITE once more, with the next CSeq number.
            self.invite_seq += 1
            self.dial(self.phone.prove(event, invite))
        elif status < 200:
            self.acknowledge_early(invite, event)
        elif status < 300:
            self.answered(invite, event)
        else:
            self.refused(status)

    def refused(self, status: int) -> None:
        self.phone.results[str(status)] += 1
        self.attempt.refused(status)
        self.end()

    # --- before the answer

    def acknowledge_early(self, invite: Request, response: Response) -> None:
        rseq = rseq_of(response)
        if rseq is None or self.gave_up:
            return
        if self.early is None or self.early.remote_tag != response.to.tag:
            self.drop_early()
            self.early, self.heard = Dialog.of_uac(invite, response), ReliableClient()
            self.phone.endpoint.add_dialog(self.early.id, self)
        if self.heard.receive(rseq):
            answer = bool(response.body) and not invite.body
            headers = [("RAck", str(RAck(rseq, response.cseq))), *([SESSION] if answer else [])]
            body = self.phone.sdp() if answer else b""
            self.phone.send(self.early.make_request("PRACK", headers=headers, body=body), self.pracked)

    def pracked(self, event: ClientEvent) -> None:
        if isinstance(event, Response):
            self.phone.results[f"PRACK {event.status}"] += 1

    def drop_early(self) -> None:
        if self.early is not None and self.early is not self.dialog:
            self.phone.endpoint.remove_dialog(self.early.id)
        self.early = None

    def give_up(self) -> None:
        if self.client is not None and self.dialog is None and not self.over:
            self.gave_up = True
            self.client.cancel()

    def receive(self, transaction: ServerTransaction) -> None:
        if self.dialog is None and self.early is not None:
            self.receive_early(transaction, self.early)
        else:
            super().receive(transaction)

    def receive_early(self, transaction: ServerTransaction, early: Dialog) -> None:
        early.receive_request(transaction.request)
        if transaction.request.method == "UPDATE" and transaction.request.body:
            transaction.reply(200, headers=[("Contact", self.phone.contact), SESSION], body=self.phone.sdp())
        else:
            transaction.reply(200)

    # --- the answer

    def answered(self, invite: Request, response: Response) -> None:
        if self.usage.state is not InviteState.SENT or self.dialog is not None:
            self.run(self.usage.receive_again(response.cseq.number))
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
        if self.gave_up:  # but the answer was quicker
            self.phone.results["CANCEL crossed"] += 1
            self.bye()
        else:
            self.stand()

    def end(self) -> None:
        self.drop_early()
        self.attempt.ended()
        super().end()

    def put_down(self) -> None:
        self.bye() if self.dialog is not None else self.give_up()
