"""A clock that tests turn by hand, a phone's requests, and a transaction that keeps its answer."""

from __future__ import annotations

from collections.abc import Callable

from appliance.clock import Timer, TimerHeap
from appliance.directory import Credentials, Secrets
from appliance.errors import PeerError
from appliance.sip.message import Authorization, Challenge, Headers, Request, Response
from appliance.sip.message.digest import ha1
from appliance.sip.transport.flow import Flow

__all__ = ["HOME", "REALM", "FakeTransaction", "HandClock", "Known", "Phone", "credentials", "knows"]

REALM = "branchbox"
HOME = Flow("udp", ("192.0.2.10", 5060), ("192.0.2.21", 5060))


class HandClock:
    """Timers whose time passes when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._heap = TimerHeap()

    def now(self) -> float:
        return self.time

    def after(self, delay: float, callback: Callable[[], None]) -> Timer:
        return self._heap.add(self.time + delay, callback)

    def advance(self, seconds: float) -> None:
        end = self.time + seconds
        while (due := self._heap.next_due()) is not None and due <= end:
            self.time = due
            callback = self._heap.pop_due(due)
            assert callback is not None
            callback()
        self.time = end

    @property
    def pending(self) -> int:
        return len(self._heap)


class Known:
    """An extension's secrets."""

    def __init__(self, number: str, password: str) -> None:
        self.ha1_md5 = ha1("MD5", number, REALM, password)
        self.ha1_sha256 = ha1("SHA-256", number, REALM, password)
        self.ha1_sha512_256 = ha1("SHA-512-256", number, REALM, password)


def knows(**passwords: str) -> Callable[[str], Secrets | None]:
    """A lookup: `knows(x101="secret")` knows extension 101."""
    known = {name[1:]: Known(name[1:], password) for name, password in passwords.items()}
    return known.get


def credentials(clock: HandClock) -> Credentials:
    return Credentials(clock, REALM, knows(x101="secret", x102="other"))


class FakeTransaction:
    """As much of a server transaction as the registrar uses."""

    def __init__(self, request: Request, flow: Flow = HOME) -> None:
        self.request = request
        self.flow = flow
        self.response: Response | None = None

    def reply(self, status: int, reason: str | None = None, *, headers: list[tuple[str, str]]) -> Response:
        self.response = self.request.respond(status, reason, to_tag="t", headers=headers)
        return self.response


class Phone:
    """Makes one extension's requests, and answers challenges."""

    def __init__(self, number: str = "101", password: str = "secret", *, agent: str = "Phone/1") -> None:
        self.address = "192.0.2.21"
        self.number = number
        self.password = password
        self.agent = agent
        self.call_id = f"{number}@phone"
        self.cseq = 0
        self.count = 0

    def request(self, *headers: tuple[str, str], method: str = "REGISTER", to: str = "") -> Request:
        self.cseq += 1
        request = Request(
            method,
            "sip:192.0.2.10",
            Headers([
                ("Via", f"SIP/2.0/UDP {self.address}:5060;branch=z9hG4bK{self.cseq}"),
                ("From", f"<sip:{self.number}@192.0.2.10>;tag=f"),
                ("To", to or f"<sip:{self.number}@192.0.2.10>"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{self.cseq} {method}"),
                ("User-Agent", self.agent),
                *headers,
            ]),
        )  # fmt: skip
        request.source = (self.address, 5060)
        return request

    def answer(
        self, challenge: Challenge, request: Request, *, count: int | None = None, uri: str = ""
    ) -> Request:
        """The same request with credentials."""
        self.count = self.count + 1 if count is None else count
        secret = ha1(challenge.algorithm, self.number, REALM, self.password)
        answer = Authorization.answer(
            challenge, request.method, uri or request.uri, self.number, secret, cnonce="c", count=self.count
        )
        request.headers.set("Authorization", str(answer))
        return request

    def challenges(self, proof: Credentials) -> list[Challenge]:
        """What the exchange asks of a request without credentials."""
        try:
            proof.verify(self.request())
        except PeerError as refusal:
            assert refusal.status == 401
            self.count = 0
            return [Challenge.parse(value) for name, value in refusal.headers if name == "WWW-Authenticate"]
        raise AssertionError("it should have been challenged")
