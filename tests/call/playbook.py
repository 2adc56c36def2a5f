"""Ladders: what a phone sends (`>>`) and what must come of it (`<<`), on time that the test moves.

The exchange and its endpoint are the real ones; the network is a list, the media ports are nobody's.

    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)

Messages are expected in the very order in which the exchange sends them, and `book.ends()` wants none left over,
no call, no timer of a leg, no port, and exactly one record for each call.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from itertools import count

from appliance.call.exchange import Directory, Exchange
from appliance.call.record import CallRecord
from appliance.call.wire import Wire
from appliance.config.extension import Extension
from appliance.directory.bindings import Binding
from appliance.errors import PeerError
from appliance.media.relay import Relay
from appliance.sip.endpoint import Endpoint
from appliance.sip.message import Headers, Message, NameAddr, Request, Response, parse_message
from appliance.sip.transport.flow import Address, Flow, Receiver, TransportError
from tests.call.bench import HandTimers, SilentSocket

__all__ = [
    "ANSWER",
    "OFFER",
    "Gets",
    "HandTimers",
    "Phone",
    "Playbook",
    "Sends",
    "SilentSocket",
    "sdp",
    "talk",
]

EXCHANGE: Address = ("192.0.2.1", 5060)


def sdp(host: str, port: int, *lines: str) -> bytes:
    """A description of sound in G.711 A-law, with further lines behind it."""
    text = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    text += [f"m=audio {port} RTP/AVP 8", *lines]
    return "".join(f"{line}\r\n" for line in text).encode()


OFFER = sdp("10.1.1.1", 4000)
ANSWER = sdp("10.2.2.2", 5000)


@dataclass
class Wiretap:
    """The transports: what is sent waits here for a `<<`."""

    sent: deque[tuple[Flow, Message]] = field(default_factory=deque)
    dead: set[Address] = field(default_factory=set)
    "Where sending fails at once."
    receiver: Receiver | None = None

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send(self, flow: Flow, data: bytes) -> None:
        if flow.remote in self.dead:
            raise TransportError("nobody listens there")
        self.sent.append((flow, parse_message(data)))

    def flow_to(
        self, transport: str, remote: Address, name: str | None = None, certificate: str = ""
    ) -> Flow:
        return Flow(transport, EXCHANGE, remote)


@dataclass(frozen=True)
class Sends:
    """A message on its way from a phone to the exchange."""

    phone: Phone
    message: Message


@dataclass(frozen=True)
class Gets:
    """What a phone must get next."""

    phone: Phone
    what: str | int
    contains: tuple[str, ...] = ()
    "Texts that must stand in it."
    lacks: tuple[str, ...] = ()


class Phone:
    """A telephone without a mind of its own: the test says each word."""

    domain = EXCHANGE[0]
    "The host part of every address-of-record."

    def __init__(self, number: str, address: Address, rng: random.Random) -> None:
        self.number, self.address, self._random = number, address, rng
        self.cseq = 0
        self.tag = f"{number}-{address[1]}"
        self.call_id = ""
        self.local = self.remote = self.target = ""
        self.invite_request: Request | None = None
        "The INVITE that was sent last."
        self.invited: Request | None = None
        "The INVITE that came last."
        self.last: Message | None = None
        self.asked: Request | None = None
        "The last request that came, other than INVITE and ACK."
        self.reliable: Response | None = None
        "The last response that wants a PRACK."

    def contact(self) -> str:
        return f"<sip:{self.number}@{self.address[0]}:{self.address[1]}>"

    def via(self) -> str:
        """The Via of a request, with a branch of its own."""
        host, port = self.address
        return f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{self._random.getrandbits(64):x}"

    # --- what it sends

    def invite(self, number: str, body: bytes = b"", **headers: str) -> Sends:
        """Start a call."""
        self.call_id = f"{self._random.getrandbits(64):x}@{self.address[0]}"
        self.local = f"<sip:{self.number}@{self.domain}>;tag={self.tag}"
        self.remote = f"<sip:{number}@{self.domain}>"
        self.target = f"sip:{number}@{self.domain}"
        return self.again(body, **headers)

    def again(self, body: bytes = b"", **headers: str) -> Sends:
        """An INVITE, with what is known of the dialog so far."""
        self.invite_request = self.make("INVITE", body, **headers)
        return Sends(self, self.invite_request)

    def make(self, method: str, body: bytes = b"", **headers: str) -> Request:
        self.cseq += 1
        fields = [
            ("Via", self.via()),
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} {method}"),
            ("Contact", self.contact()),
        ]
        if body:
            fields.append(("Content-Type", headers.pop("Content_Type", "application/sdp")))
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        return Request(method, self.target, Headers(fields), body)

    def ask(self, method: str, body: bytes = b"", **headers: str) -> Sends:
        """A request within the dialog."""
        return Sends(self, self.make(method, body, **headers))

    def bye(self) -> Sends:
        return self.ask("BYE")

    def ack(self, body: bytes = b"") -> Sends:
        """The ACK of the 2xx that came."""
        assert self.invite_request is not None
        ack = self.make("ACK", body)
        self.cseq -= 1
        ack.headers.set("CSeq", f"{self.invite_request.cseq.number} ACK")
        return Sends(self, ack)

    def ack_refusal(self) -> Sends:
        """The ACK of the last response other than 2xx: it belongs to the INVITE's transaction."""
        return Sends(self, self._of_invite("ACK"))

    def prack(self, body: bytes = b"", **headers: str) -> Sends:
        """The PRACK of the last reliable response that came."""
        response = self.reliable
        rack = f"{response.headers.get('RSeq')} {response.headers.get('CSeq')}" if response else "1 1 INVITE"
        return self.ask("PRACK", body, **{"RAck": rack, **headers})

    def says_reliably(
        self, status: int, rseq: int, body: bytes = b"", *, tag: str | None = None, **headers: str
    ) -> Sends:
        """As `says`, so that a PRACK must come."""
        return self.says(status, body, tag=tag, to=None, Require="100rel", RSeq=str(rseq), **headers)

    def cancel(self, **headers: str) -> Sends:
        return Sends(self, self._of_invite("CANCEL", **headers))

    def _of_invite(self, method: str, **headers: str) -> Request:
        invite = self.invite_request
        assert invite is not None
        request = Request(method, invite.uri, Headers())
        for name in ("Via", "Max-Forwards", "From", "To", "Call-ID"):
            request.headers.set(name, invite.headers.get(name) or "")
        if method == "ACK" and isinstance(self.last, Response):
            request.headers.set("To", self.last.headers.get("To") or "")
        request.headers.set("CSeq", f"{invite.cseq.number} {method}")
        for name, value in headers.items():
            request.headers.set(name.replace("_", "-"), value)
        return request

    def says(
        self,
        status: int,
        body: bytes = b"",
        *,
        tag: str | None = None,
        to: Request | None = None,
        **headers: str,
    ) -> Sends:
        """Answer an INVITE: `to`, or the last one that came."""
        request = to or self.invited
        assert request is not None
        fields = [("Contact", headers.pop("Contact", self.contact()))]
        if body:
            fields.append(("Content-Type", headers.pop("Content_Type", "application/sdp")))
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        tag = tag or self.tag
        response = request.respond(status, to_tag=tag, headers=fields, body=body)
        # As the callee: this is the dialog from now on.
        self.call_id = request.call_id
        self.local = response.headers.get("To") or ""
        self.remote = request.headers.get("From") or ""
        self.target = str(request.contacts[0].uri) if request.contacts else ""
        return Sends(self, response)

    def ok(self, status: int = 200, body: bytes = b"", **headers: str) -> Sends:
        """Answer the last request that was no INVITE."""
        assert self.asked is not None
        fields = [("Content-Type", "application/sdp")] if body else []
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        return Sends(self, self.asked.respond(status, to_tag=self.tag, headers=fields, body=body))

    # --- what it gets

    def gets(self, what: str | int, *contains: str, lacks: tuple[str, ...] = ()) -> Gets:
        return Gets(self, what, contains, lacks)

    def take(self, message: Message) -> None:
        self.last = message
        if isinstance(message, Request):
            if message.method == "INVITE":
                self.invited = message
            elif message.method != "ACK":
                self.asked = message
        elif message.cseq.method == "INVITE" and 100 < message.status < 300:
            self.remote = message.headers.get("To") or ""
            self.target = str(message.contacts[0].uri)
            if "RSeq" in message.headers:
                self.reliable = message

    @property
    def body(self) -> bytes:
        """The body of the last message that came."""
        assert self.last is not None
        return self.last.body


