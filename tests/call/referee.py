"""Watches where offers and answers stand in the messages of each leg: RFC 6337 §2.1, table 1, and nowhere else.

The six patterns: INVITE/2xx, 2xx/ACK, INVITE/reliable 1xx, reliable 1xx/PRACK, PRACK/2xx, UPDATE/2xx.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from appliance.sip.message import Message, Request, Response, parse_message
from appliance.sip.transport.flow import Flow

__all__ = ["Referee"]


@dataclass
class Leg:
    """One leg's exchange, as its wire shows it."""

    made_by: str = ""
    "The kind of message that made the open offer; empty while none is open."
    first: bool = False
    "Whether an offer has been made."
    offered_in_invite: bool = False
    tag: str | None = None


@dataclass
class Referee:
    """`see` is an endpoint's tap."""

    legs: dict[str, Leg] = field(default_factory=dict)
    patterns: Counter[str] = field(default_factory=Counter)
    fouls: list[str] = field(default_factory=list)

    def see(self, _direction: str, _flow: Flow, data: bytes) -> None:
        message = parse_message(data)
        try:
            self._judge(message)
        except AssertionError as foul:
            self.fouls.append(f"{message.cseq}: {foul}")

    def _judge(self, message: Message) -> None:
        if message.cseq.method not in {"INVITE", "ACK", "PRACK", "UPDATE"}:
            return
        leg = self.legs.setdefault(message.call_id, Leg())
        if isinstance(message, Request):
            self._request(leg, message)
        else:
            self._response(leg, message)

    def _request(self, leg: Leg, request: Request) -> None:
        if request.method == "INVITE":
            assert not leg.made_by
            leg.first, leg.tag = False, None
            leg.offered_in_invite = bool(request.body)
        if request.body and request.method == "ACK":
            self._answer(leg, "ACK")
        elif request.body and leg.made_by:
            assert request.method == "PRACK", f"an offer by {request.method} within that of {leg.made_by}"
            self._answer(leg, "PRACK")
        elif request.body:
            self._offer(leg, request.method)
        elif request.method == "ACK":
            assert not leg.made_by, f"the offer of {leg.made_by} has no answer"

    def _response(self, leg: Leg, response: Response) -> None:
        if response.status >= 300:
            leg.made_by = ""
        elif response.cseq.method != "INVITE":
            if response.body:
                self._answer(leg, f"2xx {response.cseq.method}")
        elif response.status > 100:
            self._of_invite(leg, response)

    def _of_invite(self, leg: Leg, response: Response) -> None:
        if leg.tag is not None and response.to.tag != leg.tag:
            # A fork: another dialog, in which nothing but the INVITE has been said.
            leg.first, leg.made_by = leg.offered_in_invite, "INVITE" if leg.offered_in_invite else ""
        leg.tag = response.to.tag
        reliable = response.status >= 200 or "RSeq" in response.headers
        kind = "2xx" if response.status >= 200 else "1xx-rel"
        if not response.body:
            assert response.status < 200 or leg.first, "a 2xx without the offer that it owes"
            assert response.status < 200 or leg.made_by != "INVITE", "a 2xx without the answer that it owes"
        elif not reliable:
            assert leg.made_by == "INVITE" or not leg.first, "a preview of an answer that came before"
        elif leg.made_by:
            self._answer(leg, kind)
        else:
            assert not leg.first, f"{kind}: one description too many"
            self._offer(leg, kind)

    def _offer(self, leg: Leg, kind: str) -> None:
        leg.made_by, leg.first = kind, True

    def _answer(self, leg: Leg, kind: str) -> None:
        assert leg.made_by, f"{kind} answers nothing"
        self.patterns[f"{leg.made_by}/{kind}"] += 1
        leg.made_by = ""

    def stable(self) -> bool:
        """Whether no offer is open on any leg."""
        return not any(leg.made_by for leg in self.legs.values())
