"""sipp as a carrier: it takes a line's REGISTER, and is called and calls as its scenarios say, all from one address."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.interop.exchange import free_ports, wait_until
from tests.peers.sipp import Callee, Sipp, bracketed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.exchange import Exchange

__all__ = ["NUMBER", "SippCarrier"]

NUMBER = "+862412345678"
"The account of its line."
RATE = 100
"Of a single run: with a lower rate sipp waits for the time of the next one."


class SippCarrier:
    """One carrier of one line. No two sipps may have its address at once."""

    def __init__(self, exchange: Exchange, folder: Path, host: str) -> None:
        self.exchange = exchange
        self.port, self._sound = free_ports(host, 2)
        nobody = folder / "nobody.csv"
        nobody.write_text("SEQUENTIAL\nnobody\n")
        self._sipp = Sipp(exchange.sip, folder, nobody, host=host, media_port=self._sound)
        self._log = folder / f"carrier-{self.port}.log"

    @property
    def here(self) -> str:
        """Its address."""
        return bracketed(self._sipp.host, self.port)

    @contextmanager
    def plays(self, scenario: str, calls: int = 1, **placeholders: str) -> Iterator[None]:
        """It has so many dialogs meanwhile, each as the scenario says, to the end."""
        self._log.unlink(missing_ok=True)
        self._sipp.placeholders = placeholders
        logs = ("-trace_logs", "-log_file", str(self._log))
        options = ("-m", str(calls), "-t", "u1", *logs)
        callee = Callee(
            self._sipp, scenario, *options, host=self._sipp.host, port=self.port, media_port=self._sound
        )
        with callee:
            yield
            assert callee.ended() == 0, callee.errors

    @property
    def did(self) -> list[str]:
        """What its scenario has logged of each dialog."""
        return [line for line in self._log.read_text().splitlines() if line] if self._log.exists() else []

    def calls(self, uri: str, caller: str, header: str) -> None:
        """It calls us, talks for a moment and hangs up."""
        self._sipp.placeholders = {"uri": uri, "caller": caller, "header": header}
        outcome = self._sipp.run("carrier_calls", 1, RATE, "-d", "300", "-t", "u1", port=self.port)
        assert (outcome.done, outcome.failed) == (1, 0), outcome.errors

    def line(self, name: str, *, status: str = "200 OK", state: str = "registered", **settings: Any) -> None:
        """A line of ours that registers here; the answer to its REGISTER, and what becomes of it."""
        values = {"name": name, "server": self.here, "account": NUMBER, "password": "no secret", **settings}
        with self.plays("carrier_registers", status=status):
            self.exchange.perform("lines", "add", None, values)
        wait_until(lambda: self.shown(name)["state"] == state, f"line {name} {state}")

    def shown(self, name: str) -> dict[str, Any]:
        """What is shown of a line."""
        return dict(self.exchange.perform("lines", "show", name))

    def lessons(self, name: str) -> list[tuple[str, str, str]]:
        """What was learned of it: the feature, its use, and the answer it was learned from."""
        return [(each["feature"], each["use"], each["said"]) for each in self.shown(name)["learned"]]
