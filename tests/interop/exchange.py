"""The exchange as a child process with a data folder of its own, for tests with real peers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.control.client import Client, NotRunningError, socket_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Exchange", "free_ports", "running_exchange", "wait_until"]

CHECKOUT = Path(__file__).parents[2]
READY_S = 30.0
STOP_S = 15.0
POLL_S = 0.02
RTP_RANGE = "20000-29999"
PROGRAM = (sys.executable, "-m", "tests.interop.watched")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A running exchange."""

    process: subprocess.Popen[bytes]
    folder: Path
    "Its data folder."
    sip: tuple[str, int]
    tls: tuple[str, int]
    web: tuple[str, int]

    @property
    def log(self) -> str:
        """What it printed so far."""
        return (self.folder.parent / "exchange.log").read_text(encoding="utf-8", errors="replace")

    def perform(
        self, area: str, verb: str, key: str | None = None, values: Mapping[str, Any] | None = None
    ) -> Any:
        """One request over the control socket. Raises ConfigError or NotRunningError."""
        with Client(socket_in(self.folder)) as client:
            return client.perform(area, verb, key, values)

    def add_extensions(self, count: int, first: str = "101") -> dict[str, str]:
        """New extensions: number -> password."""
        made = self.perform("extensions", "add-many", None, {"first": first, "count": count})
        return {each["number"]: each["password"] for each in made}

    def registered(self) -> set[str]:
        """The numbers that have a registration now."""
        return {each["number"] for each in self.perform("registrations", "list")}

    def wait_registered(self, *numbers: str) -> None:
        wait_until(lambda: self.registered() >= set(numbers), f"registrations of {numbers}")

    def wait_records(self, count: int) -> list[dict[str, Any]]:
        """The records, newest first, once there are so many."""
        wait_until(lambda: len(self.perform("records", "list")) >= count, f"{count} records")
        records: list[dict[str, Any]] = self.perform("records", "list")
        return records

    def wait_idle(self) -> None:
        """Return once no call is left."""
        wait_until(lambda: not self.perform("calls", "list"), "the end of all calls")

    def wait_state(self, state: str) -> None:
        """Return once there is one call and it is in that state."""
        wait_until(
            lambda: [each["state"] for each in self.perform("calls", "list")] == [state], f"a call {state}"
        )

    def stop(self) -> int:
        """Ask it to end, as systemd does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=STOP_S)


@contextmanager
def running_exchange(
    folder: Path,
    host: str = "127.0.0.1",
    *options: str,
    program: Sequence[str] = PROGRAM,
    watch: Callable[[tuple[str, int]], None] = lambda _: None,
    sip_port: int = 0,
) -> Iterator[Exchange]:
    """An exchange that answers, on free ports of `host`; its process is gone afterwards, whatever happens.

    `sip_port`: one that must be it, in a network of the test's own.
    `watch` gets its SIP address as soon as its process is there.
    """
    data = folder / "data"
    sip, tls, web = ((host, port) for port in free_ports(host, 3))
    sip = (host, sip_port or sip[1])
    command = [*program, "run", "--data", str(data), "--rtp", RTP_RANGE]
    for name, (_, port) in (("--sip", sip), ("--tls", tls), ("--web", web)):
        command += [name, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHBOX_")}
    with (folder / "exchange.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *options],
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    exchange = Exchange(process, data, sip, tls, web)
    try:
        watch(sip)
        wait_until(lambda: _answers(exchange), "the exchange", READY_S)
        yield exchange
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], object], what: str, limit_s: float = 15.0) -> None:
    """Return as soon as the condition holds; AssertionError when it does not in time."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s:.0f} s for {what}"
        time.sleep(POLL_S)


def free_ports(host: str, count: int) -> list[int]:
    """Ports that were free for UDP and TCP a moment ago, each different."""
    ports: list[int] = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        while len(ports) < count:
            stream = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            stream.bind((host, 0))
            port = stream.getsockname()[1]
            datagram = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            try:
                datagram.bind((host, port))
            except OSError:
                continue
            ports.append(port)
    return ports


def _answers(exchange: Exchange) -> bool:
    assert exchange.process.poll() is None, f"the exchange ended:\n{exchange.log}"
    try:
        exchange.perform("status", "show")
    except NotRunningError:
        return False
    return True
