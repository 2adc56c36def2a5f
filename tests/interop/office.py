"""An office for tests with sipp: an exchange, two extensions, and a phone for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.interop.exchange import Exchange, free_ports
from tests.peers.sipp import CALLEE_HOST, CALLER_HOST, Callee, Sipp, write_users

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CALLEE", "CALLER", "Office"]

CALLER, CALLEE = "101", "102"


@dataclass
class Office:
    """An exchange, two extensions, and a sipp for each of them."""

    exchange: Exchange
    sipp: Sipp
    ports: tuple[int, int, int]
    "The caller's, the callee's, and one for a second phone of the callee."
    passwords: dict[str, str]

    @classmethod
    def of(cls, exchange: Exchange, folder: Path) -> Office:
        """Give a new exchange its two extensions. `folder` is for sipp's files."""
        passwords = exchange.add_extensions(2, CALLER)
        users = folder / "users.csv"
        write_users(users, passwords)
        caller, second = free_ports(CALLER_HOST, 1)[0], free_ports(CALLEE_HOST, 2)
        ports = (caller, second[0], second[1])
        return cls(exchange, Sipp(exchange.sip, folder, users), ports, passwords)

    def register(self, number: str, port: int | str, *, expires: int = 3600, transport: str = "u1") -> None:
        """Register a phone of `number` that is reached at the callees' address."""
        at = list(self.passwords).index(number)
        users = self.sipp.users.with_name(f"register-{number}.csv")
        rotated = list(self.passwords.items())[at:] + list(self.passwords.items())[:at]
        write_users(users, dict(rotated))
        who = Sipp(self.sipp.server, self.sipp.folder, users)
        outcome = who.run(
            *("register", 1, 1, "-key", "contact_host", CALLEE_HOST, "-key", "contact_port", str(port)),
            *("-key", "expires", str(expires), "-t", transport),
            port=self.ports[0],
        )
        assert outcome.done == 1, outcome.errors

    def call(self, scenario: str = "caller", *options: str, **placeholders: str) -> None:
        """The caller's side of one call, which must go as the scenario says."""
        self.sipp.placeholders = placeholders
        outcome = self.sipp.run(scenario, 1, 1, "-d", "300", *options, port=self.ports[0])
        assert (outcome.done, outcome.failed) == (1, 0), outcome.errors

    def callee(self, scenario: str = "callee", port: int | None = None, **placeholders: str) -> Callee:
        """The callee's side of one call."""
        self.sipp.placeholders = placeholders
        port = port or self.ports[1]
        media = 40000 + 10 * self.ports.index(port)
        return Callee(self.sipp, scenario, "-m", "1", "-d", "300", port=port, media_port=media)

    def record(self) -> dict[str, Any]:
        """The one record there is, once there is one and no call is left."""
        self.exchange.wait_idle()
        records = self.exchange.wait_records(1)
        assert len(records) == 1, records
        return records[0]
