"""The exchange under test: a child process of its own, in a temporary folder, on free ports of loopback."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any

import anyio

from appliance.control.client import Client, NotRunningError, socket_in
from appliance.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from anyio.abc import Process

__all__ = ["HOST", "Exchange", "ExchangeEndedError", "start_exchange"]

HOST = "127.0.0.1"
RTP_RANGE = "20000-29999"  # wide, for whatever else this machine runs; a call takes four
POLL_S = 0.05
KILL_AFTER_S = 20.0
LOG_LINES = 20  # what is shown of its log when it failed


class ExchangeEndedError(LocalError):
    """The exchange ended though nobody asked it to."""


class Exchange:
    """A running exchange."""

    def __init__(self, process: Process, folder: Path, sip: tuple[str, int]) -> None:
        self.sip = sip
        "Where it takes SIP over UDP."
        self._process = process
        self._folder = folder

    async def ready(self) -> None:
        """Return once it answers on its control socket. ExchangeEndedError when it never will."""
        while True:
            if self._process.returncode is not None:
                msg = f"exit status {self._process.returncode}"
                raise ExchangeEndedError(msg)
            try:
                await self.perform("status", "show")
            except NotRunningError:
                await anyio.sleep(POLL_S)
            else:
                return

    async def perform(
        self, area: str, verb: str, key: str | None = None, values: Mapping[str, Any] | None = None
    ) -> Any:
        """One request over the control socket. Raises ConfigError or NotRunningError."""

        def perform() -> Any:
            with Client(socket_in(self._folder)) as client:
                return client.perform(area, verb, key, values)

        return await anyio.to_thread.run_sync(perform)

    async def stop(self) -> int:
        """Ask it to end, as systemd does; its exit status."""
        if self._process.returncode is None:
            self._process.terminate()
        return await self._process.wait()

    def last_words(self) -> list[str]:
        """The end of what it printed."""
        text = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
        return text.splitlines()[-LOG_LINES:]

    async def end(self) -> None:
        """Whatever happens, the process is gone afterwards."""
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(KILL_AFTER_S):
                await self.stop()
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()


@asynccontextmanager
async def start_exchange() -> AsyncIterator[Exchange]:
    """An exchange that may not be ready yet. It is ended, and its folder removed, in the end."""
    with tempfile.TemporaryDirectory(prefix="branchbox-selftest-") as name:
        folder = Path(name)
        sip, tls, web = (f"{HOST}:{port}" for port in _free_ports(3))
        command = [*_program(), "run", "--data", name, "--sip", sip, "--tls", tls, "--web", web]
        with (folder / "log").open("wb") as log:
            process = await anyio.open_process(
                [*command, "--rtp", RTP_RANGE], stdin=DEVNULL, stdout=log, stderr=log, env=_environment()
            )
        exchange = Exchange(process, folder, (HOST, int(sip.rpartition(":")[2])))
        try:
            yield exchange
        finally:
            await exchange.end()


def _program() -> list[str]:
    frozen = getattr(sys, "frozen", False)
    return [sys.executable] if frozen else [sys.executable, "-m", "appliance"]


def _environment() -> dict[str, str]:
    # No setting of the real exchange, and no socket of systemd's, may reach the one under test.
    ours = ("BRANCHBOX_", "NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    checkout = str(Path(__file__).parents[2])
    path = [checkout, *filter(None, [kept.get("PYTHONPATH")])]
    # PyInstaller: a frozen program that starts itself anew must unpack itself anew.
    return kept | {"PYTHONPATH": os.pathsep.join(path), "PYINSTALLER_RESET_ENVIRONMENT": "1"}


def _free_ports(count: int) -> list[int]:
    """Ports that were free for UDP and TCP a moment ago, each different."""
    with ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            tcp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            tcp.bind((HOST, 0))
            port = tcp.getsockname()[1]
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            try:
                udp.bind((HOST, port))
            except OSError:
                continue
            ports.append(port)
        return ports
