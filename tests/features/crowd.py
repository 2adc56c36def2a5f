"""Phones that answer by themselves whatever the exchange asks of them, and do at their owner's word what phones do.

Each talk is a `Line`; what it was offered and answered is checked as it comes (RFC 3264 §6.1, RFC 3261 §13.2.1).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from appliance.media.direction import limited
from appliance.media.sdp import parse_sdp
from appliance.sip.message import Request, Response
from tests.call.playbook import Phone, Sends, sdp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.media.sdp import Direction
    from appliance.sip.message import Message
    from tests.features.office import Office

__all__ = ["HOLDS", "Desk", "Line", "replaces_of"]

HOLDS: tuple[tuple[str, ...], ...] = (("a=sendonly",), ("a=inactive",), ("c=IN IP4 0.0.0.0",))
"The ways to hold somebody."


def replaces_of(phone: Phone) -> str:
    """By which name this phone's dialog is known: our tag first."""
    theirs, ours = (text.partition("tag=")[2] for text in (phone.local, phone.remote))
    return f"{phone.call_id};to-tag={ours};from-tag={theirs}"


class Line(Phone):
    """One talk of a phone."""

    def __init__(self, desk: Desk, tag: str) -> None:
        super().__init__(desk.number, desk.address, desk.office.random)
        self.desk = desk
        self.tag = tag
        self.state = "new"  # calling, cancelled, ringing, talking, gone
        self.wants: tuple[str, ...] = ()  # how it describes itself beside its address
        self.before: tuple[str, ...] = ()  # what it wanted when its INVITE or UPDATE went out
        self.pending = False  # an INVITE or UPDATE of its own is out
        self.owes_ack = b""  # the offer of its 2xx whose answer must come in the ACK
        self.unanswered = False  # that did not come: then nothing but a BYE may

    # --- what it says of its sound

    def offer(self) -> bytes:
        return sdp(self.address[0], 4000 + self.address[1] % 1000, *self.wants)

    def answer(self, offer: bytes) -> bytes:
        mine = parse_sdp(self.offer()).media[0].direction
        direction = limited(mine, _direction(offer))
        others = [each for each in self.wants if each.startswith("c=")]
        return sdp(self.address[0], 4000 + self.address[1] % 1000, *others, f"a={direction}")

    def check_answer(self, offer: bytes, answer: bytes) -> None:
        assert answer, f"{self.tag}: an offer without an answer"
        assert len(parse_sdp(answer).media) == len(parse_sdp(offer).media)
        theirs, ours = _direction(answer), _direction(offer)
        assert limited(theirs, ours) == theirs, f"{self.tag}: {theirs} answers {ours}"

    # --- its owner's word

    def act(self, send: Sends) -> None:
        assert self.desk.office >> send is self.desk.office

    def change(self, wants: tuple[str, ...], how: str) -> None:
        """Hold or resume: by INVITE, by UPDATE, or by an INVITE that leaves the offer to the other side."""
        if self.state != "talking" or self.pending or self.owes_ack:
            return
        self.before, self.wants, self.pending = self.wants, wants, True
        match how:
            case "update":
                self.act(self.ask("UPDATE", self.offer()))
            case "late":
                self.act(self.again())
            case _:
                self.act(self.again(self.offer()))

    def hang_up(self) -> None:
        match self.state:
            case "calling":
                self.state = "cancelled"
                self.act(self.cancel())
            case "ringing":
                self.state = "gone"
                self.act(self.says(486, to=self.invited))
            case "talking":
                self.state = "gone"
                self.act(self.bye())

    # --- what comes

    def request(self, request: Request) -> None:
        assert not self.unanswered or request.method in {"ACK", "BYE"}, (
            f"{self.tag}: an offer without an answer"
        )
        match request.method:
            case "INVITE" if self.state == "new":
                self.state = "ringing"
                self.act(self.says(180, to=request))
            case "INVITE" if self.state == "talking" and not self.pending:
                self._reinvited(request)
            case "INVITE":
                self.act(self.says(491 if self.pending else 481, to=request))
            case "ACK":
                self._acknowledged(request)
            case "CANCEL":
                self._cancelled()
            case "BYE":
                self.act(self.ok(200 if self.state != "new" else 481))
                self.state = "gone"
            case "UPDATE" if request.body:
                self.act(self.ok(491) if self.pending else self.ok(200, self.answer(request.body)))
            case _:
                self.act(self.ok(200 if self.state == "talking" or request.method == "NOTIFY" else 481))

    def _cancelled(self) -> None:
        self.act(self.ok())
        if self.state == "ringing":
            self.state = "gone"
            self.act(self.says(487, to=self.invited))

    def _acknowledged(self, ack: Request) -> None:
        offer, self.owes_ack = self.owes_ack, b""
        if offer:
            self.unanswered = not ack.body
        if offer and ack.body:
            self.check_answer(offer, ack.body)

    def _reinvited(self, request: Request) -> None:
        if self.desk.refuses:
            self.act(self.says(488, to=request))
        else:
            self._accept(request)

    def pick_up(self) -> None:
        if self.state == "ringing" and self.invited is not None:
            self.state = "talking"
            self._accept(self.invited)

    def _accept(self, request: Request) -> None:
        if request.body:
            body = self.answer(request.body)
        else:
            body = self.owes_ack = self.offer()
        self.act(self.says(200, body, to=request))

    def response(self, response: Response) -> None:
        method = response.cseq.method
        if response.status < 200 or method not in {"INVITE", "UPDATE"}:
            return
        if method == "UPDATE":
            self._settled(response, self.offer())
            return
        invite = self.invite_request
        if invite is None or invite.cseq.number != response.cseq.number:
            return
        if response.status >= 300:
            self.act(self.ack_refusal())
            if self.state in ("calling", "cancelled"):
                self.state = "gone"
            else:
                self._settled(response, b"")
            return
        self._confirm(invite, response)

    def _confirm(self, invite: Request, response: Response) -> None:
        if invite.body:
            self.check_answer(invite.body, response.body)
            self.act(self.ack())
        else:
            assert response.body, f"{self.tag}: an offer was owed"
            self.act(self.ack(self.answer(response.body)))
        self.pending = False
        if self.state == "calling":
            self.state = "talking"
        elif self.state == "cancelled":
            self.state = "gone"
            self.act(self.bye())

    def _settled(self, response: Response, offer: bytes) -> None:
        self.pending = False
        if response.status >= 300:
            self.wants = self.before
        elif offer:
            self.check_answer(offer, response.body)


