"""The ladders of tests/call/playbook.py before the running exchange: the same words, real sockets, real passwords.

    stage >> alice.invite("102", OFFER) << alice.gets(401) >> alice.prove() << bob.gets("INVITE") << alice.gets(100)

`<<` waits for the next message of that phone; nothing else may come before it. What order messages to different
phones were sent in cannot be seen from outside. `stage.ends()` wants nothing left over at any phone, no call, and
exactly one record for each.
"""

from __future__ import annotations

import random
import ssl
from contextlib import ExitStack
from itertools import count
from typing import Any, Self

from appliance.selftest.phone import Account, answer_challenge
from appliance.sip.message import Headers, Message, Request, Response
from tests.call.playbook import Gets, Phone, Sends
from tests.interop.exchange import Exchange, wait_until
from tests.peers.rtp_port import RtpPort
from tests.peers.sip_line import DatagramLine, Line, StreamLine

__all__ = ["ScriptedPhone", "Stage", "title"]


class ScriptedPhone(Phone):
    """A phone at a real socket."""

    def __init__(self, account: Account, line: Line, rng: random.Random) -> None:
        super().__init__(account.number, line.address, rng)
        self.account = account
        self.line = line
        self.domain = _bracketed(account.server[0])
        self.sound = RtpPort(line.address[0])
        self.sent: Request | None = None
        "The request it sent last."
        self.tag = f"{self._random.getrandbits(32):x}"

    def close(self) -> None:
        self.line.close()
        self.sound.__exit__()

    @property
    def here(self) -> str:
        """Its host and port, as they stand in a URI."""
        host, port = self.line.address
        return f"{_bracketed(host)}:{port}"

    def contact(self) -> str:
        way = "" if self.line.transport == "udp" else f";transport={self.line.transport}"
        return f"<sip:{self.number}@{self.here}{way}>"

    def via(self) -> str:
        branch = f"z9hG4bK{self._random.getrandbits(64):x}"
        return f"SIP/2.0/{self.line.transport.upper()} {self.here};branch={branch};rport"

    def offer(self, *lines: str, version: int = 1) -> bytes:
        """What it says of its sound."""
        return self.sound.describe(*lines, version=version)

    def register(self, *contacts: str, **headers: str) -> Sends:
        """A REGISTER without credentials; with no contact, a mere question."""
        address = f"<sip:{self.number}@{self.domain}>"
        self.cseq += 1
        fields = [
            ("Via", self.via()),
            ("Max-Forwards", "70"),
            ("From", f"{address};tag={self.tag}"),
            ("To", address),
            ("Call-ID", f"register-{self.tag}"),
            ("CSeq", f"{self.cseq} REGISTER"),
            *(("Contact", contact) for contact in contacts),
            *((name.replace("_", "-"), value) for name, value in headers.items()),
        ]
        return Sends(self, Request("REGISTER", f"sip:{self.domain}", Headers(fields)))

    def prove(self, password: str | None = None) -> Sends:
        """The last request again, with the answer to the challenge that came."""
        assert self.sent is not None
        assert isinstance(self.last, Response)
        account = self.account
        if password is not None:
            account = Account(account.number, password, account.server)
        request = Request(self.sent.method, self.sent.uri, self.sent.headers.copy(), self.sent.body)
        cnonce = f"{self._random.getrandbits(64):x}"
        answer = answer_challenge(self.last, request.method, request.uri, account, cnonce)
        self.cseq = request.cseq.number + 1
        request.headers.set("CSeq", f"{self.cseq} {request.method}")
        request.headers.replace_first("Via", self.via())
        request.headers.set(*answer)
        if request.method == "INVITE":
            self.invite_request = request
        return Sends(self, request)

    def options(self) -> Request:
        """A question that the exchange answers at once."""
        address = f"<sip:{self.number}@{self.domain}>"
        fields = [
            *(("Via", self.via()), ("Max-Forwards", "70"), ("From", f"{address};tag=options")),
            *(("To", f"<sip:{self.domain}>"), ("Call-ID", f"options-{self._random.getrandbits(64):x}")),
            ("CSeq", "1 OPTIONS"),
        ]
        return Request("OPTIONS", f"sip:{self.domain}", Headers(fields))

    def response(self) -> Response:
        """The last message that came, which is a response."""
        assert isinstance(self.last, Response)
        return self.last


