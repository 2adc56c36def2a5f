"""An office for tests with sipp: an exchange, two extensions, and a phone for each."""

from __future__ import annotations

import ssl
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.interop.exchange import Exchange, free_ports, wait_until
from tests.peers.phone_wire import PhoneWire
from tests.peers.sipp import CALLEE_HOST, CALLER_HOST, Callee, Sipp, write_users

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CALLEE", "CALLER", "Office"]

CALLER, CALLEE = "101", "102"
RATE = 100
"Of a single run: with a lower rate sipp waits for the time of the next one."


@dataclass
class Office:
    """An exchange, two extensions, and a sipp for each of them."""

    exchange: Exchange
    sipp: Sipp
    host: str
    "Where the callees are."
    ports: tuple[int, int, int]
    "The caller's, the callee's, and one for a second phone of the callee."
    media: tuple[int, int, int]
    "Theirs for sound."
    passwords: dict[str, str]
    transport: str = "udp"
    "Of the caller: `udp`, `tcp` or `tls`."
    wire: PhoneWire | None = None
    "The callee's connection, when it is not on UDP."

    @classmethod
    def of(cls, exchange: Exchange, folder: Path, caller: str = CALLER) -> Office:
        """Give an exchange two more extensions, the caller's and the next one. `folder` is for sipp's files."""
        host = exchange.sip[0]
        hosts = ("::1", "::1") if ":" in host else (CALLER_HOST, CALLEE_HOST)
        passwords = exchange.add_extensions(2, caller)
        users = folder / "users.csv"
        write_users(users, passwords)
        (port, sound), callees = free_ports(hosts[0], 2), free_ports(hosts[1], 4)
        ports, media = (port, callees[0], callees[1]), (sound, callees[2], callees[3])
        sipp = Sipp(exchange.sip, folder, users, host=hosts[0], media_port=media[0])
        return cls(exchange, sipp, hosts[1], ports, media, passwords)

    # The numbers of the two.

    @property
    def caller(self) -> str:
        return next(iter(self.passwords))

    @property
    def called(self) -> str:
        return list(self.passwords)[1]

    @contextmanager
    def over(self, caller: str, callee: str) -> Iterator[None]:
        """What follows goes over these transports: `udp`, `tcp` or `tls`."""
        with ExitStack() as stack:
            self.transport = caller
            if caller == "tls":
                sleeve = stack.enter_context(PhoneWire(self.exchange.tls, self.trust()))
                self.sipp.server = sleeve.address
            if callee != "udp":
                server = self.exchange.tls if callee == "tls" else self.exchange.sip
                trust = self.trust() if callee == "tls" else None
                wire = PhoneWire(server, trust, phone=(self.host, self.ports[1]))
                self.wire = stack.enter_context(wire)
            yield

    def trust(self) -> ssl.SSLContext:
        """What a phone uses that pins the box's own certificate."""
        return ssl.create_default_context(cafile=str(self.exchange.folder / "certs" / "cert.pem"))

    def register(self, number: str, port: int | str, *, expires: int = 3600, transport: str = "u1") -> None:
        """Register a phone of `number` that is reached at the callees' address, or over their connection."""
        at = list(self.passwords).index(number)
        users = self.sipp.users.with_name(f"register-{number}.csv")
        rotated = list(self.passwords.items())[at:] + list(self.passwords.items())[:at]
        write_users(users, dict(rotated))
        server = self.exchange.sip if self.transport == "tls" else self.sipp.server
        if self.wire is not None:
            server, transport = self.wire.address, "t1"
        who = Sipp(server, self.sipp.folder, users, host=self.sipp.host, media_port=self.media[0])
        contact = f"[{self.host}]" if ":" in self.host else self.host
        outcome = who.run(
            *("register", 1, RATE, "-key", "contact_host", contact, "-key", "contact_port", str(port)),
            *("-key", "expires", str(expires), "-t", transport),
            port=self.ports[0],
        )
        assert outcome.done == 1, outcome.errors
        if self.wire is not None:
            wire = self.wire
            wait_until(lambda: wire.is_free, "the end of the sipp that registered")

    def call(self, scenario: str = "caller", *options: str, **placeholders: str) -> None:
        """The caller's side of one call, which must go as the scenario says."""
        self.sipp.placeholders = placeholders
        transport = ("-t", "u1" if self.transport == "udp" else "t1")
        outcome = self.sipp.run(scenario, 1, RATE, "-d", "300", *transport, *options, port=self.ports[0])
        assert (outcome.done, outcome.failed) == (1, 0), outcome.errors

    def callee(self, scenario: str = "callee", port: int | None = None, **placeholders: str) -> Callee:
        """The callee's side of one call."""
        self.sipp.placeholders = placeholders
        port = port or self.ports[1]
        media = self.media[self.ports.index(port)]
        transport = ("-t", "u1" if self.wire is None else "t1")
        options = ("-m", "1", "-d", "300", *transport)
        return Callee(self.sipp, scenario, *options, host=self.host, port=port, media_port=media)

    def record(self) -> dict[str, Any]:
        """The one record of the caller's calls there is, once there is one and no call is left."""
        self.exchange.wait_idle()
        of_caller = {"number": self.caller}
        wait_until(lambda: self.exchange.perform("records", "list", None, of_caller), "the record")
        (record,) = self.exchange.perform("records", "list", None, of_caller)
        return dict(record)

    def expect(self, on_caller: str, on_callee: str) -> None:
        """Both legs of the call went so: `>INVITE` from the phone, `<100` to it, none twice."""
        call = self.record()["id"]
        # The last ACK may come when the call is over.
        with suppress(AssertionError):
            wait_until(lambda: self._ladders(call) == (on_caller, on_callee), "both legs")
        assert self._ladders(call) == (on_caller, on_callee)

    def _ladders(self, call: str) -> tuple[str, str]:
        legs: tuple[dict[str, str], dict[str, str]] = ({}, {})
        for message in self.exchange.perform("trace", "show", call):
            first, _, rest = message["text"].partition(" ")
            word = rest.partition(" ")[0] if first == "SIP/2.0" else first
            arrow = ">" if message["direction"] == "in" else "<"
            legs[f"Call-ID: {call}" in message["text"]].setdefault(arrow + message["text"], arrow + word)
        return " ".join(legs[0].values()), " ".join(legs[1].values())