def _direction(description: bytes) -> Direction:
    return parse_sdp(description).media[0].direction


class Desk:
    """One phone."""

    def __init__(self, office: Office, number: str) -> None:
        self.office = office
        self.number = number
        self.address = office.phone(number).address
        self.lines: dict[str, Line] = {}
        self.inbox: deque[Message] = deque()
        self.silent = False
        "It is gone: nothing reaches it, and it says nothing."
        self.missed = False
        "It was gone at some time, and may have missed that a call ended."
        self.slow = False
        "What comes waits until it looks."
        self.refuses = False
        "It takes no re-INVITE."
        self._seen: set[tuple[str, str, str]] = set()

    def __iter__(self) -> Iterator[Line]:
        return (line for line in self.lines.values() if line.state != "gone")

    def in_state(self, *states: str) -> list[Line]:
        return [line for line in self if line.state in states]

    def line(self, number: int, *states: str) -> Line | None:
        """One of the lines in one of these states."""
        lines = self.in_state(*states)
        return lines[number % len(lines)] if lines else None

    def call(self, number: str, *, late: bool = False, **headers: str) -> Line:
        line = self._new_line()
        line.state = "calling"
        send = line.invite(number, b"" if late else line.offer(), **headers)
        self.lines[line.call_id] = line
        line.act(send)
        return line

    def _new_line(self) -> Line:
        return Line(self, f"{self.number}-{self.address[1]}-{len(self.lines)}")

    def look(self) -> None:
        """Do what came."""
        while self.inbox:
            self.take(self.inbox.popleft())

    def take(self, message: Message) -> None:
        line = self.lines.get(message.call_id)
        if isinstance(message, Response):
            if line is not None:
                line.take(message)
                line.response(message)
            return
        name = (message.call_id, str(message.cseq), str(message.headers.get("Via")))
        if name in self._seen and message.method != "ACK":
            return  # it comes once more
        self._seen.add(name)
        if line is None:
            line = self.lines[message.call_id] = self._new_line()
        line.take(message)
        line.request(message)