class Stage:
    """The running exchange, and phones of extensions that nobody else uses."""

    _numbers = count(300)
    _random = random.Random(3665)  # one for all stages, as an exchange may see several of them

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.phones: list[ScriptedPhone] = []
        self.story: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # --- who is there

    def account(self) -> Account:
        """A new extension."""
        number = str(next(self._numbers))
        passwords = self.exchange.add_extensions(1, number)
        return Account(number, passwords[number], self.exchange.sip)

    def phone(
        self,
        transport: str = "udp",
        *,
        account: Account | None = None,
        host: str | None = None,
        registered: bool = True,
        kind: type[ScriptedPhone] = ScriptedPhone,
    ) -> ScriptedPhone:
        """A phone of that extension, or of a new one."""
        line = self.line(transport, host)
        phone = kind(account or self.account(), line, self._random)
        self._stack.callback(phone.close)
        self.phones.append(phone)
        if registered:
            self.register(phone)
        return phone

    def vanish(self, phone: ScriptedPhone) -> None:
        """A phone is gone, without a word."""
        self.phones.remove(phone)
        phone.close()

    def line(self, transport: str, host: str | None = None) -> Line:
        """A socket toward the exchange."""
        here = host or self.exchange.sip[0]
        match transport:
            case "udp":
                return DatagramLine(self.exchange.sip, here)
            case "tcp":
                return StreamLine(self.exchange.sip, here)
            case _:
                return StreamLine(self.exchange.tls, here, self.trust())

    def trust(self) -> ssl.SSLContext:
        """What a phone uses that pins the box's own certificate."""
        return ssl.create_default_context(cafile=str(self.exchange.folder / "certs" / "cert.pem"))

    def register(self, phone: ScriptedPhone, *contacts: str, **headers: str) -> Response:
        """Register a phone, at its own contact unless others are given; the 200."""
        contacts = contacts or (phone.contact(),)
        self >> phone.register(*contacts, **headers) << phone.gets(401) >> phone.prove() << phone.gets(200)
        return phone.response()

    # --- the ladder

    def __rshift__(self, step: Sends) -> Self:
        """A phone sends."""
        phone, message = _scripted(step.phone), step.message
        self.story.append(f"{phone.number:>10} >> {title(message)}")
        if isinstance(message, Request) and message.method not in {"ACK", "CANCEL"}:
            phone.sent = message
        phone.line.send(message.encode())
        return self

    def __lshift__(self, step: Gets) -> Self:
        """A phone gets: the next message that comes to it."""
        phone = _scripted(step.phone)
        try:
            message = phone.line.receive()
        except AssertionError as nothing:
            raise AssertionError(self._told(f"expected {step.what} to {phone.number}: {nothing}")) from None
        self.story.append(f"{'':>10} << {phone.number} {title(message)}")
        what = message.method if isinstance(message, Request) else message.status
        assert what == step.what, self._told(f"expected {step.what} to {phone.number}")
        text = message.encode().decode()
        for part in step.contains:
            assert part in text, self._told(f"{part!r} is not in\n{text}")
        for part in step.lacks:
            assert part not in text, self._told(f"{part!r} is in\n{text}")
        phone.take(message)
        return self

    def call(
        self, caller: ScriptedPhone, number: str, body: bytes = b"", *, until: int = 100, **headers: str
    ) -> Self:
        """Dial with the password that is asked for, as far as the first answer to that."""
        return (
            self
            >> caller.invite(number, body, **headers)
            << caller.gets(401)
            >> caller.ack_refusal()
            >> caller.prove()
            << caller.gets(until)
        )

    def talk(self, caller: ScriptedPhone, callee: ScriptedPhone) -> Self:
        """Bring two phones into a call."""
        return (
            self.call(caller, callee.number, caller.offer())
            << callee.gets("INVITE")
            >> callee.says(180)
            << caller.gets(180)
            >> callee.says(200, callee.offer())
            << callee.gets("ACK")
            << caller.gets(200)
            >> caller.ack()
        )

    def hang_up(self, phone: ScriptedPhone, other: ScriptedPhone) -> Self:
        """End a call."""
        return self >> phone.bye() << phone.gets(200) << other.gets("BYE") >> other.ok()

    def serves(self, host: str | None = None) -> None:
        """Two phones that have done nothing yet, on TCP and TLS, call each other."""
        with Stage(self.exchange) as others:
            alice, bob = others.phone("tcp", host=host), others.phone("tls", host=host)
            others.talk(alice, bob)
            others.hang_up(alice, bob).ends(alice, "normal")

    # --- what is left

    def quiet(self, *phones: ScriptedPhone) -> Self:
        """Nothing more has come to these phones, or to all: the next message is the answer to a question of theirs."""
        for phone in phones or self.phones:
            options = phone.options()
            phone.line.send(options.encode())
            answer = phone.line.receive()
            assert answer.call_id == options.call_id, self._told(
                f"left over at {phone.number}: {title(answer)}"
            )
        return self

    def calls(self) -> list[dict[str, Any]]:
        """The calls that phones of this stage take part in."""
        numbers = {phone.number for phone in self.phones}
        calls = self.exchange.perform("calls", "list")
        return [call for call in calls if {call["from_number"], call["to_number"]} & numbers]

    def records(self, caller: str) -> list[dict[str, Any]]:
        """The records of an extension's own calls, oldest first."""
        records = self.exchange.perform("records", "list", None, {"number": caller})
        return [record for record in records[::-1] if record["from_number"] == caller]

    def ends(self, caller: ScriptedPhone, *causes: str) -> list[dict[str, Any]]:
        """All is over: nothing left over, no call, and these records of the caller's calls, oldest first."""
        self.quiet()
        wait_until(lambda: not self.calls(), "the end of the calls")
        wait_until(lambda: len(self.records(caller.number)) >= len(causes), f"{len(causes)} records")
        records = self.records(caller.number)
        assert [each["cause"] for each in records] == list(causes), self._told("records")
        return records

    def _told(self, complaint: str) -> str:
        return "\n".join([complaint, *self.story])


def _scripted(phone: Phone) -> ScriptedPhone:
    assert isinstance(phone, ScriptedPhone)
    return phone


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def title(message: Message) -> str:
    """The message in a few words, for people."""
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {message.reason} ({message.headers.get('CSeq')})"