class Playbook:
    """The exchange on a bench."""

    def __init__(self, *, max_calls: int = 100, ports: tuple[int, int] = (30_000, 30_199)) -> None:
        self.random = random.Random(1)
        self.timers = HandTimers()
        self.wiretap = Wiretap()
        self.endpoint = Endpoint(self.timers, self.random, self.wiretap)
        self.relay = Relay(ports, self.timers, self.random, lambda host, port: SilentSocket())
        self.records: list[CallRecord] = []
        self.changes = 0
        self.extensions: dict[str, Extension] = {}
        self.bindings: dict[str, list[Binding]] = {}
        self.story: list[str] = []
        self._ports = count(5060)
        wire = Wire(self.endpoint, self.timers, self.random, self.relay)
        directory = Directory(self.extensions.get, self, self)
        self.exchange = Exchange(wire, directory, lambda: self.timers.time, max_calls)
        self.exchange.on_record = self.records.append
        self.exchange.on_change = self._changed

    def _changed(self) -> None:
        self.changes += 1

    # --- the directory

    def verify(self, request: Request) -> str:
        """Whoever names no password is asked for one; whoever names an extension by it is that."""
        name = request.headers.get("Authorization")
        if name == "none":
            raise PeerError(401, "Unauthorized", (("WWW-Authenticate", 'Digest realm="x"'),))
        return name or request.from_.uri.number or ""

    def is_claimed_by(self, request: Request) -> bool:
        return "Authorization" in request.headers

    def targets(self, number: str) -> list[Binding]:
        return self.bindings.get(number, [])

    def is_at(self, number: str, flow: Flow) -> bool:
        return any(each.flow.same_way(flow) for each in self.targets(number))

    def is_near(self, number: str, host: str) -> bool:
        return any(each.flow.remote[0] == host for each in self.targets(number))

    def phone(self, number: str, name: str = "", *, ring_seconds: int = 60) -> Phone:
        """An extension's phone; the second one of a number is its second registration."""
        self.extensions.setdefault(
            number, Extension(number=number, name=name, ha1_md5="", ha1_sha256="", ring_seconds=ring_seconds)
        )
        phone = Phone(number, ("198.51.100.7", next(self._ports)), self.random)
        flow = Flow("udp", EXCHANGE, phone.address)
        uri = NameAddr.parse(phone.contact()).uri
        binding = Binding(number, uri, flow, 1.0, 9e9, 3600, "", "", 1, 0.0, 0.0)
        self.bindings.setdefault(number, []).append(binding)
        return phone

    # --- the ladder

    def __rshift__(self, step: Sends) -> Playbook:
        """A phone sends."""
        self.story.append(f"{step.phone.tag:>10} >> {_title(step.message)}")
        flow = Flow("udp", EXCHANGE, step.phone.address)
        self.endpoint.receive_datagram(step.message.encode(), flow)
        return self

    def __lshift__(self, step: Gets) -> Playbook:
        """A phone gets: the next message that the exchange has sent."""
        assert self.wiretap.sent, self._told(f"{step.phone.tag} gets {step.what}, but nothing was sent")
        flow, message = self.wiretap.sent.popleft()
        self.story.append(f"{'':>10} << {flow.remote[1]} {_title(message)}")
        what = message.method if isinstance(message, Request) else message.status
        assert (flow.remote, what) == (step.phone.address, step.what), self._told(
            f"expected {step.what} to {step.phone.tag}"
        )
        text = message.encode().decode()
        for part in step.contains:
            assert part in text, self._told(f"{part!r} is not in\n{text}")
        for part in step.lacks:
            assert part not in text, self._told(f"{part!r} is in\n{text}")
        step.phone.take(message)
        return self

    def waits(self, seconds: float) -> Playbook:
        """Time passes."""
        self.story.append(f"{'':>10} .. {seconds} s")
        self.timers.advance(seconds)
        return self

    def quiet(self) -> Playbook:
        """Nothing was sent that no line spoke of."""
        assert not self.wiretap.sent, self._told(
            f"left over: {[_title(each) for _, each in self.wiretap.sent]}"
        )
        return self

    def ends(self, *causes: str) -> None:
        """All is over: one record for each of `causes`, and nothing left behind once the transactions are gone."""
        self.quiet()
        assert [record.cause for record in self.records] == list(causes), self._told("records")
        assert self.exchange.calls() == []
        assert self.relay.open_ports == 0, self._told("ports are open")
        self.timers.advance(200)
        self.wiretap.sent.clear()  # what was repeated to phones that say nothing more
        assert self.endpoint.transactions == 0, self._told("transactions are left")
        assert self.endpoint._dialogs == {}, self._told("dialogs are left")
        assert len(self.timers.heap) == 0, self._told("timers are left")

    def _told(self, complaint: str) -> str:
        return "\n".join([complaint, *self.story])


def _title(message: Message) -> str:
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {message.reason} ({message.headers.get('CSeq')})"


def talk(book: Playbook, alice: Phone, bob: Phone) -> None:
    """Bring two phones into a call."""
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.ack()
    ).quiet()
