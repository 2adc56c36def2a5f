"""Phones that answer by themselves whatever the exchange asks of them, and do at their owner's word what phones do.

Each talk is a `Line`; what it was offered and answered is checked as it comes (RFC 3264 §6.1, RFC 3261 §13.2.1).
"""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio

from appliance.media.direction import limited
from appliance.media.sdp import parse_sdp
from appliance.sip.message import Request, Response
from tests.call.playbook import Phone, Sends, sdp
from tests.features.office import Office

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from appliance.media.sdp import Direction
    from appliance.sip.message import Message
    from appliance.sip.transport.flow import Address

__all__ = ["HOLDS", "Crowd", "Desk", "Line", "replaces_of"]

HOLDS: tuple[tuple[str, ...], ...] = (("a=sendonly",), ("a=inactive",), ("c=IN IP4 0.0.0.0",))
"The ways to hold somebody."


WHILE = 5.0
"Seconds that pass at a time, so that what is sent meanwhile arrives while it is waited for."


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
        self.heard: list[str] = []
        "How a transfer goes that it asked for, as the NOTIFYs say."
        self.got: dict[str, int] = {}
        "By method, what its last request got in the end."
        self.told: Direction | None = None
        "Which way the other side's sound goes, as was agreed last."
        self.unanswered = False  # that did not come: then nothing but a BYE may, and what outlives the talk

    # --- what it says of its sound

    def offer(self) -> bytes:
        return self._described(*self.wants)

    def _fits(self, offer: bytes) -> bool:
        mine = parse_sdp(self.offer()).media[0].payload_types
        return not offer or bool(mine & parse_sdp(offer).media[0].payload_types)

    def _described(self, *tail: str) -> bytes:
        text = sdp(self.address[0], 4000 + self.address[1] % 1000, *tail).decode()
        return text.replace("RTP/AVP 8", self.desk.sound).encode()

    def answer(self, offer: bytes) -> bytes:
        self.told = _direction(offer)
        mine = parse_sdp(self.offer()).media[0].direction
        direction = limited(mine, _direction(offer))
        others = [each for each in self.wants if each.startswith("c=")]
        return self._described(*others, f"a={direction}")

    def check_answer(self, offer: bytes, answer: bytes) -> None:
        assert answer, f"{self.tag}: an offer without an answer"
        assert len(parse_sdp(answer).media) == len(parse_sdp(offer).media)
        theirs, ours = _direction(answer), _direction(offer)
        assert limited(theirs, ours) == theirs, f"{self.tag}: {theirs} answers {ours}"
        self.told = theirs

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
        assert not self.unanswered or request.method in {"ACK", "BYE", "NOTIFY"}, (
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
            case "NOTIFY":
                self.heard.append(request.body.decode().strip().partition(" ")[2])
                self.act(self.ok())
            case _:
                self.act(self.ok(200 if self.state == "talking" else 481))

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
        if self.desk.refuses or not self._fits(request.body):
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
        if response.status < 200:
            return
        self.got[method] = response.status
        if method not in {"INVITE", "UPDATE"}:
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

    def __init__(self, office: Office, number: str, address: Address | None = None) -> None:
        """A phone of an extension, unless an address is given: then it is somebody outside."""
        self.office = office
        self.number = number
        self.address = address or office.phone(number).address
        self.lines: dict[str, Line] = {}
        self.inbox: deque[Message] = deque()
        self.silent = False
        "Nothing reaches it."
        self.missed = False
        "It was gone at some time, and may have missed that a call ended."
        self.slow = False
        "What comes waits until it looks."
        self.sound = "RTP/AVP 8"
        "The transport and formats of its sound, and further lines."
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


class Crowd:
    """An office full of phones."""

    def __init__(self, *numbers: str) -> None:
        self.office = Office()
        self.desks = [Desk(self.office, number) for number in numbers]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The exchange serves calls meanwhile; nothing is left afterwards."""
        async with self.office.serving():
            yield
        self.leaves_nothing()

    async def settle(self) -> None:
        """All that was sent arrives, and all that the exchange does of itself is done."""
        await anyio.wait_all_tasks_blocked()
        while self.deliver():
            await anyio.wait_all_tasks_blocked()

    def deliver(self) -> bool:
        came = False
        sent = self.office.wiretap.sent
        while sent:
            came = True
            flow, message = sent.popleft()
            for desk in self.desks:
                if desk.address == flow.remote and not desk.silent:
                    desk.inbox.append(message)
                    if not desk.slow:
                        desk.look()
        return came

    async def waits(self, seconds: float) -> None:
        until = self.office.timers.now() + seconds
        while (left := until - self.office.timers.now()) > 0:
            self.office.waits(min(left, WHILE))
            await self.settle()

    async def talk(self, caller: Desk, callee: Desk, number: str = "") -> tuple[Line, Line]:
        """One calls the other, who answers; their lines."""
        line = caller.call(number or callee.number)
        await self.settle()
        return line, await self.answer(callee)

    async def answer(self, desk: Desk) -> Line:
        """The phone rings, and is picked up."""
        (line,) = desk.in_state("ringing")
        line.pick_up()
        await self.settle()
        return line

    async def refer(self, line: Line, to: str, **headers: str) -> None:
        """Transfer whom this line talks to."""
        to = to if "@" in to else f"{to}@192.0.2.1"
        line.act(line.ask("REFER", b"", **{"Refer_To": f"<sip:{to}>", **headers}))
        await self.settle()

    async def join(self, line: Line, second: Line) -> None:
        """Put the two together whom one phone talks to."""
        await self.refer(line, f"x@192.0.2.1?Replaces={quote(replaces_of(second))}")

    async def hang_up(self, line: Line) -> None:
        line.hang_up()
        await self.settle()

    def pairs(self) -> list[tuple[str, str]]:
        """Who hear each other: caller and callee of each call."""
        calls = self.office.exchange._calls.values()
        return [
            (call.caller.number, call.callee.number)
            for call in calls
            if call.callee is not None and call.caller.media._partner is call.callee.media
        ]

    async def ends(self, *causes: str) -> None:
        """No phone is in a call, nor does the exchange know of one; these records there are."""
        await self.settle()
        assert [line.tag for desk in self.desks if not desk.missed for line in desk] == []
        assert [record.cause for record in self.office.records] == list(causes), self.office.story
        self.leaves_nothing()

    def leaves_nothing(self) -> None:
        office = self.office
        assert (len(office.exchange), office.relay.open_ports) == (0, 0)
        assert (len(office.players), office.playback._playing) == (0, {})
        office.waits(400)
        assert office.endpoint.transactions == 0
        assert office.endpoint._dialogs == {}
        assert len(office.timers.heap) == 0
